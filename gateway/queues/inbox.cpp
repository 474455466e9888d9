#include "gateway/queues/inbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/queues/outbox/told.hpp"
#include "gateway/queues/trail.hpp"
#include "gateway/store/accounts.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

namespace {

constexpr int inbox_rows_per_read = 64;  // a row may have a megabyte
constexpr std::size_t most_seen = 200000;
constexpr std::chrono::seconds reload_pause{5};

// Which event ids may come again after an interruption.
std::string repeatable_id(const connector::Event& event) {
  const base::MessageId* const id = connector::id_of(event);
  if (!id) return {};
  // A message and what is said of it later may have one id.
  return (std::holds_alternative<connector::MessageReceived>(event) ? "m" : "e" + std::to_string(event.index()) + ":") +
         id->value;
}

}  // namespace

Inbox::Inbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
             xmpp::Component& link, Messages& messages, const Keys& keys, const base::Clock& clock,
             std::string transport, InboxLimits limits, ToStanzas to_stanzas, Forward forward)
    : journal_(journal),
      database_(database),
      accounts_(accounts),
      link_(link),
      messages_(messages),
      keys_(keys),
      clock_(clock),
      transport_(std::move(transport)),
      limits_(limits),
      to_stanzas_(std::move(to_stanzas)),
      forward_(forward ? std::move(forward) : now_forward),
      seen_(most_seen),
      tasks_(executor) {}

asio::awaitable<void> Inbox::load(connector::Network network) {
  network_ = std::move(network);
  // All that are kept, and not by the time of day: a clock that is ahead would let everything come again.
  auto read = [this](db::Transaction& t) {
    return std::pair(store::seen_key(t), store::read_seen(t, transport_, store::SeenKind::events, most_seen));
  };
  const auto lately = co_await database_.fetch(std::move(read));
  seen_.load(lately.first, lately.second);
  co_await reload();
  if (!rows_.empty()) log::info("inbox.recovered", {{"transport", transport_}, {"rows", rows_.size()}});
}

// ---- Accepting ----

asio::awaitable<void> Inbox::publish(base::AccountId account, connector::Event event, connector::Changes changes) {
  const std::string id = network_.redelivers ? repeatable_id(event) : std::string();
  std::optional<connector::Event> named = std::move(event);
  if (messages_.refers() || connector::target_of(*named)) {
    connector::Event unnamed = std::move(*named);
    named = co_await messages_.name_for_user(account, std::move(unnamed));
    co_await accounts_.until_settled(account);
    const accounts::LiveAccount* const live = accounts_.find(account);
    if (!live || live->is_removed()) named.reset();  // meanwhile: nobody is there to be told
  }
  std::optional<std::uint64_t> hash;
  if (!id.empty()) {
    hash = seen_.hash(account.value, id);
    while (seen_.contains(*hash)) {
      log::debug("inbox.repeated", {{"account", account.value}});
      const std::uint64_t before = not_kept_;
      co_await journal_.commit();  // the first one may be on its way to the disk just now
      if (not_kept_ != before) continue;
      if (changes.empty()) co_return;
      journal_.write(std::move(changes));
      co_return co_await journal_.commit();
    }
  }
  auto delivery = named ? convert::to_delivery(std::move(*named)) : std::nullopt;
  if (delivery) put(account, std::move(*delivery));
  else log::info("inbox.not_carried", {{"account", account.value}});
  journal_.write(std::move(changes));
  if (hash && delivery) {
    seen_.insert(*hash);
    journal_.remember_event(*hash);
    journal_.after_commit([this, kept = *hash](std::exception_ptr error) {
      if (!error) return;
      seen_.erase(kept);  // so it may come again
      ++not_kept_;
    });
  }
  co_await journal_.commit();
}

void Inbox::put(base::AccountId account, convert::Delivery delivery) {
  Incoming message;
  message.account = account;
  message.created = journal_.stamp(now());
  message.born = forward_();
  message.delivery = std::move(delivery);
  put(std::move(message));
}

void Inbox::put(Incoming message, std::int64_t before) {
  message.id = journal_.next_inbox_id();
  journal_.insert(row_of(message));
  if (const auto* received = std::get_if<connector::MessageReceived>(&message.delivery))
    messages_.note_received(message.account, message.id, *received, message.created);
  auto held = std::make_shared<Incoming>(std::move(message));
  journal_.after_commit([this, held, before](std::exception_ptr error) {
    if (error) return;
    if (before != 0) trail::sent_again(keys_, held->id, before);
    else trail::received(keys_, held->id, transport_, held->account, held->delivery);
    committed(std::move(*held));
  });
}

store::InboxRow Inbox::row_of(const Incoming& message) const {
  store::InboxRow row;
  row.id = message.id;
  row.account = message.account;
  row.payload = to_text(message.delivery);
  row.created = message.created;
  return row;
}

// ---- Sending ----

void Inbox::committed(Incoming message) {
  if (is_nobodys(message)) return drop(message.id);
  if (message.id <= newest_in_memory_) return;  // reload() has read it before the journal told of it
  if (is_spilled() || is_full()) {
    newest_spilled_ = message.id;
    return;
  }
  push(std::move(message));
  pump();
}

