#include "gateway/store/retention.hpp"

#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"

#include <algorithm>

namespace wherry::store {

std::int64_t read_age_time(db::Transaction& transaction, std::int64_t time_of_day) {
  const auto kept = transaction.query("SELECT value FROM counters WHERE name = 'age_time'");
  if (!kept.empty()) return kept.front().integer(0);
  const auto newest = transaction.query(
      "SELECT MAX(created) FROM (SELECT MAX(created) AS created FROM inbox UNION ALL SELECT MAX(created) FROM "
      "messages UNION ALL SELECT MAX(created) FROM seen) AS tables");
  return newest.at(0).is_null(0) ? time_of_day : std::min(newest.at(0).integer(0), time_of_day);
}

std::int64_t age_time(std::int64_t before, std::int64_t time_of_day, std::chrono::milliseconds ran) {
  constexpr int fastest = 24;
  return std::max(before, std::min(time_of_day, before + fastest * ran.count()));
}

std::int64_t remove_expired(db::Transaction& transaction, std::int64_t time_of_day, std::chrono::milliseconds ran,
                            const Retention& kept) {
  const std::int64_t time = age_time(read_age_time(transaction, time_of_day), time_of_day, ran);
  transaction.execute(
      "INSERT INTO counters (name, value) VALUES ('age_time', $1) ON CONFLICT (name) DO UPDATE SET value = "
      "excluded.value",
      {time});
  const auto before = [now = std::min(time, time_of_day)](std::chrono::milliseconds age) { return now - age.count(); };
  remove_messages_before(transaction, before(kept.reports));
  remove_messages_beyond(transaction, kept.most_reports);
  remove_seen(transaction, before(kept.seen), kept.most_seen);
  return remove_inbox_before(transaction, before(kept.undelivered));
}

}  // namespace wherry::store
