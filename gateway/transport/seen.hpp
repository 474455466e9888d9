// Which event ids came lately: 64-bit keyed hashes in memory, mirrored by table `seen`.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace wherry::transport {

class Seen {
 public:
  // At most `most` are remembered; the oldest are forgotten.
  explicit Seen(std::size_t most = 200000) : most_(most) {}

  // `key`: 32 hexadecimal digits, the store's own: hashes of one run hold in the next, and nobody can choose collisions.
  void load(const std::string& key, const std::vector<std::uint64_t>& hashes);

  std::uint64_t hash(std::int64_t account, std::string_view id) const;
  // Whether the hash is new; it is remembered.
  bool insert(std::uint64_t hash);
  void erase(std::uint64_t hash) { hashes_.erase(hash); }

 private:
  std::size_t most_;
  std::array<unsigned char, 16> key_{};
  std::unordered_set<std::uint64_t> hashes_;
  std::deque<std::uint64_t> order_;
};

}  // namespace wherry::transport
