#include "gateway/accounts/accounts.hpp"

#include "gateway/base/log.hpp"
#include "gateway/store/ids.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <limits>

namespace wherry::accounts {

namespace {

// Whose account it is, as a text; no bare JID has a slash.
std::string owner_of(const xmpp::Jid& user, const std::string& alias) {
  return std::string(user.bare_view()) + "/" + alias;
}

}  // namespace

Accounts::Accounts(asio::any_io_executor executor, db::Database& database, const base::Sealer& sealer,
                   std::string transport, AccountEvents events, SessionLimits limits)
    : executor_(executor),
      database_(database),
      sealer_(sealer),
      transport_(std::move(transport)),
      events_(std::move(events)),
      changed_(executor),
      keeper_(executor, *this, limits) {}

connector::Account Accounts::as_told(const LiveAccount& account) {
  connector::Account told;
  told.id = account.id();
  told.user = account.user().str();
  told.credentials = account.row.credentials;
  return told;
}

void Accounts::tell_connector(const LiveAccount& account) { connector_->know_account(as_told(account), *account.sink); }

connector::Idempotency Accounts::idempotency(base::AccountId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? connector::Idempotency::none : connector_->idempotency(as_told(*found->second));
}

LiveAccount& Accounts::add(store::AccountRow row) {
  const base::AccountId id = row.id;
  auto account = std::make_unique<LiveAccount>(std::move(row));
  account->sink = events_.make_sink(*account);
  LiveAccount& added = *account;
  by_user_[added.user().str()].push_back(id);
  by_id_[id] = std::move(account);
  return added;
}

asio::awaitable<void> Accounts::load(connector::Connector& connector) {
  connector_ = &connector;
  auto read = [this](db::Transaction& t) {
    std::vector<std::pair<store::AccountRow, std::vector<store::ContactRow>>> loaded;
    for (auto& row : store::read_accounts(t, transport_, sealer_)) {
      auto contacts = store::read_contacts(t, row.id);
      loaded.emplace_back(std::move(row), std::move(contacts));
    }
    return loaded;
  };
  auto loaded = co_await database_.fetch(std::move(read));
  for (auto& [row, contacts] : loaded) {
    LiveAccount& account = add(std::move(row));
    for (auto& contact : contacts) {
      const base::ContactId id = contact.contact;
      account.contacts[id].row = std::move(contact);
    }
  }
}

void Accounts::start() {
  for (const auto& [id, account] : by_id_) tell_connector(*account);
  keeper_.start(*connector_);
  for (const auto& [id, account] : by_id_) keeper_.reconsider(id);
}

asio::awaitable<void> Accounts::stop() { return keeper_.stop(); }

LiveAccount* Accounts::find(const xmpp::Jid& user, std::string_view alias) {
  const auto found = by_user_.find(std::string(user.bare_view()));
  if (found == by_user_.end()) return nullptr;
  for (const base::AccountId id : found->second) {
    LiveAccount* account = find(id);
    if (account->alias() == alias) return account;
  }
  return nullptr;
}

std::vector<base::AccountId> Accounts::of(const xmpp::Jid& user) const {
  const auto found = by_user_.find(std::string(user.bare_view()));
  if (found == by_user_.end()) return {};
  std::vector<base::AccountId> accounts = found->second;
  std::erase_if(accounts, [this](base::AccountId id) { return by_id_.at(id)->is_removed(); });
  return accounts;
}

LiveAccount* Accounts::find(base::AccountId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

// ---- Coming and going ----

asio::awaitable<void> Accounts::alone(std::string whose, asio::awaitable<void> work) {
  while (changing_.contains(whose)) co_await changed_.wait();
  changing_.insert(whose);
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  changing_.erase(whose);
  changed_.notify();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Accounts::put(store::AccountRow row) {
  std::string whose = owner_of(row.user, row.alias);
  return alone(std::move(whose), put_alone(std::move(row)));
}

asio::awaitable<void> Accounts::put_alone(store::AccountRow row) {
  const LiveAccount* before = find(row.user, row.alias);
  const bool is_new = !before;
  if (before) {
    row.id = before->id();
    row.policy = before->row.policy;  // a registration changes no preferences
    row.refuses = before->row.refuses;
    row.named = before->row.named;
    row.logged_out = before->row.logged_out;
  } else {
    auto reserve = [](db::Transaction& t) { return store::reserve_ids(t, 1); };
    row.id = base::AccountId{(co_await database_.fetch(std::move(reserve))).first};
  }
  db::Database::Closure write = [this, row, is_new](db::Transaction& t) {
    if (is_new) store::insert_account(t, row, sealer_);
    else store::update_account(t, row, sealer_);
  };
  co_await database_.transact(std::move(write));

  const base::AccountId id = row.id;
  LiveAccount& account = is_new ? add(std::move(row)) : *find(id);
  if (!is_new) {
    row.named = account.row.named;  // set without waiting for a turn
    account.row = std::move(row);
    ++account.registration;
  }
  tell_connector(account);
  if (account.state == LiveAccount::State::needs_login) account.state = LiveAccount::State::offline;
  keeper_.retry_now(id);
  keeper_.reconsider(id);
}

asio::awaitable<void> Accounts::set_logged_out(base::AccountId id, bool logged_out) {
  const LiveAccount* account = find(id);
  std::string whose = account ? owner_of(account->user(), account->alias()) : std::string();
  return alone(std::move(whose), set_logged_out_alone(id, logged_out));
}

asio::awaitable<void> Accounts::set_logged_out_alone(base::AccountId id, bool logged_out) {
  db::Database::Closure write = [id, logged_out](db::Transaction& t) { store::set_logged_out(t, id, logged_out); };
  co_await database_.transact(std::move(write));
  LiveAccount* account = find(id);
  if (!account) co_return;
  account->row.logged_out = logged_out;
  if (!logged_out && account->state == LiveAccount::State::needs_login) account->state = LiveAccount::State::offline;
  if (!logged_out) keeper_.retry_now(id);
  keeper_.reconsider(id);
}

asio::awaitable<void> Accounts::set_preferences(base::AccountId id, store::Preferences wanted) {
  const LiveAccount* account = find(id);
  std::string whose = account ? owner_of(account->user(), account->alias()) : std::string();
  return alone(std::move(whose), set_preferences_alone(id, wanted));
}

asio::awaitable<void> Accounts::set_preferences_alone(base::AccountId id, store::Preferences wanted) {
  db::Database::Closure write = [id, wanted](db::Transaction& t) { store::set_preferences(t, id, wanted); };
  co_await database_.transact(std::move(write));
  LiveAccount* account = find(id);
  if (!account) co_return;
  account->row.policy = wanted.policy;
  account->row.imports = wanted.imports;
  account->row.refuses = wanted.refuses;
  keeper_.reconsider(id);
}

void Accounts::set_named(LiveAccount& account, bool named) {
  if (std::exchange(account.row.named, named) == named || account.is_removed()) return;
  write([id = account.id(), named](db::Transaction& t) { store::set_named(t, id, named); }, "set_named");
}

asio::awaitable<void> Accounts::remove(base::AccountId id) {
  const LiveAccount* account = find(id);
  std::string whose = account ? owner_of(account->user(), account->alias()) : std::string();
  return alone(std::move(whose), remove_alone(id));
}

// In the store first. What is published meanwhile waits: it belongs to an account that is erased, or to one that stays.
asio::awaitable<void> Accounts::remove_alone(base::AccountId id) {
  LiveAccount* account = find(id);
  if (!account) co_return;
  account->standing = LiveAccount::Standing::leaving;
  // What was published until now is with the store before it erases.
  co_await asio::post(executor_, asio::use_awaitable);
  std::vector<store::OutboxRow> unsent;
  std::exception_ptr failure;
  try {
    auto erase = [id](db::Transaction& t) {
      auto rows = store::read_outbox(t, id, 0, std::numeric_limits<int>::max());
      store::remove_account(t, id, store::Unsent::kept);
      return rows;
    };
    unsent = co_await database_.fetch(std::move(erase));
  } catch (...) {
    failure = std::current_exception();
  }
  account = find(id);
  account->standing = failure ? LiveAccount::Standing::registered : LiveAccount::Standing::removed;
  changed_.notify();
  if (failure) std::rethrow_exception(failure);
  keeper_.reconsider(id);
  bool is_cut = false;
  try {
    co_await keeper_.await_end(id);
  } catch (const boost::system::system_error&) {
    is_cut = true;  // the gateway stops; who sent what was erased is told all the same
  }
  account = find(id);
  events_.removed(*account, unsent);
  if (is_cut) co_return;
  keeper_.forget(id);
  const auto of_user = by_user_.find(account->user().str());
  std::erase(of_user->second, id);
  if (of_user->second.empty()) by_user_.erase(of_user);
  connector_->forget_account(id);
  by_id_.erase(id);
}

asio::awaitable<void> Accounts::until_settled(base::AccountId id) {
  for (const LiveAccount* account = find(id); account && account->standing == LiveAccount::Standing::leaving;
       account = find(id)) {
    co_await changed_.wait();
  }
}

// ---- Their states ----

void Accounts::set_state(LiveAccount& account, LiveAccount::State state, std::string trouble) {
  const bool news = account.state != state || account.trouble != trouble;
  account.state = state;
  account.trouble = std::move(trouble);
  if (!news) return;
  log::debug("account.changed",
             {{"account", account.id().value}, {"state", static_cast<int>(state)}, {"trouble", account.trouble}});
  events_.state_changed(account);
}

void Accounts::report(LiveAccount& account, const connector::AccountChanged& change) {
  if (account.is_removed() || !keeper_.is_running(account.id())) return;  // late word of a session that has ended
  if (change.needs_login) {
    if (!keeper_.uses_present_registration(account.id())) return;
    set_state(account, LiveAccount::State::needs_login, change.text);
    return keeper_.reconsider(account.id());
  }
  set_state(account, change.online ? LiveAccount::State::online : LiveAccount::State::connecting, change.text);
  if (change.online) keeper_.logged_in(account.id());
}

bool Accounts::user_available(LiveAccount& account, const xmpp::Jid& full, UserPresence presence,
                              const std::vector<base::ContactId>& contacts) {
  const bool first = account.resources.empty();
  account.presence_seen = true;
  if (!account.resources.put(full.str(), std::move(presence), contacts)) return false;
  if (first) keeper_.reconsider(account.id());
  return true;
}

void Accounts::user_unavailable(LiveAccount& account, const xmpp::Jid& full) {
  account.presence_seen = true;
  account.resources.erase(full);
  if (account.resources.empty()) keeper_.reconsider(account.id());
}

ContactStep Accounts::contact_step(const LiveAccount& account, const base::ContactId& contact, ContactEvent event,
                                   std::string_view words) const {
  const auto found = account.contacts.find(contact);
  const store::ContactRow* present = found == account.contacts.end() ? nullptr : &found->second.row;
  return next_step(present, contact, event, account.contacts.size(), words);
}

void Accounts::take_step(LiveAccount& account, const base::ContactId& contact, const ContactStep& step) {
  if (step.change == ContactStep::Row::put) put_contact(account, step.row);
  if (step.change == ContactStep::Row::remove) remove_contact(account, contact);
}

ContactStep Accounts::change_contact(LiveAccount& account, const base::ContactId& contact, ContactEvent event,
                                     std::string_view words) {
  ContactStep step = contact_step(account, contact, event, words);
  take_step(account, contact, step);
  return step;
}

void Accounts::request_failed(base::AccountId id, const base::ContactId& contact) {
  if (LiveAccount* account = find(id)) change_contact(*account, contact, ContactEvent::request_failed);
}

void Accounts::put_contact(LiveAccount& account, store::ContactRow contact) {
  const auto [entry, is_new] = account.contacts.try_emplace(contact.contact);
  LiveContact& live = entry->second;
  if (const auto early = account.early_presence.extract(contact.contact); is_new && !early.empty())
    live.take(early.mapped());
  if (!is_new && live.row == contact) return;
  live.row = contact;
  if (account.is_removed()) return;
  write([id = account.id(), contact = std::move(contact)](db::Transaction& t) { store::put_contact(t, id, contact); },
        "put_contact");
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
