#include "gateway/queues/reports.hpp"

#include "gateway/base/log.hpp"

#include <utility>

namespace wherry::queues {

using connector::Stage;

namespace {

constexpr std::size_t most_parked = 1000;  // of one account

// Delivered after failed counts, failed after delivered does not (connector::Stage).
bool is_news(Stage before, Stage now) {
  if (before == Stage::read) return false;
  if (before == Stage::delivered) return now == Stage::read;
  return now != before && now != Stage::accepted;
}

}  // namespace

Reports::Reports(asio::any_io_executor executor, Journal& journal, db::Database& database, Inbox& inbox, Repeats& repeats, const Keys& keys)
    : journal_(journal), database_(database), inbox_(inbox), repeats_(repeats), keys_(keys), tasks_(std::move(executor)) {}

void Reports::put_failed(base::AccountId account, convert::Origin origin, base::Error error) {
  if (origin.user.empty()) return;  // nobody asked
  repeats_.erase(account, origin);
  convert::SendFailed failed;
  failed.origin = std::move(origin);
  failed.code = error.code;
  failed.text = std::move(error.text);
  inbox_.put(account, std::move(failed));
}

void Reports::note_sent(store::SentMessage sent) {
  recent_.insert(sent);
  journal_.insert(std::move(sent));
}

void Reports::perform_ended(base::AccountId account) {
  const auto found = performing_.find(account);
  if (found == performing_.end()) return;
  Performing& performing = found->second;
  --performing.now;
  ++performing.ended;
  if (!performing.parked.empty()) tasks_.spawn("reports.parked", publish_parked(account, std::exchange(performing.parked, {})));
}

asio::awaitable<void> Reports::publish_parked(base::AccountId account, std::vector<connector::MessageProgressed> parked) {
  for (auto& progress : parked) co_await publish(account, std::move(progress));
}

asio::awaitable<void> Reports::publish(base::AccountId account, connector::MessageProgressed progress) {
  for (std::uint64_t before = performing_[account].ended;;) {
    const bool known = co_await apply(account, progress);
    if (known) co_return;
    const std::uint64_t now = performing_[account].ended;
    if (std::exchange(before, now) == now) break;  // else the send may have returned while we looked
  }
  // It may be about a send that has not returned yet. It waits in memory: should the process die now, the send itself is
  // reported as uncertain, and the report is not needed for the sender to know.
  Performing& performing = performing_[account];
  if (performing.now > 0 && performing.parked.size() < most_parked) {
    performing.parked.push_back(std::move(progress));
  } else {
    log::debug("report.unmatched", {{"account", account.value}});
  }
}

// Whether the message it is about is known.
asio::awaitable<bool> Reports::apply(base::AccountId account, connector::MessageProgressed progress) {
  const std::optional<store::SentMessage> sent = co_await find(account, progress.id.value);
  if (!sent) co_return false;
  auto origin = convert::parse_origin(sent->origin);
  const Stage before = sent->stage.value_or(Stage::accepted);
  if (!is_news(before, progress.stage) || !origin) {
    co_await journal_.commit();  // what an equal report wrote is durable before this one is acknowledged, too
    co_return true;
  }
  recent_.set_stage(sent->id, progress.stage);
  journal_.set_stage(sent->id, progress.stage);
  if (progress.stage == Stage::failed) {
    put_failed(account, std::move(*origin), base::Error{base::Errc::rejected, progress.text});
  } else {
    if (origin->wants_receipt && before != Stage::delivered) inbox_.put(account, convert::SendDelivered{*origin});
    if (origin->wants_marker && progress.stage == Stage::read) inbox_.put(account, convert::SendRead{std::move(*origin)});
  }
  co_await journal_.commit();
  co_return true;
}

asio::awaitable<std::optional<store::SentMessage>> Reports::find(base::AccountId account, std::string network_id) {
  const std::optional<std::int64_t> id = keys_.row_of(network_id);
  const auto recent = [&] { return id ? recent_.find(account, *id) : recent_.find(account, network_id); };
  if (const store::SentMessage* sent = recent()) co_return *sent;
  auto read = [account, id, network_id](db::Transaction& t) {
    return id ? store::find_sent(t, account, *id) : store::find_sent(t, account, std::string_view(network_id));
  };
  auto stored = co_await database_.fetch(std::move(read));
  // Meanwhile another report on the same message may have found it.
  if (const store::SentMessage* sent = recent()) co_return *sent;
  if (stored) recent_.insert(*stored);
  co_return stored;
}

asio::awaitable<void> Reports::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace wherry::queues
