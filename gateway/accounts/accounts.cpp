#include "gateway/accounts/accounts.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/store/ids.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <limits>
#include <optional>

namespace wherry::accounts {

namespace {

constexpr std::chrono::seconds healthy_after{60};  // a session that lasted so long starts the back-off anew

}  // namespace

Accounts::Accounts(asio::any_io_executor executor, db::Database& database, const base::Sealer& sealer,
                   std::string transport, AccountEvents events)
    : database_(database), sealer_(sealer), transport_(std::move(transport)), events_(std::move(events)), attempt_ended_(executor), tasks_(executor) {}

connector::Account Accounts::to_connector(const store::AccountRow& row) const {
  connector::Account account;
  account.id = row.id;
  account.user = row.user.str();
  account.credentials = row.credentials;
  return account;
}

LiveAccount& Accounts::add(store::AccountRow row) {
  const base::AccountId id = row.id;
  auto account = std::make_unique<LiveAccount>(std::move(row));
  account->sink = events_.make_sink(*account);
  LiveAccount& added = *account;
  by_user_.emplace(added.user().str(), id);
  by_id_[id] = std::move(account);
  connector_->know_account(to_connector(added.row), *added.sink);
  reconsider(added);
  return added;
}

asio::awaitable<void> Accounts::load(connector::Connector& connector) {
  connector_ = &connector;
  using Loaded = std::vector<std::pair<store::AccountRow, std::vector<store::ContactRow>>>;
  std::function<Loaded(db::Transaction&)> read = [this](db::Transaction& t) {
    Loaded loaded;
    for (auto& row : store::read_accounts(t, transport_, sealer_)) {
      auto contacts = store::read_contacts(t, row.id);
      loaded.emplace_back(std::move(row), std::move(contacts));
    }
    return loaded;
  };
  Loaded loaded = co_await database_.fetch(std::move(read));
  for (auto& [row, contacts] : loaded) {
    LiveAccount& account = add(std::move(row));
    for (auto& contact : contacts) {
      const base::ContactId id = contact.contact;
      account.contacts[id].row = std::move(contact);
    }
  }
}

void Accounts::start() {
  started_ = true;
  for (auto& [id, account] : by_id_) reconsider(*account);
}

asio::awaitable<void> Accounts::stop() {
  stopping_ = true;
  tasks_.cancel();
  co_await tasks_.join();
}

LiveAccount* Accounts::find(const xmpp::Jid& user) {
  const auto found = by_user_.find(std::string(user.bare_view()));
  return found == by_user_.end() ? nullptr : find(found->second);
}

LiveAccount* Accounts::find(base::AccountId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

asio::awaitable<void> Accounts::put(store::AccountRow row) {
  LiveAccount* present = find(row.user);
  if (!present) {
    std::function<store::IdRange(db::Transaction&)> reserve = [](db::Transaction& t) { return store::reserve_ids(t, 1); };
    row.id = base::AccountId{(co_await database_.fetch(std::move(reserve))).first};
  } else {
    row.id = present->id();
  }
  db::Database::Closure write = [this, row, is_new = !present](db::Transaction& t) {
    if (is_new) store::insert_account(t, row, sealer_);
    else store::update_account(t, row, sealer_);
  };
  co_await database_.transact(std::move(write));

  present = find(row.user);
  if (!present) {
    add(std::move(row));
    co_return;
  }
  present->row = std::move(row);
  connector_->know_account(to_connector(present->row), *present->sink);
  present->backoff.reset();
  if (present->state == LiveAccount::State::needs_login) present->state = LiveAccount::State::offline;
  reconsider(*present);
}

asio::awaitable<void> Accounts::remove(base::AccountId id) {
  if (!find(id)) co_return;
  // In the store first: where that fails the account stays as it was, and its session goes on.
  std::function<std::vector<store::OutboxRow>(db::Transaction&)> erase = [id](db::Transaction& t) {
    auto unsent = store::read_outbox(t, id, 0, std::numeric_limits<int>::max());
    store::remove_account(t, id);
    return unsent;
  };
  const auto unsent = co_await database_.fetch(std::move(erase));
  LiveAccount* account = find(id);
  if (!account) co_return;
  account->removed = true;
  reconsider(*account);
  while (account->attempt) co_await attempt_ended_.wait();
  events_.removed(*account, unsent);
  by_user_.erase(account->user().str());
  connector_->forget_account(id);
  by_id_.erase(id);
}

// After whatever may have changed what is_wanted() says: starts to keep the session up, or ends it.
void Accounts::reconsider(LiveAccount& account) {
  if (account.attempt) {
    if (account.is_wanted()) return;
    account.interrupted = true;
    account.attempt->emit(asio::cancellation_type::terminal);
  } else if (started_ && !stopping_ && account.is_wanted()) {
    account.interrupted = false;
    account.attempt = &tasks_.spawn("account", attempt(account));
  }
}

// One attempt to keep the session up, with the pause before it. Each is a coroutine of its own, since a session may change
// the coroutine's cancellation state to end in good order; the next one begins when this one has ended.
asio::awaitable<void> Accounts::attempt(LiveAccount& account) {
  std::optional<std::chrono::steady_clock::time_point> began;
  std::string trouble;
  try {
    // Nothing happens before reconsider() has noted the signal: a session that refuses at once would end before it is noted.
    co_await asio::post(tasks_.executor(), asio::use_awaitable);
    const auto pause = account.backoff.next();
    if (pause.count() > 0) co_await base::sleep(pause);
    began = std::chrono::steady_clock::now();
    set_state(account, LiveAccount::State::connecting, account.trouble);
    if (!account.session) account.session = connector_->open(account.id());
    const auto session = account.session;
    co_await session->run();
    // It returned, and not because it was asked to: only a new registration can help (contract of Session::run).
    if (!account.interrupted && !stopping_ && account.state != LiveAccount::State::needs_login) set_state(account, LiveAccount::State::needs_login, account.trouble);
  } catch (const std::exception& e) {
    if (!account.interrupted) trouble = e.what();
  }
  if (!stopping_) {
    const bool is_over = account.interrupted || !account.is_wanted();
    if (is_over) account.session.reset();
    if (is_over || (began && std::chrono::steady_clock::now() - *began >= healthy_after)) account.backoff.reset();
    if (!trouble.empty()) log::warn("session.failed", {{"account", account.id().value}, {"error", trouble}});
    if (account.state != LiveAccount::State::needs_login) set_state(account, LiveAccount::State::offline, std::move(trouble));
  }
  account.attempt = nullptr;
  reconsider(account);
  attempt_ended_.notify();
}

void Accounts::set_state(LiveAccount& account, LiveAccount::State state, std::string trouble) {
  const bool news = account.state != state || account.trouble != trouble;
  account.state = state;
  account.trouble = std::move(trouble);
  if (!news) return;
  log::debug("account.changed", {{"account", account.id().value}, {"state", static_cast<int>(state)}, {"trouble", account.trouble}});
  events_.state_changed(account);
}

void Accounts::report(LiveAccount& account, const connector::AccountChanged& change) {
  if (account.removed) return;
  if (change.needs_login) {
    set_state(account, LiveAccount::State::needs_login, change.text);
    reconsider(account);
  } else {
    set_state(account, change.online ? LiveAccount::State::online : LiveAccount::State::connecting, change.text);
  }
}

void Accounts::user_available(LiveAccount& account, const xmpp::Jid& full, UserPresence presence) {
  const bool first = account.resources.empty();
  account.presence_seen = true;
  account.resources[full.str()] = std::move(presence);
  if (!first) return;
  account.backoff.reset();
  reconsider(account);
}

void Accounts::user_unavailable(LiveAccount& account, const xmpp::Jid& full) {
  account.presence_seen = true;
  if (full.is_bare()) account.resources.clear();
  else account.resources.erase(full.str());
  if (account.resources.empty()) reconsider(account);
}

void Accounts::put_contact(LiveAccount& account, store::ContactRow contact) {
  LiveContact& live = account.contacts[contact.contact];
  if (live.row == contact) return;
  live.row = contact;
  write([id = account.id(), contact = std::move(contact)](db::Transaction& t) { store::put_contact(t, id, contact); }, "put_contact");
}

void Accounts::remove_contact(LiveAccount& account, const base::ContactId& contact) {
  if (account.contacts.erase(contact) == 0) return;
  write([id = account.id(), contact](db::Transaction& t) { store::remove_contact(t, id, contact); }, "remove_contact");
}

void Accounts::write(db::Database::Closure closure, std::string_view what) {
  database_.submit(std::move(closure), [what](std::exception_ptr error) {
    if (error) log::error("store.failed", {{"what", what}});
  });
}

}  // namespace wherry::accounts
