// What servers tell of a user, as in presences and beside messages.
#pragma once

#include "connectors/oscar/client/wire.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wherry::oscar {

// Which picture somebody shows: the service that keeps it knows it by its hash.
struct IconId {
  std::uint8_t flags = 0;
  std::string hash;  // octets, usually 16
  bool operator==(const IconId&) const = default;
};

inline constexpr std::uint8_t icon_is_not_there = 0x40;  // of the flags: the server waits for the picture itself

struct UserInfo {
  std::string name;
  bool is_away = false, is_icq = false;  // of the user's class
  std::optional<std::uint32_t> status;   // ICQ's, with flags in the high word
  std::uint32_t idle_minutes = 0;
  std::string note;            // beside the status, as the user wrote it; octets
  std::optional<IconId> icon;  // none: none is shown
  Tlvs tlvs;                   // all of them
};

// Of 01/21: the first icon that people show. Nothing where there is none, or it cannot be read.
std::optional<IconId> read_icon_id(Reader& in);

// Nothing where it cannot be read.
std::optional<UserInfo> read_user_info(Reader& in);

}  // namespace wherry::oscar
