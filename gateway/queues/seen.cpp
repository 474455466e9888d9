#include "gateway/queues/seen.hpp"

#include "gateway/base/text.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wherry::queues {

void Seen::load(const std::string& key, const std::vector<std::uint64_t>& hashes) {
  const auto raw = base::from_hex(key);
  static_assert(crypto_shorthash_KEYBYTES == 16);
  if (!raw || raw->size() != key_.size()) throw std::runtime_error("the store's key of seen ids is damaged");
  std::copy(raw->begin(), raw->end(), key_.begin());
  for (const std::uint64_t hash : hashes) insert(hash);
}

std::uint64_t Seen::hash(std::int64_t account, std::string_view id) const {
  std::string text = std::to_string(account);
  text.reserve(text.size() + 1 + id.size());
  text += '\n';
  text += id;
  std::array<unsigned char, crypto_shorthash_BYTES> out{};
  crypto_shorthash(out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key_.data());
  std::uint64_t hash = 0;
  for (const unsigned char byte : out) hash = hash << 8 | byte;
  return hash;
}

bool Seen::insert(std::uint64_t hash) {
  if (contains(hash)) return false;
  newest_.insert(hash);
  if (newest_.size() >= third_) {
    oldest_ = std::exchange(older_, std::exchange(newest_, Generation()));
  }
  return true;
}

void Seen::erase(std::uint64_t hash) {
  newest_.erase(hash);
  older_.erase(hash);
  oldest_.erase(hash);
}

}  // namespace wherry::queues
