// Row ids: one rising sequence for the whole store, taken in blocks, never used twice.
#pragma once

#include "gateway/db/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::store {

// First and last id of a block that nobody else has or will have.
struct IdRange {
  std::int64_t first = 0;
  std::int64_t last = 0;  // inclusive
  bool operator==(const IdRange&) const = default;
};

// One start of the gateway on this store.
struct Run {
  std::string name;        // random: 8 hexadecimal digits
  std::int64_t first = 0;  // no row of it has a smaller id
};

// Notes that a run begins, `now` (ms since 1970); all that are remembered, in their order, this one last. Runs of which
// no row can be left are forgotten.
std::vector<Run> begin_run(db::Transaction& transaction, const std::string& name, std::int64_t now);

// Reserves `count` ids (table `counters`).
IdRange reserve_ids(db::Transaction& transaction, std::int64_t count);

}  // namespace wherry::store
