// What the suite must know of one network to hold its connector to the contract (gateway/connector/connector.hpp).
// A new network adds a file <name>_harness.cpp with its make_<name>_harness(), and a line to all_harnesses() below.
#pragma once

#include "tests/conformance/fakes.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wherry::tests {

struct BadConfiguration {
  nlohmann::json configuration;
  std::string path;  // the error's text begins with it
};

struct Harness {
  virtual ~Harness() = default;

  std::string name;
  nlohmann::json configuration;  // one that works
  std::vector<BadConfiguration> bad_configurations;

  connector::Answers answers;  // to the registration form: accepted
  connector::Answers
      refused_answers;             // and refused, by the form's rules or the network; empty where nothing is refused
  connector::Answers credentials;  // of an account that is registered already

  std::vector<std::pair<std::string, std::string>> contacts;  // what is typed, and the id that it means
  std::vector<std::string> no_contacts;
  std::vector<connector::Action> unsupported;

  virtual asio::awaitable<connector::Result<std::unique_ptr<connector::Connector>>> make(
      nlohmann::json configuration, connector::Services services) = 0;

  // Lets the network bring a text message from `contact` in, and returns when the connector has acknowledged it to the
  // network (true), or has not and will not before it is brought again (false). The same `number` is the same message.
  // `session` is the one of the account that it is for.
  virtual asio::awaitable<bool> bring(connector::Session& session, connector::ContactId contact, std::string number,
                                      std::string text) = 0;

  // How many messages with that text the network has taken from us. `sink` is what came back from it.
  virtual std::size_t taken(const Sink& sink, const std::string& text) const = 0;
};

std::unique_ptr<Harness> make_echo_harness();
std::unique_ptr<Harness> make_child_echo_harness();

inline std::vector<std::unique_ptr<Harness>> all_harnesses() {
  std::vector<std::unique_ptr<Harness>> all;
  all.push_back(make_echo_harness());
  all.push_back(make_child_echo_harness());
  return all;
}

}  // namespace wherry::tests