// What was on its way to the disk while the store erased its user, and what came back of it; of a failure they are told
// all the same.
bool Inbox::is_nobodys(const Incoming& message) const {
  const accounts::LiveAccount* account = accounts_.find(message.account);
  return (!account || account->is_removed()) && !std::holds_alternative<convert::SendFailed>(message.delivery);
}

void Inbox::drop(std::int64_t id) {
  journal_.remove_inbox(id);
  journal_.close_step();
}

void Inbox::account_removed(base::AccountId account) {
  database_.submit([account](db::Transaction& t) { store::remove_written_meanwhile(t, account); },
                   [](const std::exception_ptr&) {});  // the next start removes it (store::remove_orphans)
}

void Inbox::push(Incoming message) {
  newest_in_memory_ = std::max(newest_in_memory_, message.id);
  bytes_ += bytes_in_memory(message.delivery);
  rows_.push_back(Item{std::move(message)});
}

void Inbox::pump() {
  while (sent_ < rows_.size() && link_.can_send_tracked()) {
    Item& item = rows_[sent_];
    xmpp::Sequence sequence = sent_ > 0 ? rows_[sent_ - 1].sequence : 0;
    if (!item.came_back) {
      item.withheld = false;
      for (const xmpp::Element& stanza : to_stanzas_(accounts_.find(item.account), item.delivery, stanza_id(item.id))) {
        auto sent = link_.send(stanza, xmpp::Component::Track::yes);
        if (!sent) {
          item.withheld = true;
          log::error("inbox.withheld", {{"account", item.account.value}, {"id", item.id}});
          sent = send_note_for(stanza);
        }
        sequence = std::max(sequence, sent.value_or(0));
      }
    }
    item.sequence = sequence;
    ++sent_;
  }
  confirmed(0);  // rows that gave no stanza wait for no confirmation
}

// What the link withheld is not delivered: its row stays in the store until it expires, and the contact's chat says
// that there was something.
std::optional<xmpp::Sequence> Inbox::send_note_for(const xmpp::Element& withheld) {
  if (withheld.child_text("body", withheld.ns()).empty()) return 0;
  xmpp::Element note("message", withheld.ns());
  for (const char* name : {"from", "to", "type", "id"}) note.set(name, withheld.attribute(name));
  note.add_text_child("body", "A message from this contact could not be shown here: it is too large.");
  return link_.send(note, xmpp::Component::Track::yes);
}

void Inbox::connected() { pump(); }

void Inbox::disconnected() { sent_ = 0; }

void Inbox::confirmed(xmpp::Sequence sequence) {
  const log::Hold lines;
  while (sent_ > 0 && rows_.front().sequence <= sequence) {
    Item& item = rows_.front();
    bytes_ -= bytes_in_memory(item.delivery);
    if (!item.came_back && !item.withheld) {
      trail::delivered(keys_, item.id, item.delivery);
      journal_.remove_inbox(item.id);
      returned_.put_taken(std::move(item));
    }
    rows_.pop_front();
    --sent_;
  }
  journal_.close_step();
  reload_if_low();
}

// ---- What came back ----

Inbox::Item* Inbox::find(base::AccountId account, std::int64_t id) {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), id,
                                      [](const Item& i, std::int64_t wanted) { return i.id < wanted; });
  const bool is_it = found != rows_.end() && found->id == id && found->account == account;
  return is_it && Returned::is_for_reading(found->delivery) ? &*found : nullptr;
}

// A server that has nobody to give it to says so at once; ours does before it answers the ping behind the message, so
// that the row is still among rows_. Another server's answer may come later, and so may that of one whose client
// vanished and never resumed its session: the row is gone then.
bool Inbox::returned(const accounts::LiveAccount& account, std::string_view of_stanza) {
  // a part's id goes on with "-2"
  const auto id = of_stanza.starts_with('w') ? keys_.row_of(of_stanza.substr(1)) : std::nullopt;
  if (!id) return false;
  Incoming* const present = find(account.id(), *id);
  Incoming* const message = present ? present : returned_.find_taken(account.id(), *id);
  if (!message) return false;
  if (std::exchange(message->came_back, true)) return true;  // each part of it may come back
  trail::returned(keys_, *id);
  if (account.takes_messages()) ++message->refusals;
  if (present) returned_.wait(*message, *id, forward_());
  else store_again(*message);
  return true;
}

// Its row is gone: it gets another, as old as the first (store::Retention), which is not sent yet.
void Inbox::store_again(const Incoming& message) {
  auto again = std::make_shared<Incoming>(message);
  again->id = journal_.next_inbox_id();
  journal_.insert(row_of(*again));
  if (const auto* received = std::get_if<connector::MessageReceived>(&again->delivery))
    messages_.note_received(again->account, again->id, *received, again->created);
  journal_.remove_inbox(message.id);  // it went a moment ago, and may ride still: both would be sent after a kill
  journal_.after_commit([this, again](std::exception_ptr error) {
    if (error) return log::error("inbox.returned_not_kept", {{"account", again->account.value}});
    if (is_nobodys(*again)) return drop(again->id);
    if (is_spilled()) {
      newest_spilled_ = std::max(newest_spilled_, again->id);  // read back with the others, and so sent anew
      return;
    }
    newest_in_memory_ = std::max(newest_in_memory_, again->id);
    returned_.wait(*again, again->id, forward_());
  });
  journal_.close_step();
}

