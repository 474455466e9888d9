// The key of what is sent, and the id of what is told: "<store>-<run>-<row>", unlike any other of any store and run.
// Pure.
#pragma once

#include "gateway/store/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::queues {

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
