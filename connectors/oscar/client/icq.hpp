// What ICQ's own services say inside of family 15: packets within packets, whose numbers go the other way round.
#pragma once

#include "connectors/oscar/client/wire.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wherry::oscar {

struct IcqPacket {
  enum Type : std::uint16_t {
    fetch_stored = 0x3C,
    delete_stored = 0x3E,
    stored_message = 0x41,
    end_of_stored = 0x42,
    question = 0x7D0,
    answer = 0x7DA,
  };
  std::uint32_t uin = 0;  // the account's own
  std::uint16_t type = 0, sequence = 0;
  std::string data;
};
std::string write_icq(const IcqPacket& packet);            // the body of 15/02
std::optional<IcqPacket> read_icq(std::string_view body);  // of 15/03

// What people have written of themselves. Octets.
struct ShortInfo {
  std::string nick, first, last, mail;
};
IcqPacket ask_short_info(std::uint32_t own_uin, std::uint32_t of, std::uint16_t sequence);
// Of an answer; nothing where there is none, or nobody.
std::optional<ShortInfo> read_short_info(const IcqPacket& answer);

}  // namespace wherry::oscar
