// How long what is kept only in case of need is kept.
#pragma once

#include "gateway/db/database.hpp"

#include <chrono>
#include <cstdint>

namespace wherry::store {

struct Retention {
  // `messages`: networks report within days (SMSCs within seven)
  std::chrono::hours reports{14 * 24};
  // `seen`: how long a network may bring the same event again
  std::chrono::hours seen{7 * 24};
  std::chrono::hours undelivered{30 * 24};  // `inbox`: messages for a user who never comes
  // However many come: about 200 bytes each. Of `seen`, commits of events; nobody reads more.
  std::int64_t most_reports = 20'000'000, most_seen = 200'000;
};

// The time by which ages are counted, `before` the last one: it follows the time of day, at most 24 times as fast as
// the gateway `ran` since, and never goes back. What a wrong clock says for some hours deletes nothing: only a clock
// that was a year ahead for 30 hours could age a message by 30 days. After a time out of use it catches up with 24 days
// a day.
std::int64_t age_time(std::int64_t before, std::int64_t time_of_day, std::chrono::milliseconds ran);

// The last one, before anything expires in this run; where a store has none yet, its newest row tells how late it was
// at least.
std::int64_t read_age_time(db::Transaction& transaction, std::int64_t time_of_day);

// Removes what is older than that. `time_of_day`: ms since 1970; `ran`: for how long this process has run since its
// last call, by a clock that only goes forward. How many undelivered messages were among it.
std::int64_t remove_expired(db::Transaction& transaction, std::int64_t time_of_day, std::chrono::milliseconds ran,
                            const Retention& kept = {});

}  // namespace wherry::store