void Inbox::resend_returned(base::AccountId account) { resend(account, returned_.take_for_coming(account)); }

void Inbox::resend_returned() {
  for (const base::AccountId account : returned_.accounts()) {
    const accounts::LiveAccount* live = accounts_.find(account);
    if (live && live->presence_seen && !live->takes_messages()) continue;  // they are away, and will be seen coming
    resend(account, returned_.take_due(account, forward_()));
  }
}

void Inbox::resend(base::AccountId account, std::vector<Returned::Waiting> rows) {
  if (!rows.empty()) tasks_.spawn("inbox.resend", put_again(account, std::move(rows)));
}

// Each becomes a new row behind all others, in the commit that removes the old one. What the store does not do now, it
// may do later.
asio::awaitable<void> Inbox::put_again(base::AccountId account, std::vector<Returned::Waiting> rows) {
  auto next = rows.begin();
  try {
    while (next != rows.end()) {
      auto read = [account, after = next->id - 1](db::Transaction& t) {
        return store::read_inbox(t, account, after, inbox_rows_per_read);
      };
      const auto found = co_await database_.fetch(std::move(read));
      for (const auto& row : found) {
        while (next != rows.end() && next->id < row.id) ++next;  // removed meanwhile
        if (next == rows.end()) break;
        if (next->id != row.id) continue;
        auto delivery = convert::parse_delivery(row.payload);
        if (delivery) {
          put(Incoming{0, account, row.created, next->born, std::move(*delivery), next->refusals, false}, row.id);
        }
        journal_.remove_inbox(row.id);
        journal_.after_commit([this, account, waiting = *next](std::exception_ptr error) {
          if (error) returned_.wait(account, waiting);
        });
        journal_.close_step();
        ++next;
      }
      if (found.size() < static_cast<std::size_t>(inbox_rows_per_read)) break;
    }
  } catch (...) {
    for (; next != rows.end(); ++next) returned_.wait(account, *next);
    throw;
  }
}

void Inbox::reload_if_low() {
  if (!is_spilled() || reloading_ || rows_.size() >= limits_.in_memory / 2 || bytes_ >= limits_.in_memory_bytes / 2)
    return;
  reloading_ = true;
  tasks_.spawn("inbox.reload", reload_at_last());
}

// What the store does not read now, it may read later; nobody else would ask for it.
asio::awaitable<void> Inbox::reload_at_last() {
  for (bool done = false; !done;) {
    try {
      co_await reload();
      done = true;
    } catch (const db::StatementFailed& e) {
      log::error("inbox.not_read", {{"transport", transport_}, {"error", e.what()}});
    }
    if (!done) co_await base::sleep(reload_pause);
  }
}

// Of an account that is gone there is word that a message of its user's failed. The message's address says whose
// network it was.
bool Inbox::is_ours(base::AccountId account, const convert::Delivery& delivery) const {
  if (accounts_.find(account)) return true;
  const convert::Origin* origin = origin_of(delivery);
  const auto contact = xmpp::Jid::parse(origin ? origin->contact : "");
  return contact && contact->domain() == transport_;
}

// Among what it reads are rows of other networks, whose users are gone: their ids say nothing of how far ours are in
// memory.
asio::awaitable<void> Inbox::reload() {
  std::int64_t after = newest_in_memory_;
  for (bool more = true; more && !is_full();) {
    const std::int64_t spilled_before = newest_spilled_;
    auto read = [this, after](db::Transaction& t) {
      return store::read_inbox(t, transport_, after, inbox_rows_per_read);
    };
    const auto found = co_await database_.fetch(std::move(read));
    more = found.size() == static_cast<std::size_t>(inbox_rows_per_read);
    for (const auto& row : found) {
      if (is_full()) {
        more = true;
        break;
      }
      after = row.id;
      if (row.id > newest_in_memory_) take_read(row);  // else the journal has told of it meanwhile
    }
    if (more) newest_spilled_ = std::max(newest_spilled_, newest_in_memory_ + 1);
    else if (newest_spilled_ == spilled_before) newest_spilled_ = 0;
  }
  reloading_ = false;
  pump();
  reload_if_low();
}

void Inbox::take_read(const store::InboxRow& row) {
  auto delivery = convert::parse_delivery(row.payload);
  if (!delivery) {
    if (accounts_.find(row.account)) newest_in_memory_ = row.id;
    return log::error("inbox.row_damaged", {{"id", row.id}});
  }
  if (!is_ours(row.account, *delivery)) return;
  const std::int64_t born = Returned::born(forward_(), now() - row.created);
  push(Incoming{row.id, row.account, row.created, born, std::move(*delivery), 0, false});
}

asio::awaitable<void> Inbox::stop() { co_await tasks_.end(); }

}  // namespace wherry::queues
