#include "gateway/queues/reports.hpp"

#include "gateway/base/clock.hpp"
#include "gateway/base/log.hpp"
#include "gateway/queues/trail.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace wherry::queues {

using connector::Stage;

namespace {

constexpr std::size_t most_early = 1000;  // of one account

// Parts of one name are one part: a report says of all of them how far they have come.
void remove_repeated(std::vector<base::MessageId>& ids) {
  std::set<std::string> seen;
  std::erase_if(ids, [&](const base::MessageId& id) { return !seen.insert(id.value).second; });
}

bool has_arrived(Stage stage) { return stage == Stage::delivered || stage == Stage::read; }

}  // namespace

Reports::Reports(Journal& journal, db::Database& database, Inbox& inbox, Repeats& repeats, Messages& messages,
                 SendsUnderway& underway, const Keys& keys)
    : journal_(journal),
      database_(database),
      inbox_(inbox),
      repeats_(repeats),
      messages_(messages),
      underway_(underway),
      keys_(keys) {}

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

void Reports::note_sent(store::MessageRow sent, std::vector<base::MessageId> ids) {
  remove_repeated(ids);
  const base::AccountId account = sent.account;
  const std::int64_t row = sent.id;
  messages_.note_sent(std::move(sent), ids);
  for (std::size_t part = 0; part < ids.size(); ++part) match_early(account, row, part, ids[part].value);
}

void Reports::name_sent(base::AccountId account, std::int64_t id, const std::vector<base::MessageId>& ids) {
  const store::MessageRow* const present = messages_.find_recent(account, id);
  if (!present || ids.empty() || ids.front().value == keys_.of(id)) return;
  note_sent(store::MessageRow(*present), ids);
}

// ---- Reports that come before their send has returned ----

void Reports::send_ended(base::AccountId account, std::int64_t row) {
  underway_.ended(account, row);
  forget_nobodys(account);
}

void Reports::forget(base::AccountId account) {
  underway_.forget(account);
  early_.erase(account);
}

// A report that none of the sends which had not ended when it came was about is nobody's.
void Reports::forget_nobodys(base::AccountId account) {
  const auto found = early_.find(account);
  if (found == early_.end()) return;
  std::erase_if(found->second, [&](const Early& early) {
    if (early.newest >= underway_.oldest(account)) return false;
    journal_.remove_message(early.row);
    log::debug("report.unmatched", {{"account", account.value}});
    return true;
  });
  if (found->second.empty()) early_.erase(found);
}

// About no message that is known: it may be about one whose send has not returned. Then it is kept, in the journal's
// present step.
bool Reports::keep(base::AccountId account, connector::MessageProgressed progress) {
  if (!underway_.has_any(account) || keys_.row_of(progress.id.value)) {
    log::debug("report.unmatched", {{"account", account.value}});
    return false;
  }
  std::vector<Early>& kept = early_[account];
  if (kept.size() >= most_early) {
    log::warn("report.dropped", {{"account", account.value}, {"kept", most_early}});
    return false;
  }
  store::MessageRow row;
  row.id = journal_.next_outbox_id();
  row.account = account;
  row.network_id = progress.id.value;
  row.chat = progress.text;
  row.stage = progress.stage;
  row.kind = store::MessageRow::Kind::early_report;
  row.created = journal_.stamp(base::to_milliseconds(std::chrono::system_clock::now()));
  kept.push_back({row.id, underway_.last(account), std::move(progress)});
  journal_.insert(std::move(row));
  return true;
}

