// What a server says unasked, read.
#pragma once

#include "connectors/oscar/client/message.hpp"
#include "connectors/oscar/client/roster.hpp"
#include "connectors/oscar/client/services/icq.hpp"
#include "connectors/oscar/client/user_info.hpp"

#include <string>
#include <variant>
#include <vector>

namespace wherry::oscar {

struct Arrived {  // or shows something else
  std::vector<UserInfo> users;
};
struct Departed {
  std::vector<std::string> names;
};
struct AuthorisationAsked {
  std::string name, reason;
};
struct AuthorisationAnswered {
  std::string name;
  bool is_granted = false;
  std::string reason;
};
struct AuthorisationGiven {  // in advance
  std::string name;
};
struct Added {  // the account is on somebody's list now
  std::string name;
};
struct Heard {  // the other side's program says what became of a message
  Acknowledgement acknowledgement;
};
struct Missed {  // messages that the server has thrown away
  std::string name;
  std::uint16_t count = 0, reason = 0;
};
struct IconNoted {  // of the account's own icons, as its list names them
  IconId icon;
  bool is_wanted = false;  // the server has not the picture itself
};
struct StoredEnd {};  // of what the server kept (04/17)

using News =
    std::variant<std::monostate, IncomingMessage, Arrived, Departed, TypingNotice, RosterChange, AuthorisationAsked,
                 AuthorisationAnswered, AuthorisationGiven, Added, Heard, Missed, StoredEnd, IcqPacket, IconNoted>;

// std::monostate: nothing that concerns us, or nothing that can be read.
News read_news(const Snac& snac);

}  // namespace wherry::oscar
