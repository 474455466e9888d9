#include "connectors/sms/smpp/sender.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace wherry::sms::smpp {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint8_t ucs2_coding = 0x08;
constexpr std::size_t most_short_message = 254;
constexpr std::size_t most_remembered = 100'000;        // references and tries: past that they begin anew
constexpr std::chrono::hours receipts_come_within{72};  // after the validity period
constexpr std::chrono::hours usual_validity{72};        // where the SMS centre's own is used
constexpr std::chrono::seconds shutdown_limit{5};       // for answers under way when the gateway stops

constexpr const char* not_connected = "The SMS service is not connected.";

// Relative, as clocks differ (§7.1.1.2): days and hours.
std::string relative_time(std::chrono::hours hours) {
  return hours.count() == 0 ? std::string()
                            : fmt::format("0000{:02}{:02}0000000R", hours.count() / 24, hours.count() % 24);
}

}  // namespace

// One send() at work. The segments' tasks share it, and may outlive the call: an answer can come too late for it.
struct Sender::Sending {
  Sending(asio::any_io_executor executor, OutgoingText t, Split s)
      : text(std::move(t)), split(std::move(s)), changed(std::move(executor)) {}
  OutgoingText text;
  Split split;
  std::shared_ptr<Record> record;
  base::Signal changed;
  std::size_t working = 0;  // segments without an outcome
  bool stored = false;      // something of the record is in the store, or may be
  bool concluded = false;   // send() has its result
  bool stopped = false;     // no further segment is to be submitted
  bool refused = false;     // for good
  Errc refusal = Errc::rejected;
  std::string why;  // for the sender
  std::chrono::seconds wait{0};
  int most_tries = 0;  // of this text in all; 0: as long as it lives
  connector::Result<void> result =
      Error{Errc::uncertain, "The gateway stopped before the SMS service answered.", std::chrono::seconds(0)};
};

