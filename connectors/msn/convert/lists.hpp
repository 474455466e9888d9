// The account's lists as the server keeps them: who is on which (bits), names, groups. Pure.
//
//   FL  my contacts                                  changed by me
//   AL  who may see me                               changed by me; nobody is on AL and BL
//   BL  whom I have blocked                          changed by me
//   RL  whose contact I am                           changed by the server
//   PL  who made me a contact, and waits for my word; some servers leave the bit RL out then
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::msn {

namespace list {
enum Bit : unsigned { forward = 1, allow = 2, block = 4, reverse = 8, pending = 16 };
}

struct Member {
  std::string email;  // in lower case
  std::string name;   // decoded, or empty
  std::string guid;   // "C=": of members of FL only
  unsigned lists = 0;
  std::vector<std::string> groups = {};            // their guids
  std::map<std::string, std::string> phones = {};  // by kind: PHH at home, PHW at work, PHM in the pocket
  bool is_on(list::Bit bit) const { return (lists & bit) != 0; }
  bool operator==(const Member&) const = default;
};

// "AL" → list::allow; nothing where there is no such list.
std::optional<list::Bit> parse_list(std::string_view name);
std::string to_list_name(list::Bit bit);

// A person's name as the word of a command, within the server's limit.
std::string to_name_word(std::string_view name);

// LST of MSNP11 and 12: N=… F=… C=… bits [type] [groups].
std::optional<Member> parse_member(const std::vector<std::string>& args);
// A line of the same kind that is whole, and of somebody who has no address (a telephone alone, say).
bool names_nobody(const std::vector<std::string>& args);

// What follows the list's name in ADC: N=… F=… C=…; a member whose lists are not set.
Member parse_addition(const std::vector<std::string>& args, std::size_t first);

// BPR: one number of a member, as it is written; "": none.
struct PhoneNumber {
  std::string email;  // in lower case; empty within the list, where it is the last member's
  std::string kind, number;
};
// Nothing where it is of no kind that we know.
std::optional<PhoneNumber> parse_phone_number(const std::vector<std::string>& args);

// The true form of an account's name: an address in lower case without what surrounds it. Nothing where it cannot be
// one.
std::optional<std::string> parse_email(std::string_view typed);

}  // namespace wherry::msn
