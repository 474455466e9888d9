// What the peer delivers: texts, segments and receipts. They are taken in batches, in order; each is answered only
// after its consequences are durable: a text published or a segment stored, a receipt brought home or parked.
#pragma once

#include "connectors/sms/parts/redelivery.hpp"
#include "connectors/sms/smpp/deliver.hpp"
#include "connectors/sms/smpp/reports.hpp"
#include "connectors/sms/smpp/wire/link.hpp"
#include "gateway/base/signal.hpp"

#include <deque>
#include <map>

namespace wherry::sms::smpp {

class Inbound {
 public:
  Inbound(const Setting& setting, connector::Services services, CarrierEvents& events, Ledger& ledger,
          Reports& reports);

  void take(Link& link, Asked asked);  // answers at once where too many wait
  void proved(const Link& link, Proved proved);
  asio::awaitable<void> run();   // until stop(), after the present batch
  asio::awaitable<void> tick();  // wakes run() from time to time, until cancelled
  void stop();
  // Forgets what was not begun: its links are gone. `confirmed`: see Redeliveries.
  asio::awaitable<void> session_ended(bool confirmed);

 private:
  struct Item {
    Link* link;
    Asked asked;
    std::optional<Status> status;  // the answer, once it is known
    std::string id;                // of a text or a segment, for its redelivery
  };
  struct Unproved {  // the answer to a text, of which the peer has not shown yet that it has it
    std::uint64_t answer;
    std::string id;
  };
  struct Delivery {
    IncomingText text;
    Item* item = nullptr;  // that is answered by it
  };
  asio::awaitable<void> work(std::vector<Item> batch);
  asio::awaitable<bool> store_first(connector::Changes changes);
  connector::Changes take_forgotten();
  // The tasks of a batch; what they point to outlives them.
  asio::awaitable<void> deliver(Delivery* delivery);
  asio::awaitable<void> report(Item* item, SeenReceipt seen);
  asio::awaitable<void> guess(Item* item, SeenNothing seen);
  asio::awaitable<void> logging_failure(asio::awaitable<void> task);
  asio::awaitable<void> deliver_in_order(std::vector<Delivery>* deliveries);
  void answer(Item& item);

  asio::awaitable<void> load();
  bool restore_arrival(const std::string& id, const std::string& value);  // false: it cannot be read
  asio::awaitable<void> keep_house();
  bool is_house_due() const;
  void ignore(Item& item, const SeenNothing& seen);
  Redeliveries::Arrival note_arrival(Item& item, connector::Changes& store);
  Delivery read_text(Item& item, std::string text);
  void read_piece(Item& item, Piece piece, connector::Changes& store, std::vector<Delivery>& deliveries);
  Delivery to_delivery(Joined joined) const;
  std::string key(std::string_view kind, std::string_view rest) const;
  std::vector<connector::Entry> below(std::string_view kind, std::vector<connector::Entry> entries) const;

  const Setting& setting_;
  connector::Services services_;
  CarrierEvents& events_;
  Ledger& ledger_;
  Reports& reports_;
  Redeliveries redeliveries_;
  Reassembly reassembly_;
  std::map<const Link*, std::deque<Unproved>> unproved_;  // the oldest answer first
  std::vector<Item> queue_;
  base::Signal changed_;  // something is to be done
  base::Time house_kept_, swept_;
  std::uint64_t unread_ = 0;  // receipts that were not understood
  bool loaded_ = false, stopping_ = false;
};

}  // namespace wherry::sms::smpp
