#include "connectors/sms/smpp/matching.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace wherry::sms::smpp {

namespace {

// Whether the deliver_sm goes between the two that the text went between: back from its recipient, or with the
// addresses swapped. Ours alone says little, and a centre may have rewritten it.
bool agree(const Record& record, const ReportedReceipt& reported) {
  return may_be_same(record.to, reported.source) ||
         (may_be_same(record.from, reported.source) && may_be_same(record.to, reported.destination));
}

bool awaits_receipt(const Match& match) {
  const SegmentState state = match.record->segments[match.segment].state;
  return state != SegmentState::delivered && state != SegmentState::failed;
}

// Whether a segment was submitted whose id has not come.
bool has_unnamed(const Record& record) {
  return std::ranges::any_of(record.segments,
                             [](const SegmentRecord& s) { return s.state == SegmentState::written && s.id.empty(); });
}

bool is_less_likely(const Match& a, const Match& b) {
  if (a.by != b.by) return a.by < b.by;
  if (awaits_receipt(a) != awaits_receipt(b)) return awaits_receipt(b);
  if (a.record != b.record) return a.record->begun < b.record->begun;
  return a.segment > b.segment;
}

}  // namespace

bool Match::is_plain() const { return agrees && by == IdMatch::literal && awaits_receipt(*this); }

// ---- What is learnt ----

bool Matching::sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id) {
  const std::string before = notations_.to_text();
  notations_.given(id);
  record->segments[segment].id = id;
  record->notations = notations_.to_text();
  remember(record, segment, id);
  note_change(record->to);
  return notations_.to_text() != before;
}

void Matching::remember(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id) {
  recent_order_.push_back(recent_.emplace(canonical_id(id), Known{record, segment, id}));
  if (recent_order_.size() <= most_recent) return;
  recent_.erase(recent_order_.front());
  recent_order_.pop_front();
}

bool Matching::received(const std::string& id) {
  const std::string before = notations_.to_text();
  notations_.received(id);
  return notations_.to_text() != before;
}

void Matching::restore(const std::string& notations) {
  if (notations_.to_text().empty()) notations_.restore(notations);
}

void Matching::add_unknown(const std::shared_ptr<Record>& record) {
  std::string tail = tail_of(record->to.text);
  unknown_[{tail, record->key}] = record;
  changed_.insert(std::move(tail));
}

void Matching::erase_unknown(const Record& record) {
  if (unknown_.empty()) return;
  std::string tail = tail_of(record.to.text);
  if (unknown_.erase({tail, record.key}) > 0) changed_.insert(std::move(tail));
}

void Matching::note_change(const Address& receiver) {
  if (unknown_.empty()) return;
  std::string tail = tail_of(receiver.text);
  const auto first = unknown_.lower_bound({tail, {}});
  if (first != unknown_.end() && first->first.first == tail) changed_.insert(std::move(tail));
}

std::uint64_t Matching::started(const Address& to) {
  ++under_way_[to.text];
  unanswered_.insert(++started_);
  return started_;
}

void Matching::ended(std::uint64_t number, const Address& to) {
  const auto found = under_way_.find(to.text);
  if (found != under_way_.end() && --found->second == 0) {
    under_way_.erase(found);
    note_change(to);
  }
  unanswered_.erase(number);
}

std::uint64_t Matching::first_unanswered() const {
  return unanswered_.empty() ? std::numeric_limits<std::uint64_t>::max() : *unanswered_.begin();
}

// ---- What follows from it ----

bool Matching::is_sure(const std::string& id) const { return notations_.readings(id).size() == 1; }

std::vector<std::string> ids_of(const Receipt& receipt) {
  if (receipt.other_id.empty()) return {receipt.id};
  return {receipt.id, receipt.other_id};
}

std::vector<std::string> Matching::forms_to_look_for(const std::string& id) const {
  std::vector<Reading> readings = notations_.readings(id);
  if (!is_all_digits(id) && readings.front() != Reading::by_letter) readings.push_back(Reading::by_letter);
  std::vector<std::string> forms;
  for (const Reading reading : readings) {
    if (auto form = form_of(id, reading)) forms.push_back(std::move(*form));
  }
  return forms;
}

Match Matching::conclude(const ReportedReceipt& reported, const ByForm& stored) {
  bool waits = false;
  for (const std::string& id : ids_of(reported.receipt)) {
    ReportedReceipt named = reported;
    named.receipt.id = id;
    const auto match = decide(named, stored);
    if (match && match->record) return *match;
    waits = waits || !match;
  }
  if (waits) return {};
  Match unknown = unknown_fitting(reported);
  if (!unknown.record) return unknown;
  unknown.record->segments[unknown.segment].id = reported.receipt.id;
  remember(unknown.record, unknown.segment, reported.receipt.id);  // the receipt may come again
  note_change(unknown.record->to);
  return unknown;
}

