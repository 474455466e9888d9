// Secrets: values that do not print, and their sealing for the store (libsodium, XChaCha20-Poly1305).
#pragma once

#include "gateway/base/error.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace wherry::base {

// A string that no log, exception or JSON takes by accident: only reveal() gives it out.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// Compares in time that depends on the lengths only: for passwords and signatures.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// Seals and opens fields of the store. A sealed text is "<key id>:<base64 of nonce and ciphertext>"; `context` (say
// "account:7:credentials") is authenticated with it, so that a row cannot be moved to another account.
class Sealer {
 public:
  // `key_text`: 64 hexadecimal digits a line; the first line's key seals, every line's key opens (rotation).
  static Result<Sealer> from_key_text(std::string_view key_text);

  // A new random key as such a line, without the line's end.
  static std::string generate_key();

  std::string seal(std::string_view plain, std::string_view context) const;
  Result<std::string> open(std::string_view sealed, std::string_view context) const;

  // A key for another use, made from the present one; `purpose` names the use.
  std::array<unsigned char, 16> derive(std::string_view purpose) const;

  // Whether `sealed` was sealed with the present key: what a rotation leaves alone.
  bool is_current(std::string_view sealed) const;

 private:
  using Key = std::array<unsigned char, 32>;
  std::map<std::string, Key, std::less<>> keys_;  // by key id: 8 hexadecimal digits of the key's hash
  std::string current_;
};

}  // namespace wherry::base
