// Writes the history of a run; everybody who sees something has one.
#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/plan.hpp"
#include "tests/simulation/virtual_time.hpp"

#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wherry::simulation {

inline Microseconds now() { return std::chrono::duration_cast<std::chrono::microseconds>(virtual_time::now()).count(); }

// Of a key, or a stanza's id that is made of one (queues::Keys).
inline std::int64_t row_in(std::string_view key) {
  return std::strtoll(std::string(key.substr(key.rfind('-') + 1)).c_str(), nullptr, 10);
}

struct Recorder {
  const Plan& plan;
  std::function<void(const Record&)> seen{};  // of each record, at once: a crash must not take the history along
  Draw draw{plan.seed};
  History history{};
  std::map<std::int64_t, std::string> asked{};   // by row of the outbox: the text of what a user asks
  std::map<std::int64_t, std::string> events{};  // by row of the inbox: the id of a retraction, which has no text

  std::set<std::string> crossing{};  // "juliet gets m3 of romeo": what users write to each other within the network
  std::map<std::string, int> passwords{};  // by account: how often it was changed

  std::string password_of(const std::string& user) const {
    const auto found = passwords.find(user);
    return "secret" + std::to_string(found == passwords.end() ? 0 : found->second);
  }
  bool is_healed() const { return now() >= plan.healed_at; }
  void add(Record record) {
    record.at = now();
    if (seen) seen(record);
    history.records.push_back(std::move(record));
  }
  void add(What what, std::string network = {}, std::string user = {}, std::string contact = {}, std::string id = {},
           std::string text = {}, std::int64_t number = 0) {
    add(Record{0, what, std::move(network), std::move(user), std::move(contact), std::move(id), std::move(text),
               number});
  }
};

}  // namespace wherry::simulation
