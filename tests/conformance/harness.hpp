// What the suite must know of one network to hold its connector to the contract (gateway/connector/contract.hpp).
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

// A text message that the network brings in. The same `number` is the same message.
struct Incoming {
  connector::AccountId account;  // that it is for
  connector::ContactId from;
  std::string number;
  std::string text;
};
// One that the network has taken from us.
struct Taken {
  connector::ContactId to;
  std::string text;
};

struct Harness {
  virtual ~Harness() = default;

  std::string name;
  nlohmann::json configuration;  // one that works, once begin() has returned
  std::vector<BadConfiguration> bad_configurations;

  // Of two accounts that are registered already. The first is what `answers` to the registration form give.
  std::vector<connector::Answers> credentials;
  connector::Answers answers;
  connector::Answers refused_answers;  // refused, by the form's rules or the network

  // what is typed, and the id that it means; the first three differ
  std::vector<std::pair<std::string, std::string>> contacts;
  std::vector<std::string> no_contacts;
  // Every action but SendMessage: those that the network knows and does, and those that it does not know.
  std::vector<connector::Action> done, unsupported;

  bool brings_without_session = false;  // Connector::run() is enough for messages and reports to come

  // The network itself, where the connector needs one to talk to: there before make(), and until end().
  virtual void begin(Bench&) {}
  virtual asio::awaitable<void> end() { co_return; }

  virtual asio::awaitable<connector::Result<std::unique_ptr<connector::Connector>>> make(
      nlohmann::json configuration, connector::Services services) = 0;

  // Lets the network bring `message` in, and returns when the connector has acknowledged it to the network (true), or
  // has not and will not before it is brought again (false). `session` is the account's, or null where none is open.
  virtual asio::awaitable<bool> bring(connector::Session* session, Incoming message) = 0;

  // Lets the network report that it has delivered the message with this key and text; returns as bring() does.
  virtual asio::awaitable<bool> report(connector::Session& session, std::string key, std::string text) = 0;

  // What the network has taken from us, as often as it will reach somebody. `sink` is what came back from it.
  virtual std::vector<Taken> taken(const Sink& sink) const = 0;
};

std::unique_ptr<Harness> make_echo_harness();
std::unique_ptr<Harness> make_child_echo_harness();
std::unique_ptr<Harness> make_oscar_harness();
std::unique_ptr<Harness> make_sms_smpp_harness();
std::unique_ptr<Harness> make_sms_twilio_harness();
std::unique_ptr<Harness> make_msn_harness();

inline std::vector<std::unique_ptr<Harness>> all_harnesses() {
  std::vector<std::unique_ptr<Harness>> all;
  all.push_back(make_echo_harness());
  all.push_back(make_child_echo_harness());
  all.push_back(make_oscar_harness());
  all.push_back(make_sms_smpp_harness());
  all.push_back(make_sms_twilio_harness());
  all.push_back(make_msn_harness());
  return all;
}

}  // namespace wherry::tests
