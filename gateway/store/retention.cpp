#include "gateway/store/retention.hpp"

#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"

namespace wherry::store {

std::int64_t remove_expired(db::Transaction& transaction, std::int64_t now) {
  const auto before = [now](std::chrono::milliseconds age) { return now - age.count(); };
  remove_sent_before(transaction, before(reports_kept));
  remove_seen_before(transaction, before(seen_kept));
  return remove_inbox_before(transaction, before(undelivered_kept));
}

}  // namespace wherry::store
