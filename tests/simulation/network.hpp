// A simulated network: what exists of it outside the process. What its connector does inside is in
// network_connector.cpp.
#pragma once

#include "gateway/connector/contract.hpp"
#include "tests/simulation/recorder.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::simulation {

// The gateway's end of one user's connection; of the process that lives.
struct NetworkSession {
  virtual void wake() = 0;  // there is something in the mailbox, or the connection's fate has changed
 protected:
  ~NetworkSession() = default;
};

// What waits for a user until it is acknowledged.
struct Mail {
  connector::Event event;
  std::string text;     // of a message of the plan, else ""
  std::string contact;  // whose order counts
  Microseconds due = 0;
};

struct Mailbox {
  std::deque<Mail> mails;
  NetworkSession* session = nullptr;
  bool breaks = false;       // the connection, as soon as it is looked at
  bool needs_login = false;  // until the user registers again
  std::uint64_t connections = 0;
};

class Network {
 public:
  Network(int index, Recorder& recorder) : index_(index), recorder_(recorder) {}
  virtual ~Network() = default;

  const NetworkTraits& traits() const { return recorder_.plan.networks[static_cast<std::size_t>(index_)]; }
  std::string name() const { return network_name(index_); }
  Recorder& recorder() const { return recorder_; }
  const Draw& draw() const { return recorder_.draw; }

  // The connector of a new process, where it is part of the process (else: child.hpp).
  virtual std::unique_ptr<connector::Connector> make_connector(connector::Services services);

  // ---- The plan's steps ----
  virtual void write(const Step& step);  // a contact writes to a user
  void refer(const Step& step);          // … or says something of a message
  virtual void report_nonsense(const Step& step);
  virtual void change_presence(const Step& step);
  virtual void ask(const Step& step);
  virtual void list(const Step& step);
  virtual void break_session(const std::string& user);
  virtual void break_all();
  virtual void want_login(const std::string& user);
  void go_away(Microseconds until) {
    away_until_ = until;
    break_all();
  }

  // What still waits for users whose login it takes.
  virtual void note_mail_left(std::vector<Record>& left) const;

  // ---- The connector's side ----
  Mailbox& mailbox(const std::string& user) { return mailboxes_[user]; }
  bool is_away() const { return now() < away_until_ && !recorder_.is_healed(); }
  void put(const std::string& user, Mail mail);
  void hand_over(const std::string& user);    // the first mail, which is not acknowledged yet
  void acknowledge(const std::string& user);  // the first mail
  // Which of the users' messages it is, or which of the things that they say of one.
  std::string text_of(const connector::Action& action) const;
  // The network has it now, unless it has it already (where it goes by keys); the ids of a message there.
  std::vector<connector::MessageId> take(const std::string& user, const connector::Action& action);
  void add_contact(const std::string& user, const std::string& contact);
  Microseconds delay(std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;
  std::uint64_t count_attempt(const std::string& text) { return ++attempts_[text]; }
  // What it will not take it never takes.
  bool has_taken(const std::string& key) const { return taken_.contains(key); }
  void refuse(const std::string& key) { refused_.insert(key); }
  bool is_refused(const std::string& key) const { return refused_.contains(key); }
  std::uint64_t next_number() { return ++numbers_; }
  // The process is dead: nobody is connected, and of what was on its way to us the rest may still come.
  virtual void process_died();
  struct Sending {
    std::string user;
    connector::Action action;
  };
  std::map<std::uint64_t, Sending> sending;  // that left the connector and is not taken yet
  // Its connector is no longer there: it may have come all the same.
  void forget_or_take(std::uint64_t number);
  std::vector<std::function<void()>> children;  // where the connector is a process: closes its standard input

 private:
  // A message that was sent or came, as the network knows it.
  struct Known {
    std::string user, contact, text;
    std::vector<connector::MessageId> ids;  // of its parts
    bool from_user = false;
    std::set<std::string> delivered = {};  // parts, of which it has told so
  };
  void know(Known message);
  Known* delivered_in(const std::string& user, const connector::Event& event);
  std::string named_by(const std::string& user, const connector::Action& action) const;
  void say(const std::string& user, const std::string& contact, const Step& step, const Known* target);
  std::vector<connector::MessageId> ids_for(const std::string& user, const std::string& text, const std::string& key);
  void report(const std::string& user, const std::string& text, const std::vector<connector::MessageId>& ids);

  int index_;
  Recorder& recorder_;
  // A user here is an account (account_name()): a network knows nobody behind it.
  std::map<std::string, Mailbox> mailboxes_;                        // by user
  std::map<std::string, std::vector<connector::MessageId>> taken_;  // by key, where the network goes by keys
  std::vector<Known> known_;
  std::map<std::pair<std::string, std::string>, std::size_t> known_by_id_;  // and by user
  std::map<std::string, std::uint64_t> ids_given_;                          // by user
  std::map<std::string, std::uint64_t> attempts_;
  std::set<std::string> refused_;  // by key
  Microseconds away_until_ = 0;
  std::uint64_t numbers_ = 0;
};

// Before a text that says how another one reads now, where that is not known or has no edits.
inline constexpr std::string_view correction_mark = "✎ ";

std::string user_of(const std::string& address);  // "romeo@x.test" → "romeo"
// The account that somebody logs in to, who must be its owner.
std::string account_in(const connector::Answers& credentials, const std::string& user);

}  // namespace wherry::simulation
