// Which segment a receipt is about.
//
// A receipt is placed by the one reading that its id has on this link (message_id.hpp). While several are possible, it
// waits until every submit_sm that was unanswered when it arrived has its answer, or never will, and is placed only
// where all readings together find one segment: a receipt that is not placed is silence, one that is misplaced is a
// lie.
//
// An SMS centre gives an id again: after it began to count anew, to all segments of a text, or because it has several
// nodes. Of several candidates (best()) that one counts
//   whose recipient is the receipt's source; where there is none, the only one that awaits a receipt, unless a text of
//   unknown outcome fits better;
//   then the one whose id is written most alike;
//   then one that awaits its receipt, before one that has had it;
//   then the newest text's, and of that the first segment.
// Where that one has had its receipt, and another segment of its text has no answer yet, the receipt waits for it: a
// centre that gives all segments one id may report before it answers. Pure.
#pragma once

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/smpp/message_id.hpp"
#include "connectors/sms/smpp/record.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wherry::sms::smpp {

struct ReportedReceipt {
  Receipt receipt;
  NetworkAddress source, destination;  // of the deliver_sm: the recipient, and our number
  base::Time arrived;
  bool certain = true;      // it is nothing else than a receipt, so it can wait
  std::uint64_t after = 0;  // so many segments had been submitted, in this run; it waits for their answers
};

struct Match {
  std::shared_ptr<Record> record;  // none: nothing fits
  std::size_t segment = 0;
  IdMatch by = IdMatch::none;
  bool agrees = false;     // its addresses are the receipt's
  bool is_shared = false;  // another text has this id, too, and fits as well

  // Nothing in the store can fit better.
  bool is_plain() const;
};

// The ids by which a receipt may name its text, the likelier first.
std::vector<std::string> ids_of(const Receipt& receipt);

class Matching {
 public:
  static constexpr std::size_t most_recent = 4096;  // ids kept in memory: most receipts come within seconds

  struct Known {
    std::shared_ptr<Record> record;
    std::size_t segment;
    std::string id;
  };
  using ByForm = std::multimap<std::string, Known>;  // by canonical id

  // Each tells whether something was learnt of the link: then any receipt may be placed.
  bool sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id);
  bool received(const std::string& id);        // by a receipt
  void restore(const std::string& notations);  // of an earlier run, where nothing is known yet

  // Segments of unknown outcome: nobody works on them any more.
  void add_unknown(const std::shared_ptr<Record>& record);
  void erase_unknown(const Record& record);
  std::size_t unknown() const { return unknown_.size(); }
  // The tails (tail_of) of the receivers whose segments of unknown outcome may fit other receipts since this was asked
  // last: there are more of them or fewer, or nothing is under way there any more.
  std::set<std::string> take_changed() { return std::exchange(changed_, {}); }

  // A segment is submitted, the answer is awaited; gives it a number. While one to a number is on its way, a receipt
  // from there is not held for one of unknown outcome.
  std::uint64_t started(const Address& to);
  void ended(std::uint64_t number, const Address& to);
  std::uint64_t last_started() const { return started_; }
  std::uint64_t first_unanswered() const;  // beyond all others where there is none

  bool is_sure(const std::string& id) const;  // there is one way only to read it
  // The forms under which the store may have the id.
  std::vector<std::string> forms_to_look_for(const std::string& id) const;
  // `stored`: what the store has under them; besides, what is in memory. Nothing: it must wait; a match without a
  // record: its segment is not known.
  std::optional<Match> decide(const ReportedReceipt& reported, const ByForm& stored) const;
  // The same with each id that the receipt has; and what nobody knows may be held for a segment of unknown outcome,
  // which its address and text must fit: that has this id from then on.
  Match conclude(const ReportedReceipt& reported, const ByForm& stored);
  Match unknown_fitting(const ReportedReceipt& reported) const;

 private:
  bool may_fit(const ReportedReceipt& reported, const Record& record) const;
  void remember(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id);
  void note_change(const Address& receiver);
  Match best(const ReportedReceipt& reported, const std::string& form, const ByForm& stored) const;
  std::optional<Match> unless_unnamed(Match match, const ReportedReceipt& reported) const;

  Notations notations_;
  ByForm recent_;
  std::deque<ByForm::iterator> recent_order_;                                       // the oldest first
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Record>> unknown_;  // by the receiver's tail, and key
  std::set<std::string> changed_;                                                   // tails, see take_changed()
  std::map<std::string, int> under_way_;                                            // by the receiver
  std::set<std::uint64_t> unanswered_;                                              // numbers from started()
  std::uint64_t started_ = 0;
};

}  // namespace wherry::sms::smpp
