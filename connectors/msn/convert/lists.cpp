#include "connectors/msn/convert/lists.hpp"

#include "connectors/msn/convert/percent.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::msn {

namespace {

constexpr std::size_t most_email_bytes = 129, most_name_bytes = 129;  // as the historic service had it
constexpr std::size_t most_phone_bytes = 100;

// Takes a word that names what it is; false: it is none.
bool take_named(Member& member, std::string_view word) {
  if (word.starts_with("N=")) member.email = base::to_lower_ascii(from_percent(word.substr(2)));
  else if (word.starts_with("F=")) member.name = from_percent(word.substr(2));
  else if (word.starts_with("C=")) member.guid = word.substr(2);
  else return false;
  return true;
}

// RFC 5321 §4.1.2 and RFC 6531 §3.3, without what MSN reads as an escape.
bool is_email_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && std::string_view("@\"(),:;<>[\\]%").find(c) == std::string_view::npos;
}

}  // namespace

std::optional<list::Bit> parse_list(std::string_view name) {
  if (name == "FL") return list::forward;
  if (name == "AL") return list::allow;
  if (name == "BL") return list::block;
  if (name == "RL") return list::reverse;
  if (name == "PL") return list::pending;
  return std::nullopt;
}

std::string to_list_name(list::Bit bit) {
  switch (bit) {
    case list::forward: return "FL";
    case list::allow: return "AL";
    case list::block: return "BL";
    case list::reverse: return "RL";
    case list::pending: return "PL";
  }
  return {};
}

std::string to_name_word(std::string_view name) { return to_percent(base::utf8_prefix(name, most_name_bytes)); }

Member parse_addition(const std::vector<std::string>& args, std::size_t first) {
  Member member;
  for (std::size_t i = first; i < args.size(); ++i) take_named(member, args[i]);
  return member;
}

std::optional<Member> parse_member(const std::vector<std::string>& args) {
  Member member;
  std::vector<std::string_view> rest;
  for (const std::string& word : args) {
    if (!take_named(member, word)) rest.push_back(word);
  }
  if (member.email.empty() || rest.empty()) return std::nullopt;
  const std::string_view bits = rest.front();
  const auto [end, failed] = std::from_chars(bits.data(), bits.data() + bits.size(), member.lists);
  if (failed != std::errc() || end != bits.data() + bits.size()) return std::nullopt;
  // Behind the bits: a type (MSNP12) and groups. A group's guid is longer than a type.
  const std::string_view groups = rest.size() > 1 && rest.back().size() > 8 ? rest.back() : std::string_view();
  for (const std::string_view group : base::split(groups, ',')) {
    if (!group.empty()) member.groups.emplace_back(group);
  }
  return member;
}

bool names_nobody(const std::vector<std::string>& args) {
  const auto begins_with = [&](std::string_view name) {
    return std::any_of(args.begin(), args.end(), [&](const std::string& word) { return word.starts_with(name); });
  };
  return begins_with("C=") && !begins_with("N=");
}

std::optional<PhoneNumber> parse_phone_number(const std::vector<std::string>& args) {
  if (args.size() < 2 || args.size() > 3) return std::nullopt;
  PhoneNumber phone;
  if (args.size() == 3) phone.email = base::to_lower_ascii(from_percent(args[0]));
  phone.kind = args[args.size() - 2];
  phone.number = base::utf8_prefix(from_percent(args.back()), most_phone_bytes);
  if (phone.kind != "PHH" && phone.kind != "PHW" && phone.kind != "PHM") return std::nullopt;
  return phone;
}

std::optional<std::string> parse_email(std::string_view typed) {
  std::string email = base::to_lower_ascii(base::trim(typed));
  if (email.starts_with("mailto:")) email = email.substr(7, email.find('?') - 7);  // RFC 6068 §2
  if (email.starts_with("msnim:")) return std::nullopt;
  if (email.find('@') == std::string::npos && email.find('%') == email.rfind('%')) {
    // COMPAT(PyMSNt 0.11): its contacts are juliet%example.com, and users' lists still have them.
    std::replace(email.begin(), email.end(), '%', '@');
  }
  const auto at = email.find('@');
  if (at == std::string::npos || at == 0 || email.size() > most_email_bytes) return std::nullopt;
  const std::string_view domain = std::string_view(email).substr(at + 1);
  const std::string_view name = std::string_view(email).substr(0, at);
  const bool is_formed = std::all_of(name.begin(), name.end(), is_email_letter) &&
                         std::all_of(domain.begin(), domain.end(), is_email_letter) && base::is_utf8(email) &&
                         !domain.empty() && !domain.starts_with('.') && !domain.ends_with('.');
  if (!is_formed) return std::nullopt;
  return email;
}

}  // namespace wherry::msn
