#include "gateway/base/secret.hpp"

#include "gateway/base/text.hpp"

#include <sodium.h>

#include <vector>

namespace wherry::base {

namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void require_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be initialised");
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<Sealer> Sealer::from_key_text(std::string_view key_text) {
  require_sodium();
  Sealer sealer;
  for (std::string_view line : split(key_text, '\n')) {
    line = trim(line);
    if (line.empty()) continue;
    const auto raw = from_hex(line);
    if (!raw || raw->size() != 32) {
      return Error{Errc::bad_input, "A key line must be 64 hexadecimal digits; make one with `wherry generate-key`."};
    }
    Key key{};
    std::copy(raw->begin(), raw->end(), key.begin());
    std::array<unsigned char, crypto_generichash_BYTES> hash{};
    crypto_generichash(hash.data(), hash.size(), key.data(), key.size(), nullptr, 0);
    const std::string id = to_hex({reinterpret_cast<const char*>(hash.data()), 4});
    if (sealer.current_.empty()) sealer.current_ = id;
    sealer.keys_[id] = key;
  }
  if (sealer.current_.empty())
    return Error{Errc::bad_input, "The key file is empty; make a key with `wherry generate-key`."};
  return sealer;
}

std::string Sealer::generate_key() {
  require_sodium();
  Key key{};
  randombytes_buf(key.data(), key.size());
  return to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
}

std::string Sealer::seal(std::string_view plain, std::string_view context) const {
  std::string out(nonce_bytes + plain.size() + tag_bytes, '\0');
  auto* raw = reinterpret_cast<unsigned char*>(out.data());
  randombytes_buf(raw, nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw + nonce_bytes, nullptr, bytes(plain), plain.size(), bytes(context),
                                             context.size(), nullptr, raw, keys_.at(current_).data());
  return current_ + ":" + to_base64(out);
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view context) const {
  const auto colon = sealed.find(':');
  if (colon == std::string_view::npos) return Error{Errc::bad_input, "This is not a sealed field."};
  const auto key = keys_.find(sealed.substr(0, colon));
  if (key == keys_.end()) {
    return Error{Errc::bad_input, "The field is sealed with key " + std::string(sealed.substr(0, colon)) +
                                      ", which the key file does not hold."};
  }
  const auto raw = from_base64(sealed.substr(colon + 1));
  if (!raw || raw->size() < nonce_bytes + tag_bytes) return Error{Errc::bad_input, "The sealed field is damaged."};
  std::string plain(raw->size() - nonce_bytes - tag_bytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
                                                 bytes(*raw) + nonce_bytes, raw->size() - nonce_bytes, bytes(context),
                                                 context.size(), bytes(*raw), key->second.data()) != 0) {
    return Error{Errc::bad_input, "The sealed field is damaged, or belongs to another account."};
  }
  return plain;
}

std::array<unsigned char, 16> Sealer::derive(std::string_view purpose) const {
  std::array<unsigned char, 16> derived{};
  const Key& key = keys_.at(current_);
  crypto_generichash(derived.data(), derived.size(), bytes(purpose), purpose.size(), key.data(), key.size());
  return derived;
}

bool Sealer::is_current(std::string_view sealed) const { return sealed.substr(0, sealed.find(':')) == current_; }

}  // namespace wherry::base