// Of those in memory and in the store; see the head of matching.hpp. As a number an id says little, and anybody can
// write what reads like a receipt: the addresses must agree then.
Match Matching::best(const ReportedReceipt& reported, const std::string& form, const ByForm& stored) const {
  std::vector<Match> found;
  bool any_agrees = false;
  for (const ByForm* ids : {&stored, &recent_}) {
    const auto [first, last] = ids->equal_range(form);
    for (auto entry = first; entry != last; ++entry) {
      const Known& known = entry->second;
      Match match{known.record, known.segment, match_ids(known.id, reported.receipt.id),
                  agree(*known.record, reported)};
      if (match.by == IdMatch::none) continue;
      if ((match.by == IdMatch::number || !reported.certain) && !match.agrees) continue;
      any_agrees = any_agrees || match.agrees;
      found.push_back(std::move(match));
    }
  }
  if (any_agrees) std::erase_if(found, [](const Match& m) { return !m.agrees; });
  else std::erase_if(found, [](const Match& m) { return !awaits_receipt(m); });
  if (found.empty()) return {};
  const auto chosen = std::max_element(found.begin(), found.end(), is_less_likely);
  chosen->is_shared = std::any_of(found.begin(), found.end(), [&](const Match& m) {
    return m.record != chosen->record && m.by == chosen->by && awaits_receipt(m) == awaits_receipt(*chosen);
  });
  if (!any_agrees && chosen->is_shared) return {};
  return *chosen;
}

std::optional<Match> Matching::decide(const ReportedReceipt& reported, const ByForm& stored) const {
  const std::string& id = reported.receipt.id;
  if (!is_all_digits(id)) {
    if (Match match = best(reported, canonical_id(id), stored); match.by >= IdMatch::spelling)
      return unless_unnamed(std::move(match), reported);
  }
  const std::vector<Reading> readings = notations_.readings(id);
  const bool sure = readings.size() == 1;
  if (!sure && first_unanswered() <= reported.after) return std::nullopt;
  Match found;
  bool doubtful = false;
  for (const Reading reading : readings) {
    const auto form = form_of(id, reading);
    Match match = form ? best(reported, *form, stored) : Match();
    if (!match.record) continue;
    if (!found.record) doubtful = !sure && !notations_.has_shown(reading);
    else if (found.record != match.record || found.segment != match.segment) return std::nullopt;  // it may be either
    if (!found.record) found = std::move(match);
  }
  // Converted, and not sure: rather than this one it may be one whose id never came.
  if (found.record && !sure && found.by == IdMatch::number && unknown_fitting(reported).record) doubtful = true;
  if (doubtful) return std::nullopt;
  return unless_unnamed(std::move(found), reported);
}

// Where the addresses of the text are not the receipt's, another text may have the same id: one whose answer is still
// to come, or never came. Where the segment has had its receipt, this one may be another segment's of the same text,
// whose answer is still to come.
std::optional<Match> Matching::unless_unnamed(Match match, const ReportedReceipt& reported) const {
  if (!match.record) return match;
  const bool awaits_answers = first_unanswered() <= reported.after;
  const bool may_be_further = !awaits_receipt(match) && has_unnamed(*match.record);
  if (match.agrees) return awaits_answers && may_be_further ? std::nullopt : std::optional(std::move(match));
  if (awaits_answers) return std::nullopt;
  return unknown_fitting(reported).record ? Match() : match;
}

bool Matching::may_fit(const ReportedReceipt& reported, const Record& record) const {
  const bool straight = may_be_same(record.to, reported.source) && may_be_same(record.from, reported.destination);
  const bool swapped = may_be_same(record.from, reported.source) && may_be_same(record.to, reported.destination);
  return (straight || swapped) && !under_way_.contains(record.to.text) && reported.arrived >= record.begun;
}

// The one segment of unknown outcome that the receipt's address and text fit. Its receiver is the receipt's source or
// its destination.
Match Matching::unknown_fitting(const ReportedReceipt& reported) const {
  Match match;
  if (!reported.certain) return match;
  const std::set<std::string> tails = {tail_of(reported.source.digits), tail_of(reported.destination.digits)};
  for (const std::string& tail : tails) {
    for (auto entry = unknown_.lower_bound({tail, {}}); entry != unknown_.end() && entry->first.first == tail;
         ++entry) {
      const std::shared_ptr<Record>& record = entry->second;
      if (!may_fit(reported, *record)) continue;
      const auto segment = std::ranges::find_if(record->segments, [&](const SegmentRecord& s) {
        return s.state == SegmentState::written && s.id.empty() && heads_agree(s.head, head_of(reported.receipt.text));
      });
      if (segment == record->segments.end()) continue;
      if (match.record) return {};  // it may be either: better none
      match = {record, static_cast<std::size_t>(segment - record->segments.begin()), IdMatch::number};
    }
  }
  return match;
}

}  // namespace wherry::sms::smpp
