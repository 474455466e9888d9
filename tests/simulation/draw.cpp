#include "tests/simulation/draw.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace wherry::simulation {

namespace {

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t stream = 1;  // of seed_randomness()
std::uint64_t next_of_stream() { return mix(stream++); }

const char* name() { return "simulation"; }
std::uint32_t random_number() { return static_cast<std::uint32_t>(next_of_stream()); }
void fill(void* buffer, std::size_t size) {
  auto* at = static_cast<unsigned char*>(buffer);
  for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<unsigned char>(next_of_stream());
}

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

std::uint64_t Draw::number(std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  return mix(mix(mix(mix(seed_) ^ hash_of(purpose)) ^ a) ^ b);
}

std::int64_t Draw::between(std::int64_t least, std::int64_t most, std::string_view purpose, std::uint64_t a,
                           std::uint64_t b) const {
  return least + static_cast<std::int64_t>(number(purpose, a, b) % static_cast<std::uint64_t>(most - least + 1));
}

bool Draw::happens(int per_mille, std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  return number(purpose, a, b) % 1000 < static_cast<std::uint64_t>(per_mille);
}

std::int64_t Draw::wait(std::int64_t most, std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  const std::uint64_t drawn = number(purpose, a, b);
  const std::int64_t scale = most >> (drawn % 8 * 2);  // each step of eight a quarter of the one before
  return scale <= 0 ? 0 : static_cast<std::int64_t>((drawn >> 8) % static_cast<std::uint64_t>(scale + 1));
}

void seed_randomness(std::uint64_t seed) {
  stream = mix(seed) << 20;
  static randombytes_implementation implementation{};
  implementation.implementation_name = name;
  implementation.random = random_number;
  implementation.buf = fill;
  randombytes_set_implementation(&implementation);
}

}  // namespace wherry::simulation

// In the executable, so it wins over libstdc++'s.
std::random_device::result_type std::random_device::_M_getval() {
  return static_cast<std::random_device::result_type>(wherry::simulation::random_number());
}
