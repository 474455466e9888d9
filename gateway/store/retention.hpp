// How long what is kept only in case of need is kept.
#pragma once

#include "gateway/db/database.hpp"

#include <chrono>
#include <cstdint>

namespace wherry::store {

inline constexpr std::chrono::hours reports_kept{14 * 24};      // `message_map`: networks report within days (SMSCs within seven)
inline constexpr std::chrono::hours seen_kept{7 * 24};          // `seen`: how long a network may bring the same event again
inline constexpr std::chrono::hours undelivered_kept{30 * 24};  // `inbox`: messages for a user who never comes

// Removes what is older than that. `now`: ms since 1970. How many undelivered messages were among it.
std::int64_t remove_expired(db::Transaction& transaction, std::int64_t now);

}  // namespace wherry::store
