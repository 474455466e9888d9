// What only the author of a connector knows: how to log in, whom to write to, what comes back. connectors/README.md §13
// has an example.
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/connector/keys.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wherry::conformance {

struct Login {
  std::string user;  // the address of whom it is for
  connector::Answers answers;
};
struct Typed {
  std::string text, id;  // what a person types, and the contact's id that it means
};
struct RefusedSend {
  std::string contact;
  connector::Errc code{};
};

struct Description {
  nlohmann::json configuration = nlohmann::json::object();  // the child's own
  std::vector<Login> accounts;                              // at least one
  std::optional<connector::Answers> wrong_answers;
  std::optional<connector::ContactId> contact;  // who may be written to
  std::vector<Typed> typed;
  std::vector<std::string> no_contacts;
  std::optional<RefusedSend> refused;
  std::set<std::string, std::less<>> comes_back;  // "text", "edit", "retract", "react", "read", "typing", "report"
  std::chrono::seconds wait{20};                  // for the network, at every step
};

// All mistakes at once, each a line that begins with the key's path.
connector::Result<Description> read_description(const nlohmann::json& object);

}  // namespace wherry::conformance
