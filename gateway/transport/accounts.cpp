#include "gateway/transport/accounts.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/store/ids.hpp"

#include <limits>

namespace wherry::transport {

namespace {

constexpr std::chrono::seconds healthy_after{60};  // a session that lasted so long starts the back-off anew

struct Unwanted : std::exception {};

}  // namespace

Accounts::Accounts(asio::any_io_executor executor, db::Database& database, const base::Sealer& sealer,
                   std::string transport, AccountEvents events)
    : executor_(executor), database_(database), sealer_(sealer), transport_(std::move(transport)), events_(std::move(events)), tasks_(executor) {}

connector::Account Accounts::to_connector(const store::AccountRow& row) const {
  connector::Account account;
  account.id = row.id;
  account.user = row.user.str();
  account.credentials = row.credentials;
  return account;
}

LiveAccount& Accounts::add(store::AccountRow row) {
  const base::AccountId id = row.id;
  auto account = std::make_unique<LiveAccount>(std::move(row), executor_);
  account->sink = events_.make_sink(*account);
  LiveAccount& added = *account;
  by_user_.emplace(added.user().str(), id);
  by_id_[id] = std::move(account);
  connector_->know_account(to_connector(added.row), *added.sink);
  if (started_) tasks_.spawn("account", supervise(added));
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
  for (auto& [id, account] : by_id_) tasks_.spawn("account", supervise(*account));
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
  present->changed.notify();
}

asio::awaitable<void> Accounts::remove(base::AccountId id) {
  LiveAccount* account = find(id);
  if (!account) co_return;
  account->removed = true;
  account->changed.notify();
  std::function<std::vector<store::OutboxRow>(db::Transaction&)> erase = [id](db::Transaction& t) {
    auto unsent = store::read_outbox(t, id, 0, std::numeric_limits<int>::max());
    store::remove_account(t, id);
    return unsent;
  };
  const auto unsent = co_await database_.fetch(std::move(erase));
  account = find(id);
  if (!account) co_return;
  while (account->supervised) co_await account->changed.wait();  // until its session has ended
  events_.removed(*account, unsent);
  by_user_.erase(account->user().str());
  connector_->forget_account(id);
  by_id_.erase(id);
}

asio::awaitable<void> Accounts::supervise(LiveAccount& account) {
  account.supervised = true;
  while (!account.removed) {
    if (!account.is_wanted()) {
      co_await account.changed.wait();
      continue;
    }
    const auto pause = account.backoff.next();
    if (pause.count() > 0) {
      try {
        co_await base::within(pause, until_unwanted(account));
      } catch (const base::TimedOut&) {
      } catch (const Unwanted&) {
        continue;
      }
    }
    const auto began = std::chrono::steady_clock::now();
    std::string trouble;
    set_state(account, LiveAccount::State::connecting, account.trouble);
    if (!account.session) account.session = connector_->open(account.id());
    try {
      co_await base::together(run_session(account), until_unwanted(account));
    } catch (const Unwanted&) {
      account.session.reset();
      account.backoff.reset();
    } catch (const std::exception& e) {
      if (stopping_) throw;
      trouble = e.what();
    }
    if (std::chrono::steady_clock::now() - began >= healthy_after) account.backoff.reset();
    if (!trouble.empty()) log::warn("session.failed", {{"account", account.id().value}, {"error", trouble}});
    if (account.state != LiveAccount::State::needs_login) set_state(account, LiveAccount::State::offline, std::move(trouble));
  }
  set_state(account, LiveAccount::State::offline, "");
  account.session.reset();
  account.supervised = false;
  account.changed.notify();
}

asio::awaitable<void> Accounts::run_session(LiveAccount& account) {
  const auto session = account.session;
  co_await session->run();
  // It returned: only a new registration can help (contract of Session::run).
  if (account.state != LiveAccount::State::needs_login) set_state(account, LiveAccount::State::needs_login, account.trouble);
  throw Unwanted();
}

asio::awaitable<void> Accounts::until_unwanted(LiveAccount& account) {
  while (account.is_wanted()) co_await account.changed.wait();
  throw Unwanted();
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
    account.changed.notify();
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
  account.changed.notify();
}

void Accounts::user_unavailable(LiveAccount& account, const xmpp::Jid& full) {
  account.presence_seen = true;
  if (full.is_bare()) account.resources.clear();
  else account.resources.erase(full.str());
  if (account.resources.empty()) account.changed.notify();
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

}  // namespace wherry::transport
