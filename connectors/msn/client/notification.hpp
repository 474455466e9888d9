// A session with a notification server (MSNP12 or 11): logging in, the lists, presence, invitations. A state machine
// fed with bytes; knows no socket, no HTTP, no gateway.
//
//   versions → program → name ──► waiting_for_ticket ──give_ticket()──► signing_in ──► listing ──► ready
//                 │                                                          │
//                 └── XFR: Redirected, and this machine is over              └── 911: ended, End::refused
#pragma once

#include "connectors/msn/client/protocol.hpp"
#include "connectors/msn/convert/lists.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace wherry::msn {

struct Roster {
  std::vector<Member> members;
  std::map<std::string, std::string> groups;  // names by guid
  std::string name;                           // the account's own
  bool allows_others = true;                  // who is on neither AL nor BL may see us (BLP AL)
  std::size_t unread = 0;                     // lines that are not understood: somebody may stand there
  std::size_t unshown = 0;                    // lines of people without an address, or with one that no contact has
  std::size_t left_out = 0;                   // members beyond those that are kept
  std::size_t contacts_left_out = 0;          // of these, members of FL
};

struct Redirected {  // another server is to be asked instead
  std::string server;
};
struct TicketAsked {  // give_ticket() continues
  std::string policy;
};
struct SignedIn {
  Roster roster;  // whole
};
struct StatusChanged {
  std::string email;
  std::string code;         // "NLN"; "FLN": offline
  std::string name;         // empty: not said
  std::string object = {};  // <msnobj …/>: the picture that they show
};
struct PersonalMessageChanged {
  std::string email;
  std::string xml;
};
struct PhoneChanged {
  PhoneNumber phone;
};
struct AddedUs {  // us to its contacts (RL)
  std::string email;
  std::string name;
};
struct RemovedUs {
  std::string email;
};
struct Rang {  // invites us into a switchboard
  std::string server, session, key;
  std::string email, name;
};
struct Noticed {  // a message of the server's own (MSG Hotmail)
  std::string payload;
};
using NotificationEvent = std::variant<Redirected, TicketAsked, SignedIn, StatusChanged, PersonalMessageChanged,
                                       PhoneChanged, AddedUs, RemovedUs, Rang, Noticed, Answered, Unanswered>;

class Notification {
 public:
  using Event = NotificationEvent;

  // Says hello. `email` is who logs in.
  Notification(std::string email, Time now);

  void give_ticket(const std::string& ticket, Time now);

  // Once signed in: the answer comes as Answered or Unanswered.
  std::uint32_t request(std::string_view name, std::vector<std::string> args, Time now,
                        const std::optional<std::string>& payload = std::nullopt);
  void log_out();

  void feed(std::string_view bytes, Time now);
  void tick(Time now);
  Time next_tick() const;
  Protocol& protocol() { return protocol_; }
  const Protocol& protocol() const { return protocol_; }
  std::vector<NotificationEvent> take_events() { return std::exchange(events_, {}); }

  bool is_ready() const { return state_ == State::ready && !protocol_.ended(); }
  int version() const { return version_; }  // 12 or 11; 0: not agreed yet
  // The error that ended it, where the server gave one.
  int refusal() const { return refusal_; }

 private:
  enum class State {
    versions,            // VER is asked
    program,             // CVR is asked
    name,                // USR I is asked
    waiting_for_ticket,  // of our owner
    signing_in,          // USR S is asked
    listing,             // SYN is asked, or its lines are coming
    ready,
  };
  void handle(Answered answered, Time now);
  void handle(Said said, Time now);
  void handle(Unanswered unanswered);
  void advance_login(const Command& command, Time now);
  void begin_list(const Command& command);
  void take_list_line(const Command& command);
  void take_member(const Command& command);
  void finish_list_if_whole();
  void take_phone_number(const Command& command);
  void take_addition(const Command& command);
  void refuse(int error);

  std::string email_;
  Protocol protocol_;
  State state_ = State::versions;
  int version_ = 0;
  int refusal_ = 0;
  Roster roster_;
  std::size_t members_expected_ = 0, members_seen_ = 0, groups_expected_ = 0, groups_seen_ = 0;
  std::size_t contacts_kept_ = 0, others_kept_ = 0;
  bool is_counting_ = false;  // SYN is answered
  std::string last_listed_;   // whose line came last
  std::vector<NotificationEvent> events_;
  Time listing_limit_ = Time::max();
  Time ping_at_ = Time::max();  // when the next PNG is due
  Time pong_by_ = Time::max();  // when its answer is overdue
};

}  // namespace wherry::msn
