#include "gateway/transport/seen.hpp"

#include "gateway/base/text.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wherry::transport {

void Seen::load(const std::string& key, const std::vector<std::uint64_t>& hashes) {
  const auto raw = base::from_hex(key);
  static_assert(crypto_shorthash_KEYBYTES == 16);
  if (!raw || raw->size() != key_.size()) throw std::runtime_error("the store's key of seen ids is damaged");
  std::copy(raw->begin(), raw->end(), key_.begin());
  for (const std::uint64_t hash : hashes) insert(hash);
}

std::uint64_t Seen::hash(std::int64_t account, std::string_view id) const {
  std::string text = std::to_string(account);
  text += '\n';
  text += id;
  std::array<unsigned char, crypto_shorthash_BYTES> out{};
  crypto_shorthash(out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key_.data());
  std::uint64_t hash = 0;
  for (const unsigned char byte : out) hash = hash << 8 | byte;
  return hash;
}

bool Seen::insert(std::uint64_t hash) {
  if (!hashes_.insert(hash)) return false;
  if (order_.size() < most_) {
    if (order_.size() == order_.capacity()) order_.reserve(std::min(most_, std::max<std::size_t>(16, 2 * order_.size())));
    order_.push_back(hash);
    return true;
  }
  hashes_.erase(order_[oldest_]);
  order_[oldest_] = hash;
  oldest_ = (oldest_ + 1) % most_;
  return true;
}

bool HashSet::insert(std::uint64_t hash) {
  hash = std::max<std::uint64_t>(hash, 1);
  std::size_t slot = find(hash);
  if (slots_[slot] == hash) return false;
  if (++size_ * 8 > slots_.size() * 7) {
    grow();
    slot = find(hash);
  }
  slots_[slot] = hash;
  return true;
}

// Closes the gap: whatever behind it would no longer be found moves up (Knuth, The Art of Computer Programming 6.4, algorithm R).
void HashSet::erase(std::uint64_t hash) {
  hash = std::max<std::uint64_t>(hash, 1);
  const std::size_t mask = slots_.size() - 1;
  std::size_t gap = find(hash);
  if (slots_[gap] == empty) return;
  for (std::size_t slot = (gap + 1) & mask; slots_[slot] != empty; slot = (slot + 1) & mask) {
    const bool stays = ((slot - home(slots_[slot])) & mask) < ((slot - gap) & mask);  // its home lies behind the gap
    if (stays) continue;
    slots_[gap] = slots_[slot];
    gap = slot;
  }
  slots_[gap] = empty;
  --size_;
}

std::size_t HashSet::find(std::uint64_t hash) const {
  std::size_t slot = home(hash);
  while (slots_[slot] != empty && slots_[slot] != hash) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void HashSet::grow() {
  const std::vector<std::uint64_t> old = std::exchange(slots_, std::vector<std::uint64_t>(slots_.size() * 2, empty));
  for (const std::uint64_t hash : old) {
    if (hash != empty) slots_[find(hash)] = hash;
  }
}

}  // namespace wherry::transport
