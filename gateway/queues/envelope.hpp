// What the outbox holds, and the keys of it: "<store>-<run>-<row>", unlike any other of any store and run. Pure.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/convert/origin.hpp"
#include "gateway/store/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::queues {

// What a user asks of a network, on its way there.
struct Envelope {
  std::string chat;          // what has the same is done one after the other
  connector::Action action;  // the messages that it names are named as the user's program names them, until its turn
  convert::Origin origin;    // whom to tell how it went
};

// A message, or what takes the place of one: the network may report on it.
bool is_reported(const connector::Action& action);
// It may be asked for twice without anybody seeing it twice, whatever the network.
bool may_repeat(const connector::Action& action);

// An action as a row has it: JSON with the version "v". Rows of versions before it are read for ever.
std::string row_of(const connector::Action& action);
base::Result<connector::Action> parse_row(std::string_view payload);

class Keys {
 public:
  // `store`: the store's name, for ever. `runs`: as begin_run gave them, the present one last.
  Keys(std::string store, std::vector<store::Run> runs) : store_(std::move(store)), runs_(std::move(runs)) {}

  // The key of a row, the same in every run.
  std::string of(std::int64_t row) const;
  // The row whose key this is; nothing where this store did not give it out. Behind a further "-" anything may stand.
  std::optional<std::int64_t> row_of(std::string_view key) const;

 private:
  const store::Run* run_of(std::int64_t row) const;

  std::string store_;
  std::vector<store::Run> runs_;
};

}  // namespace wherry::queues
