// Which event ids came lately: 64-bit keyed hashes in memory, mirrored by table `seen`.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::queues {

// The hashes are random already.
struct AsItIs {
  using is_avalanching = void;  // boost::unordered: need not be mixed again
  std::size_t operator()(std::uint64_t hash) const { return static_cast<std::size_t>(hash); }
};

// Of a message: of the stanza that brought it, and of its content. Zeros: its stanza has no id.
struct Fingerprint {
  std::uint64_t stanza = 0, content = 0;
};

class Seen {
 public:
  // At least the newest two thirds of `most` are remembered, and never more than `most`.
  explicit Seen(std::size_t most = 160000) : third_(most / 3) {}

  // `key`: 32 hexadecimal digits, the store's own: hashes of one run hold in the next, and nobody can choose
  // collisions. `hashes`: oldest first.
  void load(const std::string& key, const std::vector<std::uint64_t>& hashes);

  std::uint64_t hash(std::int64_t account, std::string_view id) const;
  bool contains(std::uint64_t hash) const {
    return newest_.contains(hash) || older_.contains(hash) || oldest_.contains(hash);
  }
  // Whether the hash is new; it is remembered.
  bool insert(std::uint64_t hash);
  void erase(std::uint64_t hash);

 private:
  // An order of all of them would take as much again; generations need none.
  // 9 bytes each at least; a std::unordered_set takes 50
  using Generation = boost::unordered_flat_set<std::uint64_t, AsItIs>;

  std::size_t third_;
  std::array<unsigned char, 16> key_{};
  Generation newest_, older_, oldest_;
};

}  // namespace wherry::queues