// A send has returned, and the network calls it so: what came of it stands or falls with that.
void Reports::match_early(base::AccountId account, std::int64_t row, std::size_t part, const std::string& network_id) {
  const auto found = early_.find(account);
  if (found == early_.end()) return;
  std::vector<Early> matching;
  std::erase_if(found->second, [&](Early& early) {
    if (early.progress.id.value != network_id) return false;
    matching.push_back(std::move(early));
    return true;
  });
  if (found->second.empty()) early_.erase(found);
  for (Early& early : matching) {
    journal_.remove_message(early.row);
    store::MessageRow sent = *messages_.find_recent(account, row);
    sent.part = static_cast<std::int64_t>(part);
    follow(account, sent, early.progress);
    journal_.after_commit([this, account, early, id = row, chat = sent.chat](const std::exception_ptr& error) {
      if (!error) return;
      send_began(account, id, chat);  // the next start sends it again, or tells it as uncertain
      early_[account].push_back({early.row, underway_.last(account), early.progress});
    });
  }
}

// What an earlier run kept is about one of the rows that it left, and that are sent again. Where none is, it is
// nobody's: the network may give the same id to another message.
asio::awaitable<void> Reports::load(std::string transport) {
  auto read = [transport](db::Transaction& t) { return store::read_early_reports(t, transport); };
  std::set<base::AccountId> accounts;
  for (store::MessageRow& row : co_await database_.fetch(std::move(read))) {
    connector::MessageProgressed progress{
        {std::move(row.network_id)}, row.stage.value_or(Stage::accepted), std::move(row.chat)};
    early_[row.account].push_back({row.id, underway_.last(row.account), std::move(progress)});
    accounts.insert(row.account);
  }
  for (const base::AccountId account : accounts) forget_nobodys(account);
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
    const std::optional<store::MessageRow> sent = co_await find(account, progress, ends_send);
    if (!sent) co_return false;
    co_await messages_.load_stages(*sent);
    const std::uint64_t failures = not_kept_;
    const bool is_new = follow(account, *sent, progress);
    if (is_new || ends_send) journal_.write(std::exchange(changes, {}));
    co_await journal_.commit();  // of an equal report, too, which may be on its way to the disk just now
    if (is_new || not_kept_ == failures) co_return true;
  }
}

// What follows from a report, in the journal's present step. Whether anything does.
bool Reports::follow(base::AccountId account, const store::MessageRow& sent,
                     const connector::MessageProgressed& progress) {
  auto origin = convert::parse_origin(sent.origin);
  if (!origin) return false;
  const Messages::Step step = messages_.advance(sent, progress.stage);
  if (!step.is_new) return false;
  journal_.after_commit([this](const std::exception_ptr& error) {
    if (error) ++not_kept_;
  });
  if (step.after == step.before) return true;  // other parts are awaited
  if (step.after == Stage::failed) {
    put_failed(account, sent.id, std::move(*origin), base::Error{base::Errc::rejected, progress.text});
    return true;
  }
  trail::reported(keys_, sent.id, step.after);
  const bool arrives = has_arrived(step.after) && !has_arrived(step.before);
  if (origin->wants_receipt && arrives) inbox_.put(account, convert::SendDelivered{*origin});
  if (origin->wants_marker && step.after == Stage::read) inbox_.put(account, convert::SendRead{std::move(*origin)});
  return true;
}

asio::awaitable<std::optional<store::MessageRow>> Reports::find(base::AccountId account,
                                                                connector::MessageProgressed progress,
                                                                bool& ends_send) {
  const auto known = co_await messages_.find(account, progress.id.value);
  const bool is_sent = known && known->kind == store::MessageRow::Kind::sent;
  if (is_sent) co_return known;
  const std::optional<std::int64_t> id = keys_.row_of(progress.id.value);
  if (!id) co_return std::nullopt;
  auto read = [id = *id](db::Transaction& t) { return store::read_outbox(t, std::span(&id, 1)); };
  const std::vector<store::OutboxRow> unsent = co_await database_.fetch(std::move(read));
  // Meanwhile another report on the same message may have found it, or its send may have returned.
  if (const store::MessageRow* sent = messages_.find_recent(account, *id)) co_return *sent;
  const bool is_unsent = !unsent.empty() && unsent.front().account == account;
  ends_send = is_unsent && unsent_->end_send(unsent.front(), progress.stage);
  if (!ends_send) co_return std::nullopt;
  co_return *messages_.find_recent(account, *id);
}

}  // namespace wherry::queues
