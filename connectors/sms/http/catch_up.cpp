#include "connectors/sms/http/catch_up.hpp"

#include "connectors/sms/http/api/values.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::sms::http {

namespace {

using connector::Errc;
using connector::Error;

constexpr std::size_t most_seen = 20000;
constexpr std::size_t most_asked = 200;  // statuses in one round; the others wait for the next
constexpr std::chrono::hours swept_every{1};
constexpr std::size_t most_lists = 10;          // of single numbers in one round
constexpr std::chrono::hours read_at_once{24};  // lists are filtered by the day
constexpr int most_pages = 10'000;              // of one such list
constexpr std::chrono::hours hidden_held{1};    // what the service does not show waits for its webhook

// An answer about one message that is a fault of the service or of our account, and not of that message: what one
// message is refused for must not keep the others waiting.
bool is_fault(int status) { return status >= 500 || status == 401 || status == 403 || status == 408 || status == 429; }

// Nobody can read it any more, and a person must know that it came.
constexpr const char* hidden_text =
    "[A message came while this gateway was away, and the SMS service does not show it any more. "
    "Ask its sender to send it again.]";

}  // namespace

void CatchUp::seen(const std::string& id) {
  if (!seen_.insert(id).second) return;
  seen_order_.push_back(id);
  if (seen_order_.size() <= most_seen) return;
  seen_.erase(seen_order_.front());
  seen_order_.pop_front();
}

asio::awaitable<base::Result<void>> CatchUp::run() {
  if (provider_.lists_texts()) {
    auto read = co_await read_texts();
    // Where the list is of no use for sending, its trouble is none of the carrier's: webhooks bring what comes.
    if (!read && provider_.idempotency() == connector::Idempotency::queryable) co_return read.error();
    if (!read)
      log::warn("http_carrier.listing_failed", {{"carrier", provider_.setting.name}, {"error", read.error().text}});
  }
  auto asked = co_await ask_statuses();
  if (!asked) co_return asked.error();
  if (services_.clock.now() >= swept_ + swept_every) {
    co_await ledger_.sweep();
    swept_ = services_.clock.now();
  }
  co_return base::ok();
}

// Of few numbers, each number's list; of many, the account's, once.
asio::awaitable<base::Result<Listed>> CatchUp::list(std::optional<base::Time> until) {
  Filter filter;
  filter.since = listing_start(ledger_.cursor());
  filter.until = until;
  Bounds bounds{*filter.since, false, most_pages, true};
  const auto numbers = provider_.setting.numbers;  // which may change during a wait
  const bool each = numbers.size() <= most_lists;
  bounds.is_wanted = [each, &numbers](const Message& m) {
    return m.is_inbound && m.is_complete && (each || std::binary_search(numbers.begin(), numbers.end(), m.to));
  };
  if (!each) co_return co_await list_messages(provider_, services_, api_, std::move(filter), std::move(bounds));
  Listed all;
  for (const std::string& number : numbers) {
    Filter of_number = filter;
    of_number.to = number;
    Bounds same = bounds;
    auto listed = co_await list_messages(provider_, services_, api_, std::move(of_number), std::move(same));
    if (!listed) co_return listed.error();
    all.ahead = listed->ahead;
    all.is_cut = all.is_cut || listed->is_cut;
    all.holes.insert(all.holes.end(), listed->holes.begin(), listed->holes.end());
    std::move(listed->messages.begin(), listed->messages.end(), std::back_inserter(all.messages));
  }
  co_return all;
}

// A long downtime is caught up with day by day: what was published stays so when the next day's list cannot be read.
asio::awaitable<base::Result<void>> CatchUp::read_texts() {
  for (;;) {
    const auto has_more = co_await read_window();
    if (!has_more) co_return has_more.error();
    if (!*has_more) co_return base::ok();
  }
}

// Reads on from the cursor. True: there is more behind that.
asio::awaitable<base::Result<bool>> CatchUp::read_window() {
  const base::Time before = ledger_.cursor();
  std::optional<base::Time> until;
  if (before + read_at_once < services_.clock.now() + ahead_) until = before + read_at_once;
  auto listed = co_await list(until);
  if (!listed) co_return listed.error();
  ahead_ = listed->ahead;
  const base::Time now = services_.clock.now() + ahead_;
  if (const base::Time right = rightful(before, now, ahead_); right != before) {
    log::warn(
        "http_carrier.cursor_taken_back",
        {{"carrier", provider_.setting.name}, {"from", base::to_rfc3339(before)}, {"to", base::to_rfc3339(right)}});
    co_await ledger_.set_cursor(right);
    co_return true;
  }

  std::optional<base::Time> newest, held;
  for (const Message& text : listed->messages) newest = std::max(newest, text.time());
  auto published = co_await publish_all(std::move(listed->messages), now, &held);
  if (!published) co_return published.error();
  note_gaps(*listed, now, &held);
  // Only now: all of them are safe. What is held is listed again.
  const bool has_more = until && *until < now;
  base::Time cursor =
      has_more ? std::max(*until, std::min(newest.value_or(before), now)) : advance(before, newest, now);
  if (held) cursor = std::max(before, std::min(cursor, *held));
  if (cursor != before) co_await ledger_.set_cursor(cursor);
  co_return has_more;
}

