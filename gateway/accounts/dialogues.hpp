// Log-ins under way. Each is one coroutine that outlives every stanza: a connector asks, a presenter shows the question
// to the user and brings the answers, from whatever client they come. What ends well is an account.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace wherry::accounts {

struct DialogueLimits {
  std::chrono::milliseconds answer{10 * 60'000};  // for the user, to answer one question
  std::chrono::milliseconds work{60'000};         // for the network, between two questions
  std::size_t most = 100;                         // at once; one of each user; besides those that gave way
};

// One face of a dialogue: registration (XEP-0077), a command (XEP-0050), a chat. May call back from inside these.
struct Presenter {
  virtual ~Presenter() = default;
  // The question that is open now. A later one takes its place.
  virtual void show(const connector::Form& question) = 0;
  // Nothing: the account is registered. Otherwise why not. The last call.
  virtual void ended(const std::optional<xmpp::StanzaError>& failure) = 0;
};

// Whose login it is. A user has one at a time.
struct Login {
  xmpp::Jid user;         // bare
  std::string alias;      // of the account
  std::string lang;       // of the user's client; may be empty
  bool is_named = false;  // it was begun at the gateway's address with a local part
};

class Dialogues {
 public:
  // The store and the network's nature, for the account that comes of it.
  struct Setting {
    std::string domain;
    store::AccountPolicy policy;
    bool has_contact_list;
  };
  // After the presenter was told. `is_new`: not only changed.
  using Registered = std::function<void(LiveAccount&, bool is_new)>;

  Dialogues(asio::any_io_executor executor, Accounts& accounts, connector::Connector& connector, Setting setting,
            DialogueLimits limits, Registered registered);
  ~Dialogues();
  Dialogues(const Dialogues&) = delete;
  Dialogues& operator=(const Dialogues&) = delete;

  // What there is to fill in; begins nothing. Bounded by DialogueLimits::work: throws base::TimedOut.
  asio::awaitable<connector::Result<connector::Form>> first_form(Login login);

  // The presenter hears of it from the loop's next turn on. False, and nothing is begun: this user's login, or too many
  // others, are under way. A login whose question waits for its user gives way to that user's new one, and, where there
  // is no room, to anybody's: the oldest of the domain that has most.
  bool begin(Login login, std::shared_ptr<Presenter> presenter);
  // What the user is asked now; null: nothing. Valid until the next co_await.
  const connector::Form* question(const xmpp::Jid& user) const;
  bool is_under_way(const xmpp::Jid& user) const;
  // Answers to the open question, checked against it; an error ends the login, as far as the connector goes along.
  // False: no question is open, or it needs no answer.
  bool answer(const xmpp::Jid& user, connector::Result<connector::Answers> answers);
  // False: none is under way. The presenter is told `why`.
  bool cancel(const xmpp::Jid& user, xmpp::StanzaError why);
  // From now on this one shows it, beginning with the open question. The one before hears no more.
  bool present(const xmpp::Jid& user, std::shared_ptr<Presenter> presenter);

  asio::awaitable<void> stop();

 private:
  class Live;
  asio::awaitable<void> run(std::shared_ptr<Live> live);
  asio::awaitable<std::optional<xmpp::StanzaError>> outcome_of(std::shared_ptr<Live> live);
  asio::awaitable<void> log_in(std::shared_ptr<Live> live);
  asio::awaitable<void> ask_network(std::shared_ptr<Live> live);
  asio::awaitable<void> watch(std::shared_ptr<Live> live);
  asio::awaitable<void> put(std::shared_ptr<Live> live);
  Live* find(const xmpp::Jid& user) const;
  bool make_room();
  using Lives = std::unordered_map<std::string, std::shared_ptr<Live>>;
  void give_way(Lives::iterator live, xmpp::StanzaError why);
  connector::Applicant applicant_for(const Login& login, connector::Account& present);

  Accounts& accounts_;
  connector::Connector& connector_;
  Setting setting_;
  DialogueLimits limits_;
  Registered registered_;
  Lives live_;                // by the bare address
  std::size_t replaced_ = 0;  // those that gave way, and have not ended yet
  base::TaskGroup tasks_;
};

}  // namespace wherry::accounts
