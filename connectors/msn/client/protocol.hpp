// One MSNP connection below its meaning: commands, transactions by number, each with a time limit. Fed with bytes;
// knows no socket, and the caller tells the time. Both kinds of servers (notification.hpp, switchboard.hpp) stand on
// it.
#pragma once

#include "connectors/msn/client/command.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wherry::msn {

using Time = std::chrono::steady_clock::time_point;

// A server answers a command that it stumbles over with nothing at all.
inline constexpr std::chrono::seconds transaction_limit{15};

// Why a connection is over.
enum class End {
  closed,         // by us
  lost,           // by the peer, or by what lies between
  broken,         // the peer sent what is no MSNP
  silent,         // the peer does not answer
  refused,        // the peer answered with an error
  elsewhere,      // the account has logged in somewhere else (OUT OTH)
  shutting_down,  // the server is going down (OUT SSD)
};

struct Answered {  // what was asked; the command is the answer or an error
  std::uint32_t transaction = 0;
  std::string request;  // the name of what was asked
  Command command;
};
struct Unanswered {  // within the limit
  std::uint32_t transaction = 0;
  std::string request;
};
struct Said {  // by the server, unasked
  Command command;
};
using ProtocolEvent = std::variant<Answered, Unanswered, Said>;

class Protocol {
 public:
  // Sends a command with the next number. Its answer comes as an event.
  std::uint32_t request(std::string_view name, std::vector<std::string> args, Time now,
                        const std::optional<std::string>& payload = std::nullopt);
  // As request(), where no answer is to be awaited.
  std::uint32_t tell(std::string_view name, std::vector<std::string> args, const std::optional<std::string>& payload);
  // Sends a command that has no number.
  void send(std::string_view name, const std::vector<std::string>& args = {});

  void feed(std::string_view bytes);
  void tick(Time now);
  // What has happened, one after the other: what is done about one may decide what the next is.
  std::optional<ProtocolEvent> next_event();
  // When tick() has something to do.
  Time next_tick() const;

  void end(End end, std::string why);
  bool ended() const { return end_.has_value(); }
  End how_ended() const { return end_.value_or(End::closed); }
  const std::string& why() const { return why_; }  // for the log

  std::string take_output() { return std::exchange(output_, {}); }
  bool has_output() const { return !output_.empty(); }

 private:
  struct Pending {
    std::string name;
    Time limit;
  };
  void take(Command command);

  Framer framer_;
  std::string output_;
  std::deque<ProtocolEvent> events_;
  std::map<std::uint32_t, Pending> pending_;
  std::uint32_t last_ = 0;
  std::optional<End> end_;
  std::string why_;
};

}  // namespace wherry::msn
