// Which event ids came lately: 64-bit keyed hashes in memory, mirrored by table `seen`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::transport {

// A set of 64-bit numbers that are random already: a hash table with open addressing and linear probing, at most seven
// eighths full. 200,000 take 2 MiB where a std::unordered_set takes 10.
class HashSet {
 public:
  bool insert(std::uint64_t hash);  // whether it is new
  void erase(std::uint64_t hash);

 private:
  static constexpr std::uint64_t empty = 0;  // the number 0 counts as 1: it is one hash of 2^64

  std::size_t home(std::uint64_t hash) const { return static_cast<std::size_t>(hash) & (slots_.size() - 1); }
  std::size_t find(std::uint64_t hash) const;  // its slot, or the empty one where it would go
  void grow();

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(16, empty);  // a power of two
  std::size_t size_ = 0;
};

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
  HashSet hashes_;
  std::vector<std::uint64_t> order_;  // a ring, once it has `most_`
  std::size_t oldest_ = 0;            // then: what goes next
};

}  // namespace wherry::transport