asio::awaitable<base::Result<void>> CatchUp::publish_all(std::vector<Message> texts, base::Time now,
                                                         std::optional<base::Time>* held) {
  // As they were written: the lists begin with the newest.
  std::reverse(texts.begin(), texts.end());
  std::stable_sort(texts.begin(), texts.end(), [](const Message& a, const Message& b) { return a.time() < b.time(); });
  for (Message& text : texts) {
    const std::optional<base::Time> time = text.time();
    if (seen_.contains(text.id)) continue;
    const bool may_wait = time && *time > now - hidden_held;
    auto published = co_await publish(std::move(text), may_wait);
    if (!published) co_return published.error();
    if (!*published && !*held) *held = time;
  }
  co_return base::ok();
}

// A row that cannot be read hides no other. It is looked for again as long as a text that is not shown.
void CatchUp::note_gaps(const Listed& listed, base::Time now, std::optional<base::Time>* held) {
  if (listed.is_cut)
    log::error(
        "http_carrier.list_without_end",
        {{"carrier", provider_.setting.name}, {"pages", most_pages}, {"since", base::to_rfc3339(ledger_.cursor())}});
  if (listed.holes.empty()) return;
  gaps_.write(log::Level::warn, "http_carrier.row_not_understood",
              {{"carrier", provider_.setting.name}, {"rows", listed.holes.size()}});
  for (const std::optional<base::Time>& hole : listed.holes) {
    if (hole && *hole > now - hidden_held) *held = held->has_value() ? std::min(*held, hole) : hole;
  }
}

// True: it is safe. False: it cannot be read yet, and may wait.
asio::awaitable<base::Result<bool>> CatchUp::publish(Message message, bool may_wait) {
  bool is_hidden = is_redacted(message.from);
  if (message.is_brief) {
    auto whole = co_await read_whole(message);
    if (!whole) co_return whole.error();
    is_hidden = !*whole || is_redacted(message.from);
  }
  if (is_hidden && may_wait) co_return false;  // the webhook may still bring it
  if (is_hidden) message.text = hidden_text;
  auto listed = co_await read_files(message);
  if (!listed) co_return listed.error();
  media_.make_openable(message);
  log::info("http_carrier.text_caught_up",
            {{"carrier", provider_.setting.name}, {"id", message.id}, {"hidden", is_hidden}});
  IncomingText text = to_incoming(message, services_.clock.now());
  co_await events_.received(std::move(text));  // nobody's number: the service's log keeps it
  seen(message.id);
  co_return true;
}

// Asks for the text of one that was listed briefly. False: the service has it no longer, or not yet.
asio::awaitable<base::Result<bool>> CatchUp::read_whole(Message& message) {
  net::HttpRequest request = provider_.get(provider_.message_url(message.id));
  const auto answer = co_await api_.send(std::move(request));
  if (!answer) co_return Error{Errc::unavailable, answer.error().text};
  if (is_fault(answer->status)) co_return reading_failed(*answer, services_.clock.now());
  auto whole = answer->status == 200 ? provider_.read_message(answer->body) : std::nullopt;
  if (!whole || whole->id != message.id) co_return false;
  if (whole->to.empty()) whole->to = message.to;
  if (!whole->time()) whole->created = message.created;
  message = std::move(*whole);
  co_return true;
}

asio::awaitable<base::Result<void>> CatchUp::read_files(Message& message) {
  if (message.links_url.empty()) co_return base::ok();
  net::HttpRequest request = provider_.get(message.links_url);
  const auto answer = co_await api_.send(std::move(request));
  if (!answer) co_return Error{Errc::unavailable, answer.error().text};
  if (is_fault(answer->status)) co_return reading_failed(*answer, services_.clock.now());
  // Files that were deleted there take nothing from the text.
  if (answer->status == 200) message.links = provider_.read_links(answer->body);
  message.lost_files = std::max<std::int64_t>(0, message.lost_files - static_cast<std::int64_t>(message.links.size()));
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::ask_statuses() {
  const auto records = ledger_.due(most_asked);
  for (const auto& record : records) {
    if (record->under_way) continue;
    ledger_.asked(*record, provider_.setting.poll);
    const bool is_listed = provider_.idempotency() == connector::Idempotency::queryable && !record->is_foreign;
    if (record->id.empty() && !is_listed) continue;  // only a report can tell
    if (record->id.empty()) {
      const auto found = co_await sender_.look_up(record);
      if (!found) co_return found.error();
      if (*found != Found::here) continue;  // whether to send it again is the gateway's question
      co_await ledger_.keep(record);
    }
    auto asked = co_await ask_status(record);
    if (!asked) co_return asked.error();
  }
  co_return base::ok();
}

asio::awaitable<base::Result<void>> CatchUp::ask_status(std::shared_ptr<Record> record) {
  std::string url = provider_.message_url(record->id);
  if (url.empty()) {
    Status nothing;
    if (record->is_doubtful) co_await reports_.settle_asked(record, std::move(nothing));
    co_return base::ok();
  }
  net::HttpRequest request = provider_.get(std::move(url));
  const auto answer = co_await api_.send(std::move(request));
  if (!answer) co_return Error{Errc::unavailable, answer.error().text};
  if (is_fault(answer->status)) co_return reading_failed(*answer, services_.clock.now());
  auto message = answer->status == 200 ? provider_.read_message(answer->body) : std::nullopt;  // 404: deleted there
  if (message) co_await reports_.settle_asked(record, std::move(message->status));
  co_return base::ok();
}

}  // namespace wherry::sms::http
