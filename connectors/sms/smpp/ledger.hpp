// The durable memory of texts under way, and of receipts that came before what they belong to.
//
// Entries, below the carrier's name:
//   <name>/m/<key>                     a Record
//   <name>/i/<canonical id>/<id>       which record and segment an SMS centre's id belongs to
//   <name>/r/<time>-<n>                a receipt that nothing matched yet
//
// Storage applies writes in the order of the calls. What happens between two co_awaits is one step: the sender registers
// an answered id and takes the parked receipts that fit it in one step, a receipt looks for its id and is parked in one
// step, so none falls between.
#pragma once

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/smpp/record.hpp"
#include "gateway/connector/connector.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wherry::sms::smpp {

struct ReportedReceipt {
  Receipt receipt;
  NetworkAddress source, destination;  // of the deliver_sm: the recipient, and our number
  base::Time arrived;
};

struct Match {
  std::shared_ptr<Record> record;  // none: nothing fits
  std::size_t segment = 0;
  IdMatch by = IdMatch::none;
};

class Ledger {
 public:
  Ledger(connector::Storage& storage, const base::Clock& clock, std::string name)
      : storage_(storage), clock_(clock), name_(std::move(name)) {}

  // Once, before anything else: what an earlier run left. Expired entries are erased.
  asio::awaitable<void> load();
  // Erases what has expired; receipts that waited in vain are logged.
  asio::awaitable<void> sweep();

  // The record under a key; everybody gets the same object. None where the key was never heard of.
  asio::awaitable<std::shared_ptr<Record>> open(std::string key);
  std::shared_ptr<Record> create(Record record);

  // A receipt that waited, the entry it waited under, and what it belongs to.
  struct Waited {
    ReportedReceipt reported;
    std::string entry;
    Match match;
  };
  // The SMS centre has the segment, under this id. Gives out the receipts that waited for it.
  std::vector<Waited> sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id);
  // The outcome of some segments is unknown (SegmentState::written) and nobody is working on them any more.
  void unknown(const std::shared_ptr<Record>& record) { unknown_[record->key] = record; }
  // The receipts that can be placed by now.
  std::vector<Waited> take_placed();

  // The segment that a receipt names: in memory, in the store, or among those of unknown outcome, which its address and
  // text must fit.
  asio::awaitable<Match> find(ReportedReceipt reported);
  // The entry to store for a receipt that find() has just found no place for. No co_await between the two.
  connector::Entry park(ReportedReceipt reported);

  // The entries that keep a record, or take it away.
  std::vector<connector::Entry> keep(const Record& record) const;
  std::vector<connector::Entry> erase(const Record& record);

  // While a segment to a number is on its way, a receipt from there is not held for one of unknown outcome.
  void started(const Address& to) { ++under_way_[to.text]; }
  void ended(const Address& to);

 private:
  Match find_recent(const ReportedReceipt& reported) const;
  Match claim_unknown(const ReportedReceipt& reported);
  asio::awaitable<std::vector<connector::Entry>> read_page(std::string kind, std::string after);
  void note_unknown(Record record);
  void remember_parked(const std::string& entry, ReportedReceipt reported);
  std::map<std::string, ReportedReceipt>::iterator forget_parked(std::map<std::string, ReportedReceipt>::iterator parked);
  std::string key(std::string_view kind, std::string_view rest) const;

  struct Recent {
    std::shared_ptr<Record> record;
    std::size_t segment;
    std::string id;
  };
  using ByForm = std::multimap<std::string, Recent>;

  connector::Storage& storage_;
  const base::Clock& clock_;
  std::string name_;
  std::map<std::string, std::weak_ptr<Record>> live_;       // by key
  std::map<std::string, std::shared_ptr<Record>> unknown_;  // by key
  std::map<std::string, int> under_way_;                    // by number
  ByForm recent_;                                           // by canonical id
  std::deque<ByForm::iterator> recent_order_;               // the oldest first
  std::map<std::string, ReportedReceipt> parked_;           // by entry, so by time
  std::multimap<std::string, std::string> parked_forms_;    // each form of a parked receipt's id → its entry
  std::uint64_t parkings_ = 0;
};

}  // namespace wherry::sms::smpp
