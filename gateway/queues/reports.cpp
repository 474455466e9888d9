#include "gateway/queues/reports.hpp"

#include "gateway/base/clock.hpp"
#include "gateway/base/log.hpp"
#include "gateway/queues/trail.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace wherry::queues {

using connector::Stage;

namespace {

constexpr std::size_t most_early = 1000;  // of one account

// Delivered after failed counts, failed after delivered does not (connector::Stage).
bool is_news(Stage before, Stage now) {
  if (before == Stage::read) return false;
  if (before == Stage::delivered) return now == Stage::read;
  return now != before && now != Stage::accepted;
}

}  // namespace

Reports::Reports(Journal& journal, db::Database& database, Inbox& inbox, Repeats& repeats, const Keys& keys)
    : journal_(journal), database_(database), inbox_(inbox), repeats_(repeats), keys_(keys) {}

void Reports::put_failed(base::AccountId account, std::int64_t row, convert::Origin origin, base::Error error) {
  if (origin.user.empty()) return;  // nobody asked
  trail::failed(keys_, row, origin, error);
  repeats_.erase(account, origin);
  convert::SendFailed failed;
  failed.origin = std::move(origin);
  failed.code = error.code;
  failed.text = std::move(error.text);
  inbox_.put(account, std::move(failed));
}

void Reports::note_sent(store::SentMessage sent) {
  const base::AccountId account = sent.account;
  const std::string network_id = sent.network_id;
  recent_.insert(sent);
  journal_.insert(std::move(sent));
  if (!network_id.empty()) match_early(account, network_id);
}

void Reports::name_sent(base::AccountId account, std::int64_t id, const std::string& network_id) {
  const store::SentMessage* const present = recent_.find(account, id);
  if (!present || network_id == keys_.of(id)) return;
  store::SentMessage sent = *present;
  sent.network_id = network_id;
  note_sent(std::move(sent));
}

// ---- Reports that come before their send has returned ----

void Reports::send_began(base::AccountId account, std::int64_t row) {
  Sending& sending = sending_[account];
  const auto is_it = [row](const Send& send) { return send.row == row; };
  if (std::ranges::any_of(sending.now, is_it)) return;  // again, since its outcome is unknown
  sending.now.push_back({++sending.last, row});
}

void Reports::send_ended(base::AccountId account, std::int64_t row) {
  const auto found = sending_.find(account);
  if (found == sending_.end()) return;
  std::erase_if(found->second.now, [row](const Send& send) { return send.row == row; });
  forget_nobodys(account, found->second);
}

// A report that none of the sends which had not ended when it came was about is nobody's.
void Reports::forget_nobodys(base::AccountId account, Sending& sending) {
  if (sending.early.empty()) return;
  const Turn oldest = sending.now.empty() ? sending.last + 1 : sending.now.front().turn;
  std::erase_if(sending.early, [&](const Early& early) {
    if (early.newest >= oldest) return false;
    journal_.remove_sent(early.row);
    log::debug("report.unmatched", {{"account", account.value}});
    return true;
  });
}

// About no message that is known: it may be about one whose send has not returned. Then it is kept, in the journal's
// present step.
bool Reports::keep(base::AccountId account, connector::MessageProgressed progress) {
  const auto found = sending_.find(account);
  if (found == sending_.end() || found->second.now.empty() || keys_.row_of(progress.id.value)) {
    log::debug("report.unmatched", {{"account", account.value}});
    return false;
  }
  Sending& sending = found->second;
  if (sending.early.size() >= most_early) {
    log::warn("report.dropped", {{"account", account.value}, {"kept", most_early}});
    return false;
  }
  store::SentMessage row;
  row.id = journal_.next_outbox_id();
  row.account = account;
  row.network_id = progress.id.value;
  row.chat = progress.text;
  row.stage = progress.stage;
  row.created = journal_.stamp(base::to_milliseconds(std::chrono::system_clock::now()));
  sending.early.push_back({row.id, sending.last, std::move(progress)});
  journal_.insert(std::move(row));
  return true;
}

// A send has returned, and the network calls it so: what came of it stands or falls with that.
void Reports::match_early(base::AccountId account, const std::string& network_id) {
  const auto found = sending_.find(account);
  if (found == sending_.end() || found->second.early.empty()) return;
  std::vector<Early> matching;
  std::erase_if(found->second.early, [&](Early& early) {
    if (early.progress.id.value != network_id) return false;
    matching.push_back(std::move(early));
    return true;
  });
  for (Early& early : matching) {
    journal_.remove_sent(early.row);
    const store::SentMessage sent = *recent_.find(account, network_id);
    follow(account, sent, early.progress);
    journal_.after_commit([this, account, early, id = sent.id](const std::exception_ptr& error) {
      if (!error) return;
      send_began(account, id);  // the next start sends it again, or tells it as uncertain
      Sending& sending = sending_[account];
      sending.early.push_back({early.row, sending.last, early.progress});
    });
  }
}

