#include "connectors/oscar/convert/names.hpp"

#include "gateway/base/text.hpp"

#include <algorithm>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_typed = 200, most_name = 64;
constexpr std::uint64_t least_uin = 10'000, most_uin = 2'147'483'646;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

base::Error not_a_contact() {
  return {base::Errc::bad_input, "A contact is an ICQ number like 123456789 or a screen name like Chatty Joe."};
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string plain = base::to_lower_ascii(name);
  std::erase(plain, ' ');
  return plain;
}

bool is_uin(std::string_view plain) { return !plain.empty() && std::all_of(plain.begin(), plain.end(), is_digit); }

base::Result<base::ContactId> parse_contact(std::string_view typed) {
  if (typed.size() > most_typed) return not_a_contact();
  std::string plain = plain_name(base::trim(typed));
  const bool has_digits_only = std::all_of(plain.begin(), plain.end(), [](char c) { return is_digit(c) || c == '-'; });
  if (has_digits_only) std::erase(plain, '-');  // people write 123-456-789
  if (plain.empty() || plain.size() > most_name) return not_a_contact();
  if (is_uin(plain)) {
    const std::uint64_t number = plain.size() > 10 ? 0 : std::stoull(plain);
    if (number < least_uin || number > most_uin || plain[0] == '0') return not_a_contact();
    return base::ContactId{std::move(plain)};
  }
  // Screen names have letters and digits; those that are mail addresses came later.
  const bool is_name = is_letter(plain[0]) && plain.size() >= 2 && std::all_of(plain.begin(), plain.end(), [](char c) {
                         return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-' || c == '@' || c == '+';
                       });
  if (!is_name) return not_a_contact();
  return base::ContactId{std::move(plain)};
}

}  // namespace wherry::oscar
