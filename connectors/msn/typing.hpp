// Who writes to whom at the moment. MSN says it again every few seconds, and does not say that somebody has stopped.
#pragma once

#include "connectors/msn/client/protocol.hpp"
#include "gateway/connector/event.hpp"

#include <map>
#include <string>
#include <vector>

namespace wherry::msn {

class Typing {
 public:
  // The user writes to that person, or has stopped.
  void begin(const std::string& email, Time now);
  void stop(const std::string& email) { ours_.erase(email); }
  // To whom it is to be said again.
  std::vector<std::string> due(Time now);

  // A person writes to the user, or has stopped: what the user is to be shown, where that is news.
  std::vector<connector::Event> note(const std::string& email, bool typing, Time now);
  // Who has not said for some seconds that they write is shown no longer.
  std::vector<connector::Event> expire(Time now);

 private:
  struct Ours {
    Time again_at, until;
  };
  std::map<std::string, Ours> ours_;
  std::map<std::string, Time> shown_;  // until then
};

}  // namespace wherry::msn
