// What ICQ's own services say inside of family 15: packets within packets, whose numbers go the other way round.
#pragma once

#include "connectors/oscar/client/wire.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  bool has_more = false;  // the server says that parts of the same answer follow
};
std::string write_icq(const IcqPacket& packet);            // the body of 15/02
std::optional<IcqPacket> read_icq(std::string_view body);  // of 15/03

// ---- Questions: the data of an IcqPacket::question. Texts are octets ----
std::string ask_short_info(std::uint32_t uin);
std::string ask_full_info(std::uint32_t uin);
enum class SearchField : std::uint16_t { uin = 0x136, first = 0x140, last = 0x14A, nick = 0x154, mail = 0x15E };
std::string search_number(std::uint32_t uin);
// One text or two: all must fit.
std::string search_texts(const std::vector<std::pair<SearchField, std::string>>& texts);
std::string change_nick(std::string_view nick);

// ---- Answers ----
// Whether no further packet belongs to the same answer, as far as this one tells.
bool ends_answer(const IcqPacket& packet);
// Whether the server has done what was asked.
bool has_succeeded(const IcqPacket& packet);

// What people have written of themselves, as far as they have. Octets.
struct IcqDetails {
  std::string nick, first, last, mail, city, phone, homepage, about;
  std::uint16_t country = 0;  // ICQ's own numbers
  std::uint8_t gender = 0;    // 1 female, 2 male
  std::uint16_t birth_year = 0;
  std::uint8_t birth_month = 0, birth_day = 0;
  bool operator==(const IcqDetails&) const = default;
};
// Adds what one packet of an answer tells.
void read_details(const IcqPacket& packet, IcqDetails& details);

struct FoundUser {
  std::uint32_t uin = 0;
  std::string nick, first, last, mail;
  bool operator==(const FoundUser&) const = default;
};
// Of one packet of a search's answer.
std::vector<FoundUser> read_found(const IcqPacket& packet);

}  // namespace wherry::oscar
