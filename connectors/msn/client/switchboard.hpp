// A session with a switchboard: one conversation, of two or more. A state machine fed with bytes, as notification.hpp.
#pragma once

#include "connectors/msn/client/protocol.hpp"

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace wherry::msn {

struct Opened {};  // we are in; call() may follow
struct Joined {
  std::string email, name;
};
struct Left {
  std::string email;
};
struct CallRefused {  // whom we called does not come
  std::string email;
  int error = 0;  // 0: the call was not answered
};
struct Acknowledged {  // by the server: it has passed the message on to whoever is in
  std::uint32_t transaction = 0;
};
struct NotDelivered {
  std::uint32_t transaction = 0;
  bool is_silence = false;  // neither ACK nor NAK came
};
struct Heard {
  std::string email, name;
  std::string payload;
  bool is_to_several = false;  // somebody else is in, beside the two of us
};
using SwitchboardEvent = std::variant<Opened, Joined, Left, CallRefused, Acknowledged, NotDelivered, Heard>;

enum class Acknowledgement {
  none,       // U
  requested,  // A: ACK or NAK
};

class Switchboard {
 public:
  using Event = SwitchboardEvent;

  // Opens a new conversation with the key that XFR gave.
  static Switchboard create(const std::string& email, const std::string& key, Time now);
  // Follows an invitation (RNG).
  static Switchboard answer(const std::string& email, const std::string& key, const std::string& session, Time now);

  void call(const std::string& email, Time now);
  std::uint32_t send(const std::string& payload, Acknowledgement acknowledgement, Time now);
  void leave();

  void feed(std::string_view bytes, Time now);
  void tick(Time now);
  Time next_tick() const { return protocol_.next_tick(); }
  Protocol& protocol() { return protocol_; }
  const Protocol& protocol() const { return protocol_; }
  std::vector<SwitchboardEvent> take_events() { return std::exchange(events_, {}); }

  bool is_open() const { return is_open_ && !protocol_.ended(); }
  // Names by e-mail address; without ourselves.
  const std::map<std::string, std::string>& others() const { return others_; }
  bool has(const std::string& email) const { return others_.contains(email); }

 private:
  explicit Switchboard(std::string email) : email_(std::move(email)) {}
  void handle(ProtocolEvent event);
  void handle(const Answered& answered);
  void handle(const Unanswered& unanswered);
  void handle(Said said);
  void join(const std::string& word, const std::string& name);
  void part(const std::string& word);

  std::string email_;
  Protocol protocol_;
  bool is_open_ = false;
  std::map<std::string, std::string> others_;
  std::map<std::string, std::set<std::string>> programs_;  // of each of them, by GUID; "": the person as such
  std::map<std::uint32_t, std::string> calls_;
  std::vector<SwitchboardEvent> events_;
};

}  // namespace wherry::msn
