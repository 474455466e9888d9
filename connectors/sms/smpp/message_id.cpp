#include "connectors/sms/smpp/message_id.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wherry::sms::smpp {

namespace {

// Of random numbers in hexadecimal, even if only one digit of them varies, one in three million runs of this length has
// no letter; counters have one in ten numbers.
constexpr unsigned decimal_after = 32;
constexpr std::size_t most_number = 20;  // digits of 64 bits: a longer one is a name, and its zeros belong to it

bool is_number(std::string_view id, int base) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
  });
}

std::optional<std::uint64_t> read_number(std::string_view id, int base) {
  std::uint64_t value = 0;
  if (!is_number(id, base)) return std::nullopt;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), value, base);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return value;
}

// An id of 32 bits that somebody wrote as a number with a sign.
std::optional<std::uint32_t> read_signed(std::string_view id) {
  if (!id.starts_with('-')) return std::nullopt;
  const auto value = read_number(id.substr(1), 10);
  if (!value || *value == 0 || *value > 0x80000000U) return std::nullopt;
  return static_cast<std::uint32_t>(0x100000000U - *value);
}

}  // namespace

bool is_all_digits(std::string_view id) { return is_number(id, 10); }

std::string canonical_id(std::string_view id) {
  std::string canonical = base::to_lower_ascii(id);
  if (const auto number = read_signed(canonical)) return std::to_string(*number);
  std::erase_if(canonical, [](char c) { return c == '-' || c == '{' || c == '}'; });
  if (!is_number(canonical, 16)) return canonical;
  const std::size_t zeros = std::min(canonical.find_first_not_of('0'), canonical.size() - 1);
  if (canonical.size() - zeros <= most_number) canonical.erase(0, zeros);
  return canonical;
}

std::optional<std::string> form_of(std::string_view receipt_id, Reading reading) {
  if (reading == Reading::by_letter) return canonical_id(receipt_id);
  const bool to_hex = reading == Reading::decimal_as_hex;
  const auto value = read_number(receipt_id, to_hex ? 10 : 16);
  if (!value) return std::nullopt;
  return to_hex ? fmt::format("{:x}", *value) : fmt::format("{}", *value);
}

std::vector<std::string> id_forms(std::string_view receipt_id) {
  std::vector<std::string> forms;
  for (const Reading reading : {Reading::by_letter, Reading::decimal_as_hex, Reading::hex_as_decimal}) {
    auto form = form_of(receipt_id, reading);
    if (form && std::find(forms.begin(), forms.end(), *form) == forms.end()) forms.push_back(std::move(*form));
  }
  return forms;
}

IdMatch match_ids(std::string_view given_id, std::string_view receipt_id) {
  if (given_id.empty()) return IdMatch::none;
  if (given_id == receipt_id) return IdMatch::literal;
  if (base::to_lower_ascii(given_id) == base::to_lower_ascii(receipt_id)) return IdMatch::spelling;
  const auto forms = id_forms(receipt_id);
  return std::find(forms.begin(), forms.end(), canonical_id(given_id)) == forms.end() ? IdMatch::none : IdMatch::number;
}

void Notation::saw(std::string_view id) {
  if (!read_number(id, 16)) return;
  if (is_number(id, 10)) plain_ = std::min(plain_ + 1, decimal_after);
  else assume(Kind::hexadecimal);
}

Notation::Kind Notation::kind() const {
  if (plain_ == decimal_after) return Kind::decimal;
  return letter_ ? Kind::hexadecimal : Kind::unknown;
}

void Notation::assume(Kind kind) {
  letter_ = kind == Kind::hexadecimal;
  plain_ = kind == Kind::decimal ? decimal_after : 0;
}

std::vector<Reading> Notations::readings(std::string_view receipt_id) const {
  using Kind = Notation::Kind;
  if (!read_number(receipt_id, 16)) return {Reading::by_letter};
  const Kind given = given_.kind(), received = is_all_digits(receipt_id) ? received_.kind() : Kind::hexadecimal;
  std::vector<Reading> readings;
  if (given == received || given == Kind::unknown || received == Kind::unknown) readings.push_back(Reading::by_letter);
  if (given != Kind::decimal && received != Kind::hexadecimal) readings.push_back(Reading::decimal_as_hex);
  if (given != Kind::hexadecimal && received != Kind::decimal) readings.push_back(Reading::hex_as_decimal);
  return readings;
}

bool Notations::has_shown(Reading reading) const {
  if (reading == Reading::by_letter) return true;
  return (reading == Reading::decimal_as_hex ? given_ : received_).kind() == Notation::Kind::hexadecimal;
}

std::string Notations::to_text() const {
  static constexpr char kind_letters[] = {'?', 'd', 'x'};
  const std::string text = {kind_letters[static_cast<int>(given_.kind())],
                            kind_letters[static_cast<int>(received_.kind())]};
  return text == "??" ? std::string() : text;
}

void Notations::restore(std::string_view text) {
  if (text.size() != 2) return;
  const auto kind = [](char letter) {
    return letter == 'd'   ? Notation::Kind::decimal
           : letter == 'x' ? Notation::Kind::hexadecimal
                           : Notation::Kind::unknown;
  };
  given_.assume(kind(text[0]));
  received_.assume(kind(text[1]));
}

}  // namespace wherry::sms::smpp