asio::awaitable<connector::Result<connector::Changes>> Sender::send(OutgoingText text) {
  if (!link_) co_return Error{Errc::unavailable, not_connected};
  auto split = sms::split(text.text, setting_.split);
  if (!split) co_return split.error();
  auto sending = std::make_shared<Sending>(services_.executor, std::move(text), std::move(*split));
  const std::size_t count = sending->split.parts.size();

  sending->record = co_await ledger_.open(sending->text.key);
  sending->stored = sending->record != nullptr;
  if (!sending->record) sending->record = ledger_.create(begin(sending->text, count));
  Record& record = *sending->record;
  if (record.segments.size() != count) {
    co_return Error{Errc::uncertain,
                    "Part of the message was sent before the settings changed; the rest cannot follow."};
  }
  if (const auto first = build(sending->text, sending->split, record, 0); !first) co_return first.error();

  record.in_progress = true;
  for (std::size_t i = 0; i < count; ++i) {
    if (record.segments[i].state != SegmentState::unsent) continue;
    ++sending->working;
    tasks_.spawn("smpp.segment", send_segment(sending, i));
  }

  bool cancelled = false;
  try {
    co_await all_ended(sending);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (!cancelled) {
    sending->result = co_await conclude(sending);
  } else {
    // The gateway stops: what is on the wire is still worth a moment, in a task that is not cancelled.
    co_await asio::this_coro::throw_if_cancelled(false);
    base::TaskGroup finishing(services_.executor);
    finishing.spawn("smpp.finish", finish(sending));
    co_await finishing.join();
    co_await asio::this_coro::throw_if_cancelled(true);
  }
  if (!sending->result) co_return sending->result.error();
  // The record is written with the news that the text is sent. Until that is durable the outbox's row says that it may
  // be: after a crash the sender is told so, and no segment goes a second time.
  co_return to_store(*sending);
}

// What is remembered of a text that is out. A receipt may have ended it already, and its record with it.
connector::Changes Sender::to_store(const Sending& sending) const {
  const Record& record = *sending.record;
  const bool awaits_nothing = !setting_.delivery_reports && record.all(SegmentState::sent);
  if (!awaits_nothing && !record.told_delivered) return ledger_.keep(record);
  return sending.stored ? ledger_.erase(record) : connector::Changes();
}

asio::awaitable<void> Sender::finish(std::shared_ptr<Sending> sending) {
  sending->stopped = true;
  try {
    auto ended = all_ended(sending);
    co_await base::within(shutdown_limit, std::move(ended));
  } catch (const base::TimedOut&) {
    log::warn("smpp.answer_missing", {{"carrier", setting_.name}, {"segments", sending->working}});
  }
  sending->result = co_await conclude(sending);
}

asio::awaitable<void> Sender::all_ended(std::shared_ptr<Sending> sending) {
  while (sending->working > 0) co_await sending->changed.wait();
}

// The link between our id and the SMS centre's, for whoever asks what became of a text.
void Sender::log_submitted(const Record& record) const {
  if (!log::enabled(log::Level::info)) return;
  std::string ids;
  for (const SegmentRecord& segment : record.segments) ids += (ids.empty() ? "" : ",") + segment.id;
  log::info(
      "smpp.submitted",
      {{"id", record.key}, {"carrier", setting_.name}, {"segments", record.segments.size()}, {"carrier_ids", ids}});
}

// What the segments' outcomes are together.
asio::awaitable<connector::Result<void>> Sender::conclude(std::shared_ptr<Sending> sending) {
  Record& record = *sending->record;
  record.in_progress = false;
  sending->concluded = true;
  const bool any_out = std::any_of(record.segments.begin(), record.segments.end(), [](const SegmentRecord& s) {
    return s.state == SegmentState::sent || s.state == SegmentState::delivered || !s.id.empty();
  });
  const bool unknown = record.has(SegmentState::written), unsent = record.has(SegmentState::unsent);
  if (!sending->refused && is_tried_enough(*sending)) sending->refused = true;
  if (!unknown && !unsent && !sending->refused) {
    tries_.erase(record.key);
    log_submitted(record);
    ledger_.finished(record);
    co_return base::ok();
  }
  if (sending->refused) record.told_failed = true;  // by our result
  if (unknown) ledger_.unknown(sending->record);
  if (any_out || unknown) {
    sending->stored = true;
    ledger_.unfinished(record);
    co_await services_.storage.write(ledger_.keep(record));  // before the outbox may try it again
  }

  if (sending->refused) {
    tries_.erase(record.key);
    co_return Error{sending->refusal,
                    any_out ? sending->why + " The beginning of the text may have arrived." : sending->why};
  }
  if (unknown)
    co_return Error{Errc::uncertain,
                    "The connection broke before the SMS service answered: the message may or may not have been sent."};
  co_return Error{Errc::unavailable, sending->why, sending->wait};
}

asio::awaitable<void> Sender::send_segment(std::shared_ptr<Sending> sending, std::size_t index) {
  try {
    co_await try_segment(sending, index);
  } catch (const std::exception& e) {
    log::error("smpp.segment_failed", {{"error", e.what()}});
  }
}

asio::awaitable<void> Sender::try_segment(std::shared_ptr<Sending> sending, std::size_t index) {
  Record& record = *sending->record;
  SegmentRecord& segment = record.segments[index];
  const auto ended = [&sending] {
    --sending->working;
    sending->changed.notify();
  };
  const auto unsent = [&](std::string why) {
    segment.state = SegmentState::unsent;
    if (sending->why.empty()) sending->why = std::move(why);
    sending->stopped = true;
    ended();
  };
  const auto message = build(sending->text, sending->split, record, index);
  if (!message) co_return unsent(message.error().text);
  segment.head =
      head_of(decode(sending->split.parts[index],
                     sending->split.alphabet == Alphabet::gsm7_packed ? Alphabet::gsm7 : sending->split.alphabet));

  const std::uint64_t ticket = gate_.ticket();
  for (int tries = 1;; ++tries) {
    if (sending->stopped) co_return unsent(not_connected);
    const bool entered = co_await gate_.enter(ticket);
    if (!entered) co_return unsent(not_connected);
    if (sending->stopped || !link_) {
      gate_.leave();
      co_return unsent(not_connected);
    }
    Link& link = *link_;
    segment.state = SegmentState::written;
    const auto submission = link.submit(*message);
    const std::uint64_t number = ledger_.started(record.to);
    while (submission->waits()) co_await submission->changed.wait();
    gate_.leave();
    ledger_.ended(number, record.to);

    if (submission->state == Submission::State::lost) {
      if (submission->unsent_at_end) co_return unsent(not_connected);
      sending->stopped = true;
      co_return ended();
    }
    if (submission->state == Submission::State::overdue) {
      sending->stopped = true;
      ended();
      while (!submission->settled()) co_await submission->changed.wait();
      if (submission->state == Submission::State::answered && submission->status == Status::ok) {
        log::info("smpp.answer_late", {{"carrier", setting_.name}});
        co_await accepted(sending, index, submission->message_id);
      }
      co_return;
    }

    const Verdict verdict = judge(submission->status, setting_.verdicts);
    if (verdict.kind == Verdict::Kind::accepted) {
      gate_.accepted();
      co_await accepted(sending, index, submission->message_id);
      co_return ended();
    }
    log::info("smpp.submit_refused", {{"id", sending->record->key},
                                      {"carrier", setting_.name},
                                      {"segment", index + 1},
                                      {"status", to_string(submission->status)}});
    if (verdict.kind == Verdict::Kind::throttled) {
      gate_.throttled();
      segment.state = SegmentState::unsent;
      if (tries < verdict.tries) continue;
    }
    // What else is in the window meets the same refusal in a moment: an answer says more than a broken link would.
    if (verdict.rebind) link.end_when_answered("the peer does not hold us for bound");
    failed(*sending, verdict, submission->status);
    segment.state = sending->refused ? SegmentState::failed : SegmentState::unsent;
    co_return ended();
  }
}

// A segment was not taken: no further one is sent, and the message comes again or not at all.
void Sender::failed(Sending& sending, const Verdict& verdict, Status status) {
  sending.stopped = true;
  sending.why = verdict.text;
  if (verdict.alert) log::error("smpp.link_misconfigured", {{"carrier", setting_.name}, {"status", to_string(status)}});
  if (verdict.kind == Verdict::Kind::refused) {
    sending.refused = true;
    sending.refusal = verdict.refusal;
    return;
  }
  sending.wait = std::max(sending.wait, verdict.wait);
  if (verdict.kind != Verdict::Kind::later || verdict.tries == 0) return;
  sending.most_tries = sending.most_tries == 0 ? verdict.tries : std::min(sending.most_tries, verdict.tries);
}

// Counts this attempt where the SMS centre put the text off. All its segments are under way at once, and the same
// trouble meets them all: together they are one attempt.
bool Sender::is_tried_enough(const Sending& sending) {
  if (sending.most_tries == 0) return false;
  if (tries_.size() > most_remembered) tries_.clear();
  return ++tries_[sending.text.key] >= sending.most_tries;
}

asio::awaitable<void> Sender::accepted(std::shared_ptr<Sending> sending, std::size_t index, std::string id) {
  Record& record = *sending->record;
  record.segments[index].state = SegmentState::sent;
  if (!id.empty()) ledger_.sent(sending->record, index, id);
  try {
    if (sending->concluded) {  // too late for send(): the record is in the store with an unknown outcome
      if (record.has(SegmentState::written)) ledger_.unknown(sending->record);
      else ledger_.known(record);
      co_await services_.storage.write(to_store(*sending));
    }
    co_await reports_.settle_waiting();
  } catch (const std::exception& e) {  // it is sent all the same; only its receipts may be lost
    log::error("smpp.record_not_stored", {{"carrier", setting_.name}, {"error", e.what()}});
  }
}

Record Sender::begin(const OutgoingText& text, std::size_t segments) {
  Record record;
  record.key = text.key;
  record.from = text.from;
  record.to = text.to;
  record.begun = services_.clock.now();
  const auto validity = setting_.validity.count() > 0 ? setting_.validity : usual_validity;
  record.expires = record.begun + (setting_.delivery_reports ? validity + receipts_come_within : std::chrono::hours(1));
  record.segments.resize(segments);
  if (segments > 1) {
    // One counter per pair, begun at random, so that neither a restart nor another sender repeats a reference soon.
    if (references_.size() > most_remembered) references_.clear();
    const auto [counter, fresh] = references_.try_emplace(text.from.text + " " + text.to.text, 0U);
    counter->second = fresh ? randombytes_random() & 0xFFFFU : (counter->second + 1) & 0xFFFFU;
    record.reference = setting_.split.concatenation == Concatenation::udh ? counter->second & 0xFFU : counter->second;
  }
  return record;
}

base::Result<ShortMessage> Sender::build(const OutgoingText& text, const Split& split, const Record& record,
                                         std::size_t index) const {
  const auto source = source_to_network(text.from, setting_.addresses),
             destination = destination_to_network(text.to, setting_.addresses);
  if (!source) return source.error();
  if (!destination) return destination.error();
  ShortMessage message;
  message.service_type = setting_.service_type;
  message.source = *source;
  message.destination = *destination;
  message.validity = relative_time(setting_.validity);
  message.registered_delivery = setting_.delivery_reports ? setting_.submit.registered_delivery : 0;
  message.data_coding = split.alphabet == Alphabet::ucs2 ? ucs2_coding : setting_.submit.data_coding;
  message.esm_class = setting_.submit.esm_class;
  message.tlvs = setting_.submit.parameters;

  const auto total = static_cast<unsigned>(split.parts.size()), part = static_cast<unsigned>(index + 1);
  std::string header;
  if (total > 1 && setting_.split.concatenation == Concatenation::sar) {
    message.tlvs.push_back(number_tlv(tag::sar_msg_ref_num, record.reference, 2));
    message.tlvs.push_back(number_tlv(tag::sar_total_segments, total, 1));
    message.tlvs.push_back(number_tlv(tag::sar_segment_seqnum, part, 1));
  } else if (total > 1) {
    const bool wide = setting_.split.concatenation == Concatenation::udh16;
    header = make_header({wide ? Position::Kind::udh16 : Position::Kind::udh, record.reference, total, part});
    message.esm_class |= header_present;
  }
  std::string octets = split.parts[index];
  if (split.alphabet == Alphabet::gsm7_packed) octets = pack_septets(octets, header.size(), Padding::carriage_return);
  const std::string data = header + octets;
  const bool in_octets = message.data_coding == ucs2_coding || split.alphabet == Alphabet::gsm7_packed;
  const bool whole = setting_.split.concatenation == Concatenation::payload && data.size() > (in_octets ? 140 : 160);
  // A UTF-8 segment may need more octets than short_message has.
  if (whole || data.size() > most_short_message) message.tlvs.push_back({tag::message_payload, data});
  else message.text = data;
  return message;
}

}  // namespace wherry::sms::smpp
