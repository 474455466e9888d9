// Which event ids came lately: 64-bit keyed hashes in memory, mirrored by table `seen`.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::transport {

// The hashes are random already.
struct AsItIs {
  using is_avalanching = void;  // boost::unordered: need not be mixed again
  std::size_t operator()(std::uint64_t hash) const { return static_cast<std::size_t>(hash); }
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
  boost::unordered_flat_set<std::uint64_t, AsItIs> hashes_;  // 200,000 take 2 MiB; of a std::unordered_set 10
  std::vector<std::uint64_t> order_;  // a ring, once it has `most_`
  std::size_t oldest_ = 0;            // then: what goes next
};

}  // namespace wherry::transport
