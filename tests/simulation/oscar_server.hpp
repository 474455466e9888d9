// A simulated OSCAR server: logins, sessions, contact lists, messages and what is kept of them. Its faults are drawn.
// What of it happens to messages is told to an OscarPost.
#pragma once

#include "connectors/oscar/client/roster.hpp"
#include "connectors/oscar/client/services/icq.hpp"
#include "tests/simulation/oscar_peer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <list>
#include <map>
#include <set>

namespace wherry::simulation {

struct OscarMessage {
  std::string from, to;  // people of the history
  std::string cookie;
  std::string octets;  // as they are written, in `charset`
  std::uint16_t charset = 0;
};

// Who keeps the books.
class OscarPost {
 public:
  virtual ~OscarPost() = default;
  virtual bool is_known(const std::string& user) const = 0;          // a user's account, whose password is taken
  virtual void entered(const std::string& user) = 0;                 // a session of theirs begins
  virtual void sent_away(const std::string& user) = 0;               // must log in anew
  virtual void taken(const OscarMessage& message) = 0;               // from a user
  virtual void kept(const OscarMessage& message) = 0;                // until its recipient logs in
  virtual void left(const OscarMessage& message, bool is_read) = 0;  // the server has given it away
  virtual void deleted(const OscarMessage& message) = 0;             // as its recipient asks
  virtual void confirmed(const OscarMessage& message) = 0;           // the other side's program has told so
};

class OscarServer {
 public:
  OscarServer(asio::io_context& loop, Recorder& recorder, OscarPost& post);

  int dial(const std::string& host, std::uint16_t port);
  // Live, or kept.
  void deliver(OscarMessage message);
  void say_news(const std::string& user, std::uint16_t family, std::uint16_t subtype, std::string_view body);
  void show(const std::string& user, const std::string& contact, bool is_there);
  void ask(const std::string& user, const std::string& contact);
  void change_list(const std::string& user, std::uint64_t number);  // another program does
  void break_session(const std::string& user);
  void break_all();
  void process_died();

  std::vector<OscarMessage> waiting() const;
  bool has_listed(const std::string& user, const std::string& contact) const;
  // The host that a connector is to dial; each process another one, for what it remembers of the last is gone.
  std::string host() const { return "login" + std::to_string(lives_); }

 private:
  struct Guest {
    std::shared_ptr<OscarPeer> peer;
    std::string person, challenge;
    bool is_session = false, is_ready = false, is_garbled = false;
    std::set<std::string> present;  // as it was told
  };
  using GuestPtr = std::shared_ptr<Guest>;
  struct Kept {
    OscarMessage message;
    Microseconds at = 0;
    bool is_given = false;
  };
  struct Account {
    std::map<std::pair<std::uint16_t, std::uint16_t>, oscar::RosterItem> list;
    std::list<Kept> kept;
    GuestPtr session;
    bool asks_first = false;  // whoever adds them
    std::set<std::string> granted;
  };

  // ---- Connections (oscar_server.cpp) ----
  void hear(const GuestPtr& guest, const oscar::Frame& frame);
  void gone(const GuestPtr& guest);
  void log_in(const GuestPtr& guest, const oscar::Snac& snac);
  void give_verdict(const GuestPtr& guest, const oscar::Snac& snac);
  void send_away(const GuestPtr& guest);
  // ---- Sessions (oscar_session.cpp) ----
  void enter(const GuestPtr& guest, const std::string& cookie);
  void serve(const GuestPtr& guest, const oscar::Snac& snac);
  void be_ready(const GuestPtr& guest);
  void serve_icq(const GuestPtr& guest, const oscar::Snac& snac);
  void give_kept(const GuestPtr& guest, const oscar::Snac& snac, const oscar::IcqPacket& request);
  std::string rates() const;
  std::string info_of(const std::string& person, bool is_there) const;
  void say_presence(const GuestPtr& guest, const std::string& person);
  // ---- What is said, and its faults (oscar_faults.cpp) ----
  void say(const GuestPtr& guest, std::uint16_t family, std::uint16_t subtype, std::string_view body,
           std::uint32_t id = 0, OscarPeer::Read read = {}, Microseconds after = 0);
  void answer(const GuestPtr& guest, const oscar::Snac& to, std::uint16_t family, std::uint16_t subtype,
              std::string_view body);
  void say_garbage(const GuestPtr& guest);
  void say_nonsense(const GuestPtr& guest);
  // ---- Lists (oscar_lists.cpp) ----
  void give_list(const GuestPtr& guest, const oscar::Snac& snac);
  void change(const GuestPtr& guest, const oscar::Snac& snac);
  std::uint16_t verdict(Account& account, std::uint16_t subtype, const oscar::RosterItem& item);
  void take_request(const GuestPtr& guest, const oscar::Snac& snac);
  void grant(const std::string& user, const std::string& contact, bool is_granted);
  // ---- Messages (oscar_mail.cpp) ----
  void take_message(const GuestPtr& guest, const oscar::Snac& snac);
  std::uint16_t refusal(const OscarMessage& message, std::uint64_t attempt);
  void acknowledge(const GuestPtr& guest, const OscarMessage& message, std::uint32_t id, Microseconds after = 0);
  void confirm(const OscarMessage& message);
  void give(const GuestPtr& guest, const OscarMessage& message, std::optional<Microseconds> kept_at);

  const Draw& draw() const { return recorder_.draw; }
  const OscarTraits& traits() const { return *recorder_.plan.oscar; }
  std::string name_of(const std::string& person) const;
  std::string person_of(std::string_view name) const;
  bool fails(std::string_view purpose, int per_mille);
  void note(const std::string& text) const;
  void later(Microseconds after, std::function<void()> then);

  asio::io_context& loop_;
  Recorder& recorder_;
  OscarPost& post_;
  std::map<std::string, Account> accounts_;  // by person
  std::list<GuestPtr> guests_;
  std::map<std::string, std::string> tickets_;  // whose, by cookie
  std::map<std::string, std::uint64_t> attempts_;
  std::uint64_t connections_ = 0, events_ = 0, lives_ = 0;
};

}  // namespace wherry::simulation
