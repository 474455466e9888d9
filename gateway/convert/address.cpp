#include "gateway/convert/address.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/escape.hpp"
#include "gateway/xmpp/prep/precis.hpp"

#include <algorithm>

namespace wherry::convert {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
// RFC 5122 §2.2: unreserved and nodeallow, beside letters and digits
constexpr std::string_view allowed_in_uris = "-._~!$()*+,;=";
constexpr char alias_mark = '~', room_mark = '#';
constexpr std::size_t most_alias_bytes = 32;
constexpr std::string_view gateway_name = "gateway";
constexpr std::string_view nothing = "\\00";  // stands beside a space at an end, which XEP-0106 §3.2 lets no \20 be
constexpr std::string_view always_escaped = " \"&'/:<>@~";  // XEP-0106 §3.3, and what marks a further account

int value_of(char c) {
  const auto at = hex_digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
  }
}

// Whether the backslash at `i` would be read as the beginning of an escape, in either case.
bool reads_as_escape(std::string_view text, std::size_t i) {
  return i + 2 < text.size() && value_of(to_lower(text[i + 1])) >= 0 && value_of(to_lower(text[i + 2])) >= 0;
}

bool survives_ascii(std::string_view id, std::size_t i) {
  const char c = id[i];
  if (c <= ' ' || c == '\x7F' || (c >= 'A' && c <= 'Z')) return false;
  if (c == '#') return i > 0;  // first, it marks a room
  if (c == '\\') return !reads_as_escape(id, i);
  return always_escaped.find(c) == std::string_view::npos;
}

// One character beyond ASCII. Servers with the older Nodeprep (RFC 3920 appendix A) fold more than PRECIS does: sharp
// s, final sigma, iota below, the two joiners.
bool survives(std::string_view character) {
  for (const std::string_view folded : {"ß", "ς", "\xCD\x85", "\xE2\x80\x8C", "\xE2\x80\x8D"}) {
    if (character == folded) return false;
  }
  const auto prepared = xmpp::to_username_case_mapped(character);
  return prepared && *prepared == character;
}

std::size_t length_at(std::string_view id, std::size_t i) {
  std::size_t end = i + 1;
  while (end < id.size() && (static_cast<unsigned char>(id[end]) & 0xC0) == 0x80) ++end;
  return end - i;
}

// `beyond_ascii`: whether characters beyond ASCII may stand as they are where each survives by itself.
std::string spell(std::string_view id, bool beyond_ascii) {
  std::string local;
  local.reserve(id.size() + 16);
  if (id.front() == ' ') local += nothing;
  for (std::size_t i = 0, length = 0; i < id.size(); i += length) {
    length = length_at(id, i);
    const std::string_view character = id.substr(i, length);
    const bool is_ascii = static_cast<unsigned char>(id[i]) < 0x80;
    if (is_ascii ? survives_ascii(id, i) : beyond_ascii && survives(character)) local += character;
    else append_escaped(local, character);
  }
  if (id.back() == ' ') local += nothing;
  return local;
}

// The whole local part, of which preparation sees all: beside an alias an id may mix directions.
std::string spell(std::string_view id, std::string_view before, std::string_view after) {
  std::string local = std::string(before).append(spell(id, true)).append(after);
  const bool is_ascii =
      std::all_of(local.begin(), local.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) return local;
  const auto prepared = xmpp::to_username_case_mapped(local);
  if (prepared && *prepared == local) return local;
  return std::string(before).append(spell(id, false)).append(after);  // together they compose, or mix directions
}

std::string read_escapes(std::string_view local) {
  std::string id;
  id.reserve(local.size());
  for (std::size_t i = 0; i < local.size(); ++i) {
    const int high = local[i] == '\\' && i + 2 < local.size() ? value_of(local[i + 1]) : -1;
    const int low = high < 0 ? -1 : value_of(local[i + 2]);
    if (low < 0) {
      id += local[i];
      continue;
    }
    if (high + low > 0) id += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return id;
}

bool can_be_spelt(std::string_view id) {
  return !id.empty() && id.find('\0') == std::string_view::npos && base::is_utf8(id);
}

base::Error bad_alias(std::string_view alias) {
  if (alias == gateway_name)
    return {base::Errc::not_found,
            "No account has the alias “gateway”: ~gateway is the gateway itself. Please take another alias."};
  return {base::Errc::not_found,
          "After ~ comes an account's alias: at most 32 of a-z, 0-9 and -. In a contact's name, write \\7e for ~."};
}

// The id, by the first reading: the one that the whole local part is written for, else unescaped as XEP-0106 has it,
// since a person may have typed it.
void read_id(std::string_view written, std::string_view before, std::string_view after, Address& address) {
  std::string id = read_escapes(written);
  std::string typed = xmpp::unescape_local(written);
  const bool is_own = can_be_spelt(id) && spell(id, before, after) == std::string(before).append(written).append(after);
  if (is_own) address.spelling = id == typed ? Spelling::own : Spelling::minted;
  address.id = is_own ? std::move(id) : std::move(typed);
}

// "", or the mark and the alias.
std::string suffix_of(const std::string& alias) { return alias.empty() ? alias : alias_mark + alias; }

}  // namespace

