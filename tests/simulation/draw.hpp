// Everything that is left to chance, from one number. A draw is a function of the seed, a purpose and what it is for,
// so that it stays what it was when something else of the plan is left out.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::simulation {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t number(std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;
  // In [least, most].
  std::int64_t between(std::int64_t least, std::int64_t most, std::string_view purpose, std::uint64_t a = 0,
                       std::uint64_t b = 0) const;
  // Whether it comes to pass, of a thousand times `per_mille`.
  bool happens(int per_mille, std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;
  // A wait in microseconds: mostly short, sometimes long; never beyond `most`.
  std::int64_t wait(std::int64_t most, std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;

  std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
};

// A text as a number to draw with.
std::uint64_t hash_of(std::string_view text);

// Makes libsodium and std::random_device give numbers of this seed, for the rest of the process. Before anything uses
// them.
void seed_randomness(std::uint64_t seed);

}  // namespace wherry::simulation
