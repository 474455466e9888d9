// What users sent lately: a client sends again, under the same id, what its broken stream may have lost (XEP-0198 §5,
// XEP-0359). It holds over a restart, too: by the outbox's rows, and by table `seen` once they are gone.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/convert/origin.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/seen.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>

namespace wherry::queues {

class Repeats {
 public:
  explicit Repeats(Journal& journal) : journal_(journal), hashes_(0) {}

  // Before anything else: what came in the last ten minutes of the runs before, of this transport.
  boost::asio::awaitable<void> load(db::Database& database, std::string transport, base::Time now);

  // Two messages that have the same are one: the same device, contact, id and content. Old clients count their ids from
  // 1 at each start, so an id alone makes no message the same. Of an origin-id the device does not count.
  // Nothing of an action that is no message.
  Fingerprint fingerprint(base::AccountId account, const convert::Origin& origin,
                          const connector::Action& action) const;
  // Whether it came in the last ten minutes.
  bool contains(const Fingerprint& message);
  // Of a message that is in the outbox: as long as it is there, its row keeps it over a restart.
  void insert(const Fingerprint& message);
  // Its row goes in the present step of the journal.
  void keep(const Fingerprint& message);
  // Its sender hears that it failed, and may send it again under the same id.
  void erase(base::AccountId account, const convert::Origin& origin);

 private:
  // stanza → content; 0: may come again
  using Generation = boost::unordered_flat_map<std::uint64_t, std::uint64_t, AsItIs>;

  std::uint64_t hash_of(base::AccountId account, const convert::Origin& origin) const;
  void note(std::uint64_t stanza, std::uint64_t content);
  void renew();

  Journal& journal_;
  Seen hashes_;  // only its key
  Generation newer_, older_;
  std::chrono::steady_clock::time_point since_{};  // when the newer generation began
};

}  // namespace wherry::queues
