#include "connectors/sms/carriers/twilio_sender.hpp"

#include "connectors/sms/carriers/twilio_listing.hpp"
#include "connectors/sms/carriers/twilio_verdict.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>
#include <utility>

namespace wherry::sms::twilio {

namespace {

using connector::Errc;
using connector::Error;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostUnits = 1600;  // error 21617
constexpr int kMostFailures = 3;          // of looks that could not be made
constexpr seconds kAfterFailure{3};

bool is_cancellation(const std::exception& e) {
  const auto* error = dynamic_cast<const boost::system::system_error*>(&e);
  return error && error->code() == asio::error::operation_aborted;
}

// Marks a record as worked on, for as long as it lives.
class UnderWay {
 public:
  explicit UnderWay(std::shared_ptr<Record> record) : record_(std::move(record)) { record_->under_way = true; }
  ~UnderWay() { record_->under_way = false; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  std::shared_ptr<Record> record_;
};

}  // namespace

struct Sender::Sending {
  OutgoingText text;
  bool perhaps_out = false;  // a request was made whose outcome is not known
};

class Sender::Turn {
 public:
  Turn(Sender& sender, std::string pair) : sender_(sender), pair_(std::move(pair)) { sender_.taken_turns_.insert(pair_); }
  ~Turn() {
    sender_.taken_turns_.erase(pair_);
    sender_.turns_.notify();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Sender& sender_;
  std::string pair_;
};

asio::awaitable<connector::Result<void>> Sender::send(OutgoingText text) {
  if (utf16_length(text.text) > kMostUnits) {
    co_return Error{Errc::bad_input, "The message is too long: at most 1,600 characters fit. Send it in parts."};
  }
  auto sending = std::make_shared<Sending>();
  sending->text = std::move(text);
  try {
    co_return co_await attempt(sending);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) throw;
  }
  // The gateway stops. The record is there: the next run looks where the text is.
  if (sending->perhaps_out) co_return Error{Errc::uncertain, "The gateway was stopped while the message was being sent."};
  co_return Error{Errc::unavailable, "The gateway was stopped before the message was sent."};
}

asio::awaitable<connector::Result<void>> Sender::attempt(std::shared_ptr<Sending> sending) {
  const std::string pair = sending->text.from.text + " " + sending->text.to.text;
  while (taken_turns_.contains(pair)) co_await turns_.wait();
  const Turn turn(*this, pair);

  if (const auto record = ledger_.find(Ledger::ref_of(sending->text.key))) {
    const UnderWay mark(record);
    sending->perhaps_out = true;
    const Fate fate = co_await reconcile(record);
    if (fate == Fate::sent) co_return base::ok();
    if (fate == Fate::unknown) co_return Error{Errc::uncertain, "The SMS service does not say whether it has the message."};
    co_await drop(record);
    sending->perhaps_out = false;
  }
  co_await pace(sending->text.from.text);
  co_return co_await request(sending);
}

asio::awaitable<connector::Result<void>> Sender::request(std::shared_ptr<Sending> sending) {
  const std::string ref = Ledger::ref_of(sending->text.key);
  const auto record = co_await ledger_.begin(sending->text);
  const UnderWay mark(record);
  net::HttpRequest post = send_request(setting_, sending->text, ref);
  sending->perhaps_out = true;
  auto answer = co_await services_.http.send(std::move(post));
  record->ended = services_.clock.now();
  ledger_.asked(*record, setting_.poll);

  const bool not_reached = !answer && answer.error().code != Errc::uncertain;
  const Verdict verdict = answer ? judge(*answer, record->ended) : Verdict();
  if (!answer) log::warn("twilio.request_failed", {{"carrier", setting_.name}, {"error", answer.error().text}});
  else if (verdict.alert) log::error("twilio.misconfigured", {{"carrier", setting_.name}, {"http", answer->status}, {"error", verdict.error_code}});
  else if (verdict.kind != Verdict::Kind::taken) log::info("twilio.text_not_taken", {{"carrier", setting_.name}, {"http", answer->status}, {"error", verdict.error_code}});

  if (verdict.kind == Verdict::Kind::taken) co_return co_await take(record, verdict.sid);
  // A report that came meanwhile knows better than any answer.
  if (!record->sid.empty()) co_return co_await take(record, record->sid);
  if (not_reached || verdict.kind == Verdict::Kind::later || verdict.kind == Verdict::Kind::refused) {
    co_await drop(record);
    sending->perhaps_out = false;
    if (not_reached) co_return Error{Errc::unavailable, "The SMS service cannot be reached."};
    if (verdict.kind == Verdict::Kind::later) co_return Error{Errc::unavailable, verdict.text, verdict.wait};
    co_return Error{verdict.code, verdict.text};
  }

  const Fate fate = co_await reconcile(record);
  if (fate == Fate::sent) co_return base::ok();
  if (fate == Fate::unknown) co_return Error{Errc::uncertain, "The connection to the SMS service broke before it answered: the message may or may not have been sent."};
  log::info("twilio.text_absent", {{"carrier", setting_.name}});
  co_await drop(record);
  co_return Error{Errc::unavailable, "The SMS service did not take the message."};
}

// It is out, whatever becomes of our note of it.
asio::awaitable<connector::Result<void>> Sender::take(std::shared_ptr<Record> record, std::string sid) {
  try {
    record->told = std::max(record->told, rank(connector::Stage::accepted));  // by our result
    co_await ledger_.bind(record, std::move(sid));
  } catch (const std::exception& e) {
    if (is_cancellation(e)) throw;
    log::error("twilio.record_not_stored", {{"carrier", setting_.name}, {"error", e.what()}});
  }
  co_return base::ok();
}

// It is not out. A note that cannot be erased costs a look in the list.
asio::awaitable<void> Sender::drop(std::shared_ptr<Record> record) {
  try {
    co_await ledger_.forget(record);
  } catch (const std::exception& e) {
    if (is_cancellation(e)) throw;
    log::error("twilio.record_not_erased", {{"carrier", setting_.name}, {"error", e.what()}});
  }
}

asio::awaitable<Sender::Fate> Sender::reconcile(std::shared_ptr<Record> record) {
  for (int failures = 0;;) {
    if (!record->sid.empty()) {
      co_await take(record, record->sid);
      co_return Fate::sent;
    }
    const base::Time looked = services_.clock.now();
    const auto found = co_await look_up(record);
    std::chrono::milliseconds wait = kAfterFailure;
    if (!found) {
      log::warn("twilio.look_failed", {{"carrier", setting_.name}, {"error", found.error().text}});
      if (++failures == kMostFailures) co_return Fate::unknown;
      wait = std::max(wait, std::chrono::milliseconds(found.error().retry_after));
      if (found.error().retry_after > setting_.look_again) co_return Fate::unknown;
    } else if (!*found && record->sid.empty()) {
      wait = until_next_look(record->ended, looked, setting_.look_again);
      if (wait.count() == 0) co_return Fate::absent;
    } else {
      continue;
    }
    co_await base::sleep(wait);
  }
}

// No DateSent in the filter: a text that waits in the service's queue has none yet. The sender's number is left out where
// a messaging service may not have put it in yet.
asio::awaitable<base::Result<bool>> Sender::look_up(std::shared_ptr<Record> record) {
  Filter filter;
  filter.to = record->sought.to;
  if (setting_.messaging_service_sid.empty()) filter.from = record->sought.from;
  const auto listed = co_await list_messages(setting_, services_, std::move(filter), record->sought.begun - kClockSkew);
  if (!listed) co_return listed.error();
  if (!record->sid.empty()) co_return true;
  const auto taken = [&](const std::string& sid) { return ledger_.find_sid(sid) != nullptr; };
  const auto sid = pick(record->sought, *listed, taken);
  if (!sid) co_return false;
  log::info("twilio.text_found", {{"carrier", setting_.name}, {"sid", *sid}});
  co_await ledger_.bind(record, *sid);
  co_return true;
}

asio::awaitable<void> Sender::pace(std::string number) {
  if (setting_.rate <= 0) co_return;
  for (;;) {
    auto& bucket = buckets_.try_emplace(number, setting_.rate, std::max(1.0, setting_.rate), steady_clock::now()).first->second;
    const auto wait = bucket.take(steady_clock::now());
    if (wait.count() == 0) co_return;
    co_await base::sleep(wait);
  }
}

}  // namespace wherry::sms::twilio
