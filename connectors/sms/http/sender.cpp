#include "connectors/sms/http/sender.hpp"

#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/listing.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::sms::http {

namespace {

using connector::Errc;
using connector::Error;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int most_failed_looks = 3;  // of looks that could not be made
constexpr seconds wait_after_failed_look{3};

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
  Turn(Sender& sender, std::string pair) : sender_(sender), pair_(std::move(pair)) {
    sender_.taken_turns_.insert(pair_);
  }
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

asio::awaitable<connector::Result<connector::Changes>> Sender::send(OutgoingText text) {
  if (utf16_length(text.text) > provider_.most_units()) {
    co_return Error{
        Errc::bad_input,
        fmt::format("The message is too long: at most {} characters fit. Send it in parts.", provider_.most_units())};
  }
  if (std::string why = provider_.why_too_long(text.text); !why.empty()) co_return Error{Errc::bad_input, why};
  auto sending = std::make_shared<Sending>();
  sending->text = std::move(text);
  try {
    co_return co_await attempt(sending);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) throw;
  }
  // The gateway stops. The record is there: the next run looks where the text is.
  if (sending->perhaps_out)
    co_return Error{Errc::uncertain, "The gateway was stopped while the message was being sent."};
  co_return Error{Errc::unavailable, "The gateway was stopped before the message was sent."};
}

asio::awaitable<connector::Result<connector::Changes>> Sender::attempt(std::shared_ptr<Sending> sending) {
  const std::string pair = sending->text.from.text + " " + sending->text.to.text;
  while (taken_turns_.contains(pair)) co_await turns_.wait();
  const Turn turn(*this, pair);

  if (const auto record = ledger_.find(Ledger::ref_of(sending->text.key))) {
    const UnderWay mark(record);
    sending->perhaps_out = true;
    const Fate fate = co_await reconcile(record);
    if (fate == Fate::sent) co_return take(record, record->id);
    const bool drops_doubles = provider_.idempotency() == connector::Idempotency::by_key && !record->is_foreign;
    const bool may_repeat = fate == Fate::absent || drops_doubles;
    if (!may_repeat) co_return Error{Errc::uncertain, "The SMS service does not say whether it has the message."};
    if (fate == Fate::absent) {
      co_await drop(record);
      sending->perhaps_out = false;
    }
  }
  co_await pace(sending->text.from.text);
  co_return co_await request(sending);
}

asio::awaitable<connector::Result<connector::Changes>> Sender::request(std::shared_ptr<Sending> sending) {
  const std::string ref = Ledger::ref_of(sending->text.key);
  const auto record = co_await ledger_.begin(sending->text);
  const UnderWay mark(record);
  net::HttpRequest post = provider_.send_request(sending->text, ref, services_.clock.now());
  const bool was_perhaps_out = std::exchange(sending->perhaps_out, true);  // by an earlier request (by_key)
  auto answer = co_await api_.send(std::move(post));
  record->ended = services_.clock.now();
  ledger_.asked(*record, provider_.setting.poll);

  const bool not_reached = !answer && answer.error().code != Errc::uncertain;
  Verdict verdict = answer ? provider_.judge(*answer, record->ended) : Verdict();
  if (verdict.id.empty()) verdict.id = ref;
  if (!answer)
    log::warn("http_carrier.request_failed", {{"carrier", provider_.setting.name}, {"error", answer.error().text}});
  else if (verdict.alert)
    log::error("http_carrier.misconfigured",
               {{"carrier", provider_.setting.name}, {"http", answer->status}, {"error", verdict.error}});
  else if (verdict.kind != Verdict::Kind::taken)
    log::info("http_carrier.text_not_taken",
              {{"carrier", provider_.setting.name}, {"http", answer->status}, {"error", verdict.error}});

  if (!verdict.remark.empty())
    log::warn("http_carrier.answer_incomplete", {{"carrier", provider_.setting.name}, {"missed", verdict.remark}});

  if (verdict.kind == Verdict::Kind::taken) co_return take(record, verdict.id);
  // A report that came meanwhile knows better than any answer.
  if (!record->id.empty()) co_return take(record, record->id);
  const bool not_taken = not_reached || verdict.kind == Verdict::Kind::later;
  if (not_taken && was_perhaps_out)
    co_return Error{Errc::uncertain, "The SMS service does not say whether it has the message.", verdict.wait};
  if (not_taken || verdict.kind == Verdict::Kind::refused) {
    co_await drop(record);
    sending->perhaps_out = false;
    if (not_reached) co_return Error{Errc::unavailable, "The SMS service cannot be reached."};
    if (verdict.kind == Verdict::Kind::later) co_return Error{Errc::unavailable, verdict.text, verdict.wait};
    co_return Error{verdict.code, verdict.text};
  }

  const Fate fate = co_await reconcile(record);
  if (fate == Fate::sent) co_return take(record, record->id);
  if (fate == Fate::unknown)
    co_return Error{
        Errc::uncertain,
        "The connection to the SMS service broke before it answered: the message may or may not have been sent."};
  log::info("http_carrier.text_absent", {{"carrier", provider_.setting.name}});
  co_await drop(record);
  co_return Error{Errc::unavailable, "The SMS service did not take the message."};
}

