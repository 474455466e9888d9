// The durable memory of texts under way, and of receipts that came before what they belong to.
//
// Entries, below the carrier's name:
//   <name>/m/<key>                     a Record
//   <name>/i/<canonical id>/<key>/<n>  a segment that an SMS centre gave this id; several may have one
//   <name>/r/<time>-<n>                a receipt that nothing matched yet
//
// A record is written once, in the commit that says that its text is sent, and goes in the commit of the receipt that
// ends it. So after a crash there is no record of a text that is told as uncertain, and none of one that is told as
// delivered. Earlier than that it is written where the text must not be sent whole again: some of its segments may be
// out, and the outbox tries it anew.
//
// When each record ends is kept in memory, in the order of time, so that nothing reads all of them but load(). Receipts
// that wait are found by their ids' forms and by their addresses' tails (tail_of).
//
// Storage applies writes in the order of the calls. What happens between two co_awaits is one step: an answered id is
// registered in one step, a receipt is looked for for the last time and parked in one step, so none falls between.
#pragma once

#include "connectors/sms/smpp/matching.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wherry::sms::smpp {

class Ledger {
 public:
  Ledger(connector::Storage& storage, const base::Clock& clock, std::string name)
      : storage_(storage), clock_(clock), name_(std::move(name)) {}

  // Once, before anything else: what an earlier run left. Expired entries are erased.
  asio::awaitable<void> load();
  // Erases what has expired; receipts that waited in vain are logged, and so are entries that cannot be read, which
  // stay.
  asio::awaitable<void> sweep();

  // Receipts that wait and were looked at so far. For tests.
  std::uint64_t steps() const { return steps_; }

  // The record of a text that is to be sent; everybody gets the same object. None where nothing of it can be out.
  asio::awaitable<std::shared_ptr<Record>> open(std::string key);
  // It is stored, and may be sent again for the rest of its segments; or it is sent.
  void unfinished(const Record& record);
  void finished(const Record& record) { unfinished_.erase(record.key); }
  std::shared_ptr<Record> create(Record record);

  // A receipt that waited, the entry it waited under, and what it belongs to.
  struct Waited {
    ReportedReceipt reported;
    std::string entry;
    Match match;
  };
  // The SMS centre has the segment, under this id; a receipt may have waited for it.
  void sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id);
  // The outcome of some segments is unknown (SegmentState::written) and nobody is working on them any more.
  void unknown(const std::shared_ptr<Record>& record) { matching_.add_unknown(record); }
  void known(const Record& record) { matching_.erase_unknown(record); }
  // One of the receipts that something new was learnt for, if it can be placed by now. Usually there is none.
  asio::awaitable<std::optional<Waited>> take_placed();
  void put_back(Waited waited);  // it could not be settled
  // From time to time: receipts that may now be held for a segment of unknown outcome are worth another look. Only
  // those are looked at that come from where something has changed.
  void look_again();

  // A receipt as it arrives.
  ReportedReceipt arrived(const ShortMessage& message, Receipt receipt, bool certain);
  // The segment that it names: in memory, in the store, or among those of unknown outcome, which its address and text
  // must fit.
  asio::awaitable<Match> find(ReportedReceipt reported);
  // For an id that is only guessed: the segment that has it by the letter, of a text to the receipt's source, and no
  // other text's. Nothing is learnt from it.
  asio::awaitable<Match> find_named(ReportedReceipt reported);
  // What to store for a receipt that find() has just found no place for. No co_await between the two. Too many wait:
  // the oldest goes.
  std::vector<connector::Entry> park(ReportedReceipt reported);

  // The entries that keep a record, or take it away.
  connector::Changes keep(const Record& record);
  connector::Changes erase(const Record& record);
  // What erase() gave was not written.
  void await_end(const Record& record) { ends_.emplace(record.expires, record.key); }

  // A segment is submitted, the answer is awaited; gives it a number. See Matching.
  std::uint64_t started(const Address& to) { return matching_.started(to); }
  void ended(std::uint64_t number, const Address& to);

 private:
  // `entry`: under which the receipt is parked; none is found once it is not any more.
  asio::awaitable<Match> search(ReportedReceipt reported, std::string entry);
  asio::awaitable<void> read_stored(std::string form, Matching::ByForm* stored);
  asio::awaitable<void> load_records();
  void look_at_all();  // something was learnt of the link: any receipt may be placed
  asio::awaitable<std::vector<connector::Entry>> read_page(std::string kind, std::string after);
  std::shared_ptr<Record> find_live(const std::string& message_key) const;
  asio::awaitable<std::shared_ptr<Record>> read(std::string message_key);
  std::string id_row(const Record& record, std::size_t segment) const;
  void note_unknown(Record record);
  connector::Entry orphan_oldest();
  void follow_clock();
  void remember_parked(const std::string& entry, ReportedReceipt reported);
  void forget_parked(std::map<std::string, ReportedReceipt>::iterator parked);
  std::string key(std::string_view kind, std::string_view rest) const;

  connector::Storage& storage_;
  const base::Clock& clock_;
  std::string name_;
  std::map<std::string, std::weak_ptr<Record>> live_;  // by key; the dead among them are thrown out at most_live_
  std::size_t most_live_ = 0;
  // Keys of stored records with segments that may be sent; where there are too many, each is looked for in the store.
  std::set<std::string> unfinished_;
  bool knows_unfinished_ = false;
  Matching matching_;
  std::set<std::pair<base::Time, std::string>> ends_;  // of stored records: when each expires, and its key
  std::map<std::string, ReportedReceipt> parked_;      // by entry, so by time
  using Index = std::set<std::pair<std::string, std::string>>;
  Index parked_forms_;                                 // each form of a parked receipt's ids, and its entry
  Index parked_tails_;                                 // the tails of its addresses, and its entry
  std::multimap<std::uint64_t, std::string> waiting_;  // `after` → the entry of a parked receipt
  std::set<std::string> due_;                          // entries of parked receipts that are worth another look
  std::uint64_t parkings_ = 0, orphans_ = 0, steps_ = 0;
};

}  // namespace wherry::sms::smpp