// What an earlier run kept is about one of the rows that it left, and that are sent again. Where none is, it is
// nobody's: the network may give the same id to another message.
asio::awaitable<void> Reports::load(std::string transport) {
  auto read = [transport](db::Transaction& t) { return store::read_early_reports(t, transport); };
  for (store::SentMessage& row : co_await database_.fetch(std::move(read))) {
    connector::MessageProgressed progress{
        {std::move(row.network_id)}, row.stage.value_or(Stage::accepted), std::move(row.chat)};
    Sending& sending = sending_[row.account];
    sending.early.push_back({row.id, sending.last, std::move(progress)});
  }
  for (auto& [account, sending] : sending_) forget_nobodys(account, sending);
  journal_.close_step();
}

// ---- Reports ----

asio::awaitable<void> Reports::publish(base::AccountId account, connector::MessageProgressed progress,
                                       connector::Changes changes) {
  const bool is_known = co_await apply(account, progress, changes);
  const bool is_kept = !is_known && keep(account, std::move(progress));
  if (!is_kept && changes.empty()) co_return;
  journal_.write(std::move(changes));
  co_await journal_.commit();
}

// Whether the message it is about is known. `changes` are made with what follows; where nothing does, they are left.
asio::awaitable<bool> Reports::apply(base::AccountId account, connector::MessageProgressed progress,
                                     connector::Changes& changes) {
  for (;;) {
    bool ends_send = false;
    const std::optional<store::SentMessage> sent = co_await find(account, progress, ends_send);
    if (!sent) co_return false;
    const std::uint64_t failures = not_kept_;
    const bool is_new = follow(account, *sent, progress);
    if (is_new || ends_send) journal_.write(std::exchange(changes, {}));
    co_await journal_.commit();  // of an equal report, too, which may be on its way to the disk just now
    if (is_new || not_kept_ == failures) co_return true;
  }
}

// What follows from a report, in the journal's present step. Whether anything does.
bool Reports::follow(base::AccountId account, const store::SentMessage& sent,
                     const connector::MessageProgressed& progress) {
  auto origin = convert::parse_origin(sent.origin);
  const Stage before = sent.stage.value_or(Stage::accepted);
  if (!is_news(before, progress.stage) || !origin) return false;
  recent_.set_stage(sent.id, progress.stage);
  journal_.set_stage(sent.id, progress.stage);
  if (progress.stage == Stage::failed) {
    put_failed(account, sent.id, std::move(*origin), base::Error{base::Errc::rejected, progress.text});
  } else {
    trail::reported(keys_, sent.id, progress.stage);
    if (origin->wants_receipt && before != Stage::delivered) inbox_.put(account, convert::SendDelivered{*origin});
    if (origin->wants_marker && progress.stage == Stage::read)
      inbox_.put(account, convert::SendRead{std::move(*origin)});
  }
  journal_.after_commit([this, id = sent.id, before, now = progress.stage](const std::exception_ptr& error) {
    if (!error) return;
    recent_.take_back_stage(id, now, before);  // so it may come again
    ++not_kept_;
  });
  return true;
}

asio::awaitable<std::optional<store::SentMessage>> Reports::find(base::AccountId account,
                                                                 connector::MessageProgressed progress,
                                                                 bool& ends_send) {
  const std::optional<std::int64_t> id = keys_.row_of(progress.id.value);
  const auto recent = [&] { return id ? recent_.find(account, *id) : recent_.find(account, progress.id.value); };
  if (const store::SentMessage* sent = recent()) co_return *sent;
  struct Found {
    std::optional<store::SentMessage> sent;
    std::vector<store::OutboxRow> unsent;
  };
  auto read = [account, id, name = progress.id.value](db::Transaction& t) {
    Found found;
    found.sent = id ? store::find_sent(t, account, *id) : store::find_sent(t, account, std::string_view(name));
    if (!found.sent && id) found.unsent = store::read_outbox(t, std::span(&*id, 1));
    return found;
  };
  auto stored = co_await database_.fetch(std::move(read));
  // Meanwhile another report on the same message may have found it, or its send may have returned.
  if (const store::SentMessage* sent = recent()) co_return *sent;
  if (stored.sent) {
    recent_.insert(*stored.sent);
    co_return stored.sent;
  }
  const bool is_unsent = !stored.unsent.empty() && stored.unsent.front().account == account;
  ends_send = is_unsent && unsent_->end_send(stored.unsent.front(), progress.stage);
  if (!ends_send) co_return std::nullopt;
  co_return *recent();
}

}  // namespace wherry::queues
