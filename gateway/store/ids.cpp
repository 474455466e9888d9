#include "gateway/store/ids.hpp"

namespace wherry::store {

IdRange reserve_ids(db::Transaction& transaction, std::int64_t count) {
  const auto rows = transaction.query("UPDATE counters SET value = value + $1 WHERE name = 'ids' RETURNING value", {count});
  const std::int64_t last = rows.at(0).integer(0);
  return {last - count + 1, last};
}

}  // namespace wherry::store
