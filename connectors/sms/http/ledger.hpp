// The durable memory of texts that were given to the service, until nothing more is to be heard of them.
//
// Entries, below the carrier's name:
//   <name>/m/<ref>   a Record; ref is the digest of the text's key, and stands in the URL for its status
//   <name>/cursor    the time of the latest incoming text that is known to be safe
//
// All records are kept in memory too: an operator's traffic of some days. What happens between two co_awaits is one
// step, so a status that comes before the answer to its text, and the answer, find the same Record in the same state.
#pragma once

#include "connectors/sms/http/reconciliation.hpp"
#include "connectors/sms/parts/part_state.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wherry::sms::http {

// A text that may be out: written before its request, erased when the answer proves that it is not.
struct Record {
  std::string key;
  Sought sought;
  std::string id;            // empty: the outcome is unknown
  int told = -1;             // rank of the last stage that the connector has heard of
  bool is_doubtful = false;  // the service's last word on it was none that we know
  PartStates parts;          // where the service reports them one by one
  bool is_foreign = false;   // it was given to another network, when the carrier's name was of another type

  // In memory only:
  base::Time ended;        // since when no request for it can be under way
  base::Time next_look;    // when its status is asked for, if none comes by itself
  bool under_way = false;  // somebody is sending it, or looking for it
  bool is_stored = true;   // as it is here, or on its way to the store

  bool is_final() const { return told > 0; }
};

std::string to_text(const Record& record);  // JSON
std::optional<Record> parse_record(std::string_view text);

class Ledger {
 public:
  // `cursor`: the name of its entry.
  Ledger(connector::Storage& storage, const base::Clock& clock, std::string name, std::string cursor = "cursor")
      : storage_(storage),
        clock_(clock),
        name_(std::move(name)),
        cursor_entry_(name_ + "/" + std::move(cursor)),
        born_(clock.now()) {}

  // Before anything else: what an earlier run left.
  asio::awaitable<void> load();
  bool is_loaded() const { return loaded_; }

  static std::string ref_of(std::string_view key);
  std::shared_ptr<Record> find(std::string_view ref) const;  // or null
  std::shared_ptr<Record> find_id(std::string_view id) const;
  bool awaits_id() const { return !unknown_pairs_.empty(); }  // of any text

  // The record of a text whose request is about to be made, durably. It has one already where an answer was lost.
  asio::awaitable<std::shared_ptr<Record>> begin(OutgoingText text);
  // The service has it under `id`: in memory; it is to be stored. An id that it has already stays, but our reference
  // only stands in for one.
  void learn(const std::shared_ptr<Record>& record, std::string id);
  // The same, durably.
  asio::awaitable<void> bind(std::shared_ptr<Record> record, std::string id);
  asio::awaitable<void> keep(std::shared_ptr<Record> record);
  // What keep() writes, of a record whose text has come further: its life may be shorter then. To be written before
  // anything else happens to the record: see Carrier::send().
  connector::Changes changes_for(const std::shared_ptr<Record>& record);
  asio::awaitable<void> forget(std::shared_ptr<Record> record);

  // Those without a final status whose time to ask has come, the longest waiting first.
  std::vector<std::shared_ptr<Record>> due(std::size_t most);
  // Asked just now: again after as long as the text is old by then, so ten times in three days.
  void asked(Record& record, std::chrono::seconds at_least) const;
  // Its next look is earlier than it was, or its status is not final after all.
  void look_for(const std::shared_ptr<Record>& record) { looks_.emplace(record->next_look, record); }
  // Erases what is too old to matter.
  asio::awaitable<void> sweep();

  base::Time cursor() const { return cursor_; }
  asio::awaitable<void> set_cursor(base::Time cursor);

 private:
  connector::Entry entry_of(const Record& record) const;
  asio::awaitable<void> adopt(std::shared_ptr<Record> record, std::string row);
  void add(std::shared_ptr<Record> record);
  void remove(const Record& record);
  bool is_here(const Record& record) const;
  void name(const std::shared_ptr<Record>& record, std::string id);
  void await_end(const std::shared_ptr<Record>& record);

  connector::Storage& storage_;
  const base::Clock& clock_;
  std::string name_, cursor_entry_;
  base::Time born_;  // requests of an earlier process ended before
  base::Time cursor_;
  bool loaded_ = false;
  std::map<std::string, std::shared_ptr<Record>, std::less<>> by_ref_, by_id_;
  // In the order of time, so that nothing walks over all records: when each is looked at, and when its life ends. A
  // record may have changed since it was put in; then it is put in anew when its turn comes, and may be there twice.
  using ByTime = std::set<std::pair<base::Time, std::shared_ptr<Record>>>;
  ByTime looks_, ends_;
  std::map<std::string, int> unknown_pairs_;  // "from to" of the texts whose outcome is unknown: how many
};

}  // namespace wherry::sms::http
