#include "gateway/store/ids.hpp"

namespace wherry::store {

namespace {

constexpr std::int64_t runs_kept = 60LL * 24 * 3600 * 1000;  // ms: longer than any row is (store/retention.hpp)

}  // namespace

std::vector<Run> begin_run(db::Transaction& transaction, const std::string& name, std::int64_t now) {
  // An id of its own, so that of two runs without a row the second has the greater one.
  const std::int64_t first = reserve_ids(transaction, 1).first;
  transaction.execute("DELETE FROM runs WHERE started < $1", {now - runs_kept});
  transaction.execute("INSERT INTO runs (first, name, started) VALUES ($1, $2, $3)", {first, name, now});
  std::vector<Run> runs;
  for (const db::Row& row : transaction.query("SELECT name, first FROM runs ORDER BY first")) {
    runs.push_back({row.text(0), row.integer(1)});
  }
  return runs;
}

IdRange reserve_ids(db::Transaction& transaction, std::int64_t count) {
  const auto rows = transaction.query("UPDATE counters SET value = value + $1 WHERE name = 'ids' RETURNING value", {count});
  const std::int64_t last = rows.at(0).integer(0);
  return {last - count + 1, last};
}

}  // namespace wherry::store
