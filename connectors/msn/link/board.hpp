// A connected switchboard: one conversation.
#pragma once

#include "connectors/msn/client/switchboard.hpp"
#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/link/speaker.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wherry::msn {

// What became of a message.
enum class Fate {
  waiting,
  passed_on,  // acknowledged while the other was in
  missed,     // acknowledged, but the other had left before: it may have gone nowhere
  refused,    // NAK
  unknown,    // neither ACK nor NAK came, in time or before the end
};

// Whether somebody came who was called.
struct CallOutcome {
  bool has_joined = false;
  int error = 0;         // that the call was refused with
  bool is_over = false;  // the switchboard has ended
};

class Board final : public Connection<Switchboard, Heard> {
 public:
  Board(const asio::any_io_executor& executor, Switchboard machine);

  // False: it has ended before it was open.
  asio::awaitable<bool> await_open();
  // Calls, and waits for the other to come in. base::TimedOut: nobody came.
  asio::awaitable<CallOutcome> call(std::string email);
  asio::awaitable<Fate> send(std::string payload, std::string to);
  // Nobody needs to know what becomes of it.
  void tell(const std::string& payload);
  void leave();

  // Somebody else than these two is or was in.
  bool is_group() const { return is_group_; }
  // Who is in a conversation of several and was not in the last answer: it is for whoever must be told of them.
  std::vector<std::string> take_newcomers();
  bool is_ready_for(const std::string& email) const { return machine_.is_open() && machine_.has(email) && !is_group_; }
  Time used_at() const { return used_at_; }
  bool ended() const { return machine_.protocol().ended(); }
  const std::string& why() const { return machine_.protocol().why(); }
  ChunkedTexts& chunks() { return chunks_; }

 private:
  struct Sent {
    std::string to;
    Fate fate = Fate::waiting;
  };
  void take(SwitchboardEvent event) override;
  void pass_time(Time now) override;
  Time next_time() const override;
  asio::awaitable<CallOutcome> await_call(std::string email);
  void settle(std::uint32_t transaction, Fate fate);

  std::set<std::string> present_;  // as the events have it: what came before and after what
  std::map<std::uint32_t, Sent> sent_;
  std::map<std::string, int> refused_calls_;
  bool is_group_ = false;
  std::set<std::string> told_;  // newcomers
  ChunkedTexts chunks_;
  Time used_at_;
};

}  // namespace wherry::msn
