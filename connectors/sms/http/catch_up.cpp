#include "connectors/sms/http/catch_up.hpp"

#include "connectors/sms/http/listing.hpp"
#include "connectors/sms/http/reading.hpp"
#include "gateway/base/log.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::sms::http {

namespace {

using connector::Errc;
using connector::Error;

constexpr std::size_t most_seen = 20000;
constexpr std::size_t most_asked = 200;  // statuses in one round; the others wait for the next
constexpr std::chrono::hours swept_every{1};

// An answer about one message that is a fault of the service or of our account, and not of that message: what one
// message is refused for must not keep the others waiting.
bool is_fault(int status) { return status >= 500 || status == 401 || status == 403 || status == 408 || status == 429; }

}  // namespace

void CatchUp::seen(const std::string& id) {
  if (!seen_.insert(id).second) return;
  seen_order_.push_back(id);
  if (seen_order_.size() <= most_seen) return;
  seen_.erase(seen_order_.front());
  seen_order_.pop_front();
}

asio::awaitable<base::Result<void>> CatchUp::run() {
  if (provider_.idempotency() == connector::Idempotency::queryable) {
    auto read = co_await read_texts();
    if (!read) co_return read.error();
  }
  auto asked = co_await ask_statuses();
  if (!asked) co_return asked.error();
  if (services_.clock.now() >= swept_ + swept_every) {
    co_await ledger_.sweep();
    swept_ = services_.clock.now();
  }
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::read_texts() {
  const base::Time since = listing_start(ledger_.cursor());
  std::vector<Message> texts;
  std::chrono::seconds ahead{0};
  for (const std::string& number : provider_.setting.numbers) {
    Filter filter;
    filter.to = number;
    filter.since = since;
    auto listed = co_await list_messages(provider_, services_, std::move(filter), since);
    if (!listed) co_return listed.error();
    ahead = listed->ahead;
    std::copy_if(std::make_move_iterator(listed->messages.begin()), std::make_move_iterator(listed->messages.end()), std::back_inserter(texts),
                 [](const Message& m) { return m.is_inbound && m.is_complete; });
  }
  // As they were written: the lists begin with the newest.
  std::reverse(texts.begin(), texts.end());
  std::stable_sort(texts.begin(), texts.end(), [](const Message& a, const Message& b) { return a.time() < b.time(); });

  std::optional<base::Time> newest;
  for (Message& text : texts) {
    newest = std::max(newest, text.time());
    if (seen_.contains(text.id)) continue;
    auto published = co_await publish(std::move(text));
    if (!published) co_return published.error();
  }
  // Only now: all of them are safe.
  const base::Time cursor = advance(ledger_.cursor(), newest, services_.clock.now() + ahead);
  if (cursor != ledger_.cursor()) co_await ledger_.set_cursor(cursor);
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::publish(Message message) {
  if (!message.links_url.empty()) {
    net::HttpRequest request = provider_.get(message.links_url);
    const auto answer = co_await services_.http.send(std::move(request));
    if (!answer) co_return Error{Errc::unavailable, answer.error().text};
    if (is_fault(answer->status)) co_return reading_failed(*answer, services_.clock.now());
    // Files that were deleted there take nothing from the text.
    if (answer->status == 200) message.links = provider_.read_links(answer->body);
    message.lost_files = std::max<std::int64_t>(0, message.lost_files - static_cast<std::int64_t>(message.links.size()));
  }
  media_.make_openable(message);
  log::info("http_carrier.text_caught_up", {{"carrier", provider_.setting.name}, {"id", message.id}});
  IncomingText text = to_incoming(message, services_.clock.now());
  co_await events_.received(std::move(text));  // nobody's number: the service's log keeps it
  seen(message.id);
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::ask_statuses() {
  const auto records = ledger_.due(most_asked);
  for (const auto& record : records) {
    if (record->under_way) continue;
    ledger_.asked(*record, provider_.setting.poll);
    if (record->id.empty() && provider_.idempotency() != connector::Idempotency::queryable) continue;  // only a report can tell
    if (record->id.empty()) {
      const auto found = co_await sender_.look_up(record);
      if (!found) co_return found.error();
      if (*found != Found::here) continue;  // whether to send it again is the gateway's question
    }
    auto asked = co_await ask_status(record);
    if (!asked) co_return asked.error();
  }
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::ask_status(std::shared_ptr<Record> record) {
  std::string url = provider_.message_url(record->id);
  if (url.empty()) co_return base::ok();
  net::HttpRequest request = provider_.get(std::move(url));
  const auto answer = co_await services_.http.send(std::move(request));
  if (!answer) co_return Error{Errc::unavailable, answer.error().text};
  if (is_fault(answer->status)) co_return reading_failed(*answer, services_.clock.now());
  auto message = answer->status == 200 ? provider_.read_message(answer->body) : std::nullopt;  // 404: deleted there
  if (message) co_await reports_.settle_asked(record, std::move(message->status));
  co_return base::ok();
}

}  // namespace wherry::sms::http
