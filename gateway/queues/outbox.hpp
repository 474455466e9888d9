// XMPP → network: durable, in order per chat (house.md §5, hops 4–7). Called by features/messages and
// features/contacts.
//
// put() writes a row; once it is committed the backlog knows it. One coroutine goes through each chat that has
// something to send, and asks the backlog anew after each wait what its next step is.
//
//   exponential backoff   5 s to 10 min, per row, ±20 %, by a clock that only goes forward
//   deadline              after 24 h the sender is told; a row that an earlier run left is tried for an hour at least,
//                         whatever the time of day says
//   sent once             what a user sends again within ten minutes, under the same id and with the same content, is
//   one
//                         message; unless its sender has heard that it failed
// Not promised: that of a row which was marked and not yet with the connector when the process was killed anybody can
// know that. It is told as uncertain. There is at most one in each chat, and performing_per_account of an account.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/queues/backlog.hpp"
#include "gateway/queues/envelope.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/messages.hpp"
#include "gateway/queues/repeats.hpp"
#include "gateway/queues/reports.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <string>

namespace wherry::queues {

class Outbox final : public UnsentMessages {
 public:
  // Of a message that could not be stored, and of which only the link can tell.
  using NotStored = std::function<void(base::AccountId, convert::Origin, base::Error)>;

  Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
         Reports& reports, Repeats& repeats, Messages& messages, const Keys& keys, const base::Clock& clock,
         std::string transport, OutboxLimits limits, NotStored not_stored);

  // Before anything else: what the network is, and the rows that an earlier run left. One found `sending` may have been
  // sent: it is tried again where the network allows that, else its sender is told.
  asio::awaitable<void> load(connector::Network network);

  // Accepts what the network is to do; its key is made here, for ever its own. Errors (resource-constraint like) come
  // back at once; a failure of the store later through NotStored. The same stanza again is taken, and not sent again.
  base::Result<void> put(accounts::LiveAccount& account, Envelope envelope);

  // The account's session came up: its rows move again.
  void account_online(accounts::LiveAccount& account) { start_all(account.id()); }
  // Forgets the rows of a removed account, telling their senders; of what is with the connector, once it has answered.
  // `stored`: those that the store held until then.
  void account_removed(base::AccountId account, const std::vector<store::OutboxRow>& stored);

  // Whether something of the chat was taken and is not done with.
  bool has(base::AccountId account, const base::ContactId& chat) const {
    return backlog_.has(account, base::to_string(base::ChatId(chat)));
  }
  // For a message of which the network says what became of it: its row goes, in the journal's present step, and it is
  // noted as accepted. False: there is none that may have been sent.
  bool end_send(const store::OutboxRow& row, connector::Stage stage) override;

  // Begins to tell the senders of what waits behind its deadline, whether its account is there or not. Now and then.
  void expire();

  // Lets performs in flight end; what was marked and never was with the connector is unmarked.
  asio::awaitable<void> stop(std::chrono::milliseconds grace);

  std::size_t in_memory() const { return backlog_.in_memory(); }  // whole rows

 private:
  using Item = Backlog::Item;

  void committed(std::unique_ptr<Item> item);
  void start_all(base::AccountId account);
  bool start(base::AccountId account, const std::string& chat);
  Backlog::Reach reach(base::AccountId account) const;
  asio::awaitable<void> work(base::AccountId account, std::string chat);
  asio::awaitable<bool> take_step(base::AccountId account, std::string chat);
  asio::awaitable<void> load_rows(base::AccountId account, std::string chat, std::vector<std::int64_t> ids);
  asio::awaitable<void> commit_mark(base::AccountId account, std::string chat, std::int64_t id);
  asio::awaitable<std::optional<connector::Action>> prepare(base::AccountId account, std::string chat, std::int64_t id);
  asio::awaitable<void> perform(base::AccountId account, std::string chat, std::int64_t id, connector::Action action);
  void set_rest_timer();
  asio::awaitable<void> await_performs();
  void settle(Item& item, const connector::Action& performed, const base::Result<connector::Receipt>& result);
  void end_unsent(Item& item);
  void retry(Item& item, const base::Error& error);
  void fail_row(Item& item, base::Error error);
  void report_failure(const Item& item, base::Error error);
  void remove_row(const Item& item);
  void write_state(Item& item, store::OutboxState state);
  void end_failed(base::AccountId account, const std::string& chat, std::int64_t id);
  void note_sent(const Item& item, const std::vector<base::MessageId>& ids, connector::Stage stage);
  void expect_repeats(const store::OutboxRow& row);
  void recover(const store::OutboxRow& row);
  void tell_orphaned(const store::OutboxRow& row);
  void end_left(std::int64_t id, const base::Result<connector::Receipt>& result);
  std::unique_ptr<Item> to_item(store::OutboxRow row);
  bool repeats_freely(base::AccountId account) const {
    return accounts_.idempotency(account) != connector::Idempotency::none;
  }

  Journal& journal_;
  db::Database& database_;
  accounts::Accounts& accounts_;
  Reports& reports_;
  Repeats& repeats_;
  Messages& messages_;
  const Keys& keys_;
  const base::Clock& clock_;
  std::string transport_;
  OutboxLimits limits_;
  NotStored not_stored_;
  connector::Network network_;
  Backlog backlog_;
  // Of removed accounts what was with the connector then: its answer says what its sender is told. The store has the
  // rows.
  struct Left {
    base::AccountId account;
    convert::Origin origin;
    bool is_unsure = false;
  };
  std::map<std::int64_t, Left> left_;
  asio::steady_timer rest_;  // until the first of the chats that rest goes on
  int performing_ = 0;
  base::Signal performed_;
  bool stopping_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::queues
