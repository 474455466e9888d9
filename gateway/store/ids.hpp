// Row ids: one rising sequence for the whole store, taken in blocks, never used twice.
#pragma once

#include "gateway/db/database.hpp"

#include <cstdint>

namespace wherry::store {

// First and last id of a block that nobody else has or will have.
struct IdRange {
  std::int64_t first = 0;
  std::int64_t last = 0;  // inclusive
  bool operator==(const IdRange&) const = default;
};

// Reserves `count` ids (table `counters`).
IdRange reserve_ids(db::Transaction& transaction, std::int64_t count);

}  // namespace wherry::store