// It is out, and what is known of it goes with the news of that.
connector::Changes Sender::take(const std::shared_ptr<Record>& record, std::string id) {
  log::info("http_carrier.text_taken", {{"id", record->key}, {"carrier", provider_.setting.name}, {"carrier_id", id}});
  record->told = std::max(record->told, rank(connector::Stage::accepted));  // by our result
  ledger_.learn(record, std::move(id));
  return ledger_.changes_for(record);
}

// It is not out. A note that cannot be erased costs a look in the list.
asio::awaitable<void> Sender::drop(std::shared_ptr<Record> record) {
  try {
    co_await ledger_.forget(record);
  } catch (const std::exception& e) {
    if (is_cancellation(e)) throw;
    log::error("http_carrier.record_not_erased", {{"carrier", provider_.setting.name}, {"error", e.what()}});
  }
}

asio::awaitable<Sender::Fate> Sender::reconcile(std::shared_ptr<Record> record) {
  for (int failures = 0;;) {
    if (!record->id.empty()) co_return Fate::sent;
    if (provider_.idempotency() != connector::Idempotency::queryable || record->is_foreign) co_return Fate::unknown;
    const base::Time looked = services_.clock.now();
    const auto found = co_await look_up(record);
    if (!record->id.empty()) continue;
    std::chrono::milliseconds wait = wait_after_failed_look;
    if (!found) {
      log::warn("http_carrier.look_failed", {{"carrier", provider_.setting.name}, {"error", found.error().text}});
      if (++failures == most_failed_looks) co_return Fate::unknown;
      wait = std::max(wait, std::chrono::milliseconds(found.error().retry_after));
      if (found.error().retry_after > provider_.setting.look_again) co_return Fate::unknown;
    } else {
      wait = until_next_look(record->ended, looked, provider_.setting.look_again);
      if (wait.count() == 0) co_return *found == Found::absent ? Fate::absent : Fate::unknown;
    }
    co_await base::sleep(wait);
  }
}

asio::awaitable<base::Result<Found>> Sender::look_up(std::shared_ptr<Record> record) {
  Filter filter;
  filter.to = record->sought.to;
  filter.from = record->sought.from;
  filter.ref = record->sought.ref;
  const auto found = co_await look_in(record, filter);
  if (!found || *found != Found::absent) co_return found;
  filter.to.clear();  // where recipients are redacted, none of them fits the filter
  co_return co_await look_in(record, filter);
}

// No time in the filter: a text that waits in the service's queue may have none yet.
asio::awaitable<base::Result<Found>> Sender::look_in(std::shared_ptr<Record> record, Filter filter) {
  Bounds bounds;
  bounds.since = record->sought.begun - doubt;
  const auto listed = co_await list_messages(provider_, services_, api_, std::move(filter), std::move(bounds));
  if (!listed) co_return listed.error();
  if (!record->id.empty()) co_return Found::here;
  const auto taken = [&](const std::string& id) { return ledger_.find_id(id) != nullptr; };
  Pick picked = pick(record->sought, listed->messages, taken, listed->ahead);
  // A row that cannot be read may be the text: a list with a hole does not prove that it is absent.
  if (picked.found == Found::absent && !listed->holes.empty()) picked.found = Found::unsure;
  if (picked.found == Found::unsure) log::info("http_carrier.text_unsure", {{"carrier", provider_.setting.name}});
  if (picked.found != Found::here) co_return picked.found;
  log::info("http_carrier.text_found", {{"carrier", provider_.setting.name}, {"id", picked.id}});
  ledger_.learn(record, picked.id);
  co_return Found::here;
}

asio::awaitable<void> Sender::pace(std::string number) {
  if (provider_.setting.rate <= 0) co_return;
  for (;;) {
    auto& bucket =
        buckets_.try_emplace(number, provider_.setting.rate, std::max(1.0, provider_.setting.rate), steady_clock::now())
            .first->second;
    const auto wait = bucket.take(steady_clock::now());
    if (wait.count() == 0) co_return;
    co_await base::sleep(wait);
  }
}

}  // namespace wherry::sms::http
