#include "connectors/msn/client/challenge.hpp"

#include "gateway/base/text.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace wherry::msn {

namespace {

constexpr std::uint64_t modulus = 0x7FFFFFFF, factor = 0x0E79A9C1;

std::uint32_t read_word(const char* bytes) {
  std::uint32_t word = 0;
  for (int i = 3; i >= 0; --i) word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

std::string md5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1 || size != 16)
    throw std::runtime_error("MSN's challenge needs MD5, which OpenSSL refuses here");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string answer_challenge(std::string_view challenge, Product product) {
  const std::string digest = md5(std::string(challenge) + std::string(product.key));
  std::array<std::uint32_t, 4> words;
  for (std::size_t i = 0; i < 4; ++i) words[i] = read_word(digest.data() + 4 * i);
  std::array<std::uint64_t, 4> keys;
  for (std::size_t i = 0; i < 4; ++i) keys[i] = words[i] & modulus;

  std::string text = std::string(challenge) + std::string(product.id);
  text.append(8 - text.size() % 8, '0');
  std::uint64_t high = 0, low = 0;
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t t = factor * read_word(text.data() + i) % modulus + high;
    t = (keys[0] * t + keys[1]) % modulus;
    high = (read_word(text.data() + i + 4) + t) % modulus;
    high = (keys[2] * high + keys[3]) % modulus;
    low += high + t;
  }
  high = (high + keys[1]) % modulus;
  low = (low + keys[3]) % modulus;

  std::string answer;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t word = words[i] ^ static_cast<std::uint32_t>(i % 2 == 0 ? high : low);
    for (int shift = 0; shift < 32; shift += 8) answer += static_cast<char>(word >> shift & 0xFF);
  }
  return base::to_hex(answer);
}

}  // namespace wherry::msn
