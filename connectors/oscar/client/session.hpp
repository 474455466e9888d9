// One session at the server that keeps it (BOS), as a pure object: from the ticket to the last octet. It shakes hands,
// keeps the line alive, sends no faster than the server allows, and sets every question a limit.
#pragma once

#include "connectors/oscar/client/machine.hpp"
#include "connectors/oscar/client/news.hpp"
#include "connectors/oscar/client/rates.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace wherry::oscar {

struct SessionLimits {
  std::chrono::seconds step{20};        // for each answer of the handshake
  std::chrono::seconds answer{15};      // to a question, once it is sent
  std::chrono::seconds keep_alive{60};  // between signs of life of ours
  std::size_t queued = 500;             // packets that wait because of the server's rates
};

// ---- What comes of it ----
struct Ready {};  // logged in; the server reads what it is told
// To a question. `is_presumed`: a message that was not answered, where the server answered what was asked behind it.
struct Answer {
  std::uint32_t id = 0;
  Snac snac;
  bool is_presumed = false;
};
// To a question there is none, in time or because the session ended. `was_sent`: the server may have it.
struct Unanswered {
  std::uint32_t id = 0;
  bool was_sent = false;
};
struct Ended {
  enum class Kind {
    broken,       // by the line, or by something that cannot be read
    closed,       // the server said good-bye
    other_login,  // because the account logged in elsewhere
  };
  Kind kind = Kind::broken;
  std::string reason;
};
using SessionEvent = std::variant<Ready, Answer, Unanswered, News, Ended>;

class OscarSession final : public Machine {
 public:
  // `plain`: what makes names the same (Roster::Plain). `status`: the first one shown.
  OscarSession(std::string cookie, std::uint32_t status, Roster::Plain plain, SessionLimits limits, Time now);
  // A connection beside the session, for one service (01/05): ready once the rates are known.
  OscarSession(std::string cookie, std::uint16_t service, SessionLimits limits, Time now);

  void feed(std::string_view octets, Time now) override;
  void tick(Time now) override;
  Time next_tick() const override;
  void closed() override;
  std::string take_output() override { return std::exchange(output_, {}); }
  bool has_output() const override { return !output_.empty(); }
  bool ended() const override { return ended_; }
  std::vector<SessionEvent> take_events() { return std::exchange(events_, {}); }
  bool has_events() const { return !events_.empty(); }

  // Of all below: 0 where too much waits already, or the session has ended. A question's id comes back with its answer.
  std::uint32_t ask(std::uint16_t family, std::uint16_t subtype, std::string body, Time now);
  std::uint32_t tell(std::uint16_t family, std::uint16_t subtype, std::string body, Time now);
  // `is_acknowledged`: false where this server may say nothing though it has taken the message.
  std::uint32_t send(const OutgoingMessage& message, bool is_acknowledged, Time now);
  // Only if it can go now.
  bool tell_at_once(std::uint16_t family, std::uint16_t subtype, std::string body, Time now);

  // When such a packet may go without that a message of the user's waits for it: now, or later.
  Time when_spare(std::uint16_t family, std::uint16_t subtype, Time now) const;

  // Says good-bye.
  void end(std::string reason);

  bool offers(std::uint16_t family) const { return families_.contains(family); }
  Roster& roster() { return roster_; }
  // False where the list is longer than what is read of it, or cannot be read to its end.
  bool has_whole_roster() const { return is_roster_whole_; }

 private:
  enum class Step { greeting, families, versions, rates, roster, last, ready };
  struct Question {
    std::uint16_t family = 0, subtype = 0;
    std::string cookie;          // of a message
    std::uint32_t confirms = 0;  // the message that is taken if this is answered before it
    bool is_acknowledged = true;
    Time deadline = Time::max();  // once it is sent
    bool was_sent = false;
  };
  struct Waiting {
    Snac snac;
  };

  void handle(const Frame& frame, Time now);
  void handle(Snac snac, Time now);
  void advance(const Snac& snac, Time now);
  void begin(Step step, Time now);
  void say_versions(Time now);
  void say_limits(Time now);
  void take_roster(const Snac& snac, Time now);
  void say_ready(Time now);
  bool take_answer(const Snac& snac, Time now);
  void settle(std::uint32_t id, Snac snac, bool is_presumed);
  void report(News news);
  std::uint32_t queue(std::uint16_t family, std::uint16_t subtype, std::string body);
  void flush(Time now);
  void write(const Snac& snac, Time now);
  void finish(Ended::Kind kind, std::string reason);
  static std::string_view waited_for(Step step);
  bool speaks(std::uint16_t family) const;
  void be_ready();

  std::string cookie_;
  std::uint16_t service_ = 0;  // 0: the session itself
  std::uint32_t status_;
  SessionLimits limits_;
  Flap flap_;
  Rates rates_;
  Roster roster_;
  std::set<std::uint16_t> families_;
  std::string output_;
  std::vector<SessionEvent> events_;
  std::vector<News> early_;                               // came before everything was ready
  std::map<std::uint16_t, std::deque<Waiting>> waiting_;  // by rate class
  std::size_t queued_ = 0;
  std::map<std::uint32_t, Question> questions_;
  std::uint32_t next_id_ = 1, list_question_ = 0, last_question_ = 0;
  Step step_ = Step::greeting;
  Time deadline_, next_keep_alive_;
  std::size_t roster_items_ = 0;
  bool is_roster_whole_ = true;
  bool ended_ = false;
};

}  // namespace wherry::oscar
