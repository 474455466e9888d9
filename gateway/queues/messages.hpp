// Which message is which: what the network calls it and what the users' programs call it, both ways. Of networks that
// refer to no messages only that is kept which a report may name.
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/convert/degrade.hpp"
#include "gateway/queues/envelope.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/messages/lines.hpp"
#include "gateway/queues/messages/recent.hpp"
#include "gateway/queues/messages/sends_underway.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wherry::queues {

class Messages {
 public:
  // All outlive this.
  Messages(const boost::asio::any_io_executor& executor, Journal& journal, db::Database& database,
           SendsUnderway& underway, const Keys& keys)
      : journal_(journal), database_(database), underway_(underway), keys_(keys), naming_(executor) {}

  // Before anything else.
  void use(const connector::Network& network) { refers_ = network.refers_to_messages; }
  bool refers() const { return refers_; }

  // ---- Noting: in the journal's present step ----
  // What was sent. `ids`: the network's, of all its parts; none: it names the message by our key.
  void note_sent(store::MessageRow sent, const std::vector<base::MessageId>& ids);
  // What came, as the inbox's row `id`; only where the network refers to messages.
  void note_received(base::AccountId account, std::int64_t id, const connector::MessageReceived& message,
                     std::int64_t created);
  // It was not noted after all.
  void forget(std::int64_t id) { recent_.erase(id); }

  // ---- Asking ----
  // A message by its part's network id, or by our key; nothing: it is not known. Of a part other than the first, what
  // the first part's row says, and which part it is.
  boost::asio::awaitable<std::optional<store::MessageRow>> find(base::AccountId account, std::string network_id);
  // The same, where no store need be asked.
  std::optional<store::MessageRow> find_recent(base::AccountId account, const std::string& network_id) const;
  const store::MessageRow* find_recent(base::AccountId account, std::int64_t id) const {
    return recent_.find(account, id);
  }

  // ---- How far a message has come ----
  struct Step {
    bool is_new = false;                                                                       // something is written
    connector::Stage before = connector::Stage::accepted, after = connector::Stage::accepted;  // of the whole message
  };
  // Before advance(), of a message that find() has found.
  boost::asio::awaitable<void> load_stages(store::MessageRow message);
  // A part of the message has come so far: in the journal's present step, and taken back should that fail.
  Step advance(const store::MessageRow& message, connector::Stage stage);

  // ---- Translating ----
  // The messages that the user's program has named in an action, as the network names them.
  boost::asio::awaitable<convert::Referents> name_for_network(base::AccountId account, connector::Action& action,
                                                              base::Time now);
  // The messages that the network has named in an event, as the user's program names them. One that is not known is
  // waited for while a send to that chat, which began less than five seconds ago, has not returned with its name; then
  // what refers to it becomes what can be said without it, or nothing. Events of one chat return in the order in which
  // they came, and their callers go on before the next one does.
  boost::asio::awaitable<std::optional<connector::Event>> name_for_user(base::AccountId account,
                                                                        connector::Event event);

 private:
  boost::asio::awaitable<convert::Referent> name_for_network(base::AccountId account, const base::ChatId& chat,
                                                             std::vector<base::MessageId>* ids, base::Time now);
  void hold_stages(std::int64_t id, std::vector<connector::Stage> stages);
  boost::asio::awaitable<std::vector<store::MessageRow>> find_named_by_user(base::AccountId account, base::ChatId chat,
                                                                            std::string name);
  // A message as the user's program calls it.
  struct Named {
    std::string stanza_id;
    bool is_users = false;  // who wrote it
  };
  boost::asio::awaitable<std::optional<Named>> named(base::AccountId account, std::string chat, std::string network_id);
  boost::asio::awaitable<std::optional<Named>> await_named(base::AccountId account, std::string chat,
                                                           std::string network_id);
  boost::asio::awaitable<void> await_name(base::AccountId account, std::string chat, std::string network_id,
                                          SendsUnderway::Turn newest);

  Journal& journal_;
  db::Database& database_;
  SendsUnderway& underway_;
  const Keys& keys_;
  Lines naming_;
  bool refers_ = false;
  RecentlySent recent_;
  std::map<std::int64_t, std::vector<connector::Stage>> stages_;  // of messages of several parts, by id
};

}  // namespace wherry::queues
