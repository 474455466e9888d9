#include "gateway/store/ids.hpp"

namespace wherry::store {

namespace {

// Runs of which no row is left, nor any that a report may name. By ids and not by time: a run may last for months.
constexpr char forget_runs[] =
    "DELETE FROM runs WHERE first < (SELECT MAX(first) FROM runs WHERE first <= (SELECT COALESCE(MIN(id), $1) FROM "
    "(SELECT MIN(id) AS id FROM inbox UNION ALL SELECT MIN(id) FROM outbox UNION ALL SELECT MIN(id) FROM messages) "
    "AS tables))";

}  // namespace

std::vector<Run> begin_run(db::Transaction& transaction, const std::string& name, std::int64_t now) {
  // An id of its own, so that of two runs without a row the second has the greater one.
  const std::int64_t first = reserve_ids(transaction, 1).first;
  transaction.execute("INSERT INTO runs (first, name, started) VALUES ($1, $2, $3)", {first, name, now});
  transaction.execute(forget_runs, {first});
  std::vector<Run> runs;
  for (const db::Row& row : transaction.query("SELECT name, first FROM runs ORDER BY first")) {
    runs.push_back({row.text(0), row.integer(1)});
  }
  return runs;
}

IdRange reserve_ids(db::Transaction& transaction, std::int64_t count) {
  const auto rows =
      transaction.query("UPDATE counters SET value = value + $1 WHERE name = 'ids' RETURNING value", {count});
  const std::int64_t last = rows.at(0).integer(0);
  return {last - count + 1, last};
}

}  // namespace wherry::store