bool is_alias(std::string_view text) {
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= most_alias_bytes && text != gateway_name &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

base::Result<Address> read(const xmpp::Jid& jid) {
  std::string_view local = jid.local();
  std::string_view before, after;
  Address address;
  if (local.empty()) return address;
  if (const auto mark = local.rfind(alias_mark); mark != std::string_view::npos) {
    address.alias = local.substr(mark + 1);
    if (mark == 0 && address.alias == gateway_name) return face_address("", true);
    if (!is_alias(address.alias)) return bad_alias(address.alias);
    after = local.substr(mark);
    local = local.substr(0, mark);
  }
  if (local.empty()) {
    address.form = AddressForm::account;
    return address;
  }
  address.form = AddressForm::contact;
  if (local.front() == room_mark) {
    address.form = jid.is_bare() ? AddressForm::room : AddressForm::occupant;
    address.nick = jid.resource();
    before = local.substr(0, 1);
    local.remove_prefix(1);
  }
  if (local.empty()) return base::Error{base::Errc::not_found, "A room needs a name after the #."};
  read_id(local, before, after, address);
  return address;
}

base::Result<xmpp::Jid> write(const Address& address, const xmpp::Jid& domain) {
  if (!address.alias.empty() && !is_alias(address.alias)) return bad_alias(address.alias);
  const std::string suffix = suffix_of(address.alias);
  switch (address.form) {
    case AddressForm::gateway:
      return xmpp::Jid::make(address.is_named ? suffix_of(std::string(gateway_name)) : std::string(), domain.domain());
    case AddressForm::account: return xmpp::Jid::make(suffix, domain.domain());
    case AddressForm::contact:
    case AddressForm::room:
    case AddressForm::occupant: break;
  }
  // else it would be the gateway
  if (address.id.empty()) return base::Error{base::Errc::not_found, "A contact needs a name."};
  if (!can_be_spelt(address.id)) return base::Error{base::Errc::not_found, "A contact's name must be UTF-8 text."};
  const bool is_contact = address.form == AddressForm::contact;
  const std::string local = spell(address.id, is_contact ? "" : "#", suffix);
  const bool has_nick = address.form == AddressForm::occupant;
  if (has_nick && address.nick.empty()) return base::Error{base::Errc::not_found, "An occupant needs a nickname."};
  return xmpp::Jid::make(local, domain.domain(), has_nick ? std::string_view(address.nick) : std::string_view());
}

base::Result<xmpp::Jid> write(const base::ContactId& contact, const std::string& alias, const xmpp::Jid& domain) {
  return write(contact_address(contact, alias), domain);
}

std::string to_uri(const xmpp::Jid& address) {
  std::string uri = "xmpp:";
  for (const char c : address.local()) {
    const bool is_allowed = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            allowed_in_uris.find(c) != std::string_view::npos;
    if (is_allowed) uri += c;
    else uri.append("%").append(base::to_hex({&c, 1}));
  }
  if (!address.local().empty()) uri += '@';
  return uri += address.domain();
}

namespace {

// RFC 3986 §2.1. A percent sign that begins no octet stays.
std::string without_percent_signs(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = text[i] == '%' ? base::from_hex(text.substr(i + 1, 2)) : std::nullopt;
    const bool is_octet = octet && octet->size() == 1;
    plain += is_octet ? octet->front() : text[i];
    if (is_octet) i += 2;
  }
  return plain;
}

}  // namespace

std::string tidy(std::string_view typed) {
  typed = base::trim(typed);
  for (const std::string_view scheme : {"xmpp:", "sms:", "tel:"}) {
    if (base::to_lower_ascii(typed.substr(0, scheme.size())) != scheme) continue;
    typed.remove_prefix(scheme.size());
    // What a URI asks for besides (RFC 5122 §2.2, RFC 3966 §3) is nobody's name.
    const std::string plain = without_percent_signs(typed.substr(0, typed.find_first_of("?#;")));
    return std::string(base::trim(plain));
  }
  return std::string(typed);
}

}  // namespace wherry::convert
