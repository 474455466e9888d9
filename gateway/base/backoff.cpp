#include "gateway/base/backoff.hpp"

#include <algorithm>
#include <random>

namespace wherry::base {

Backoff::Backoff(BackoffPolicy policy, std::uint64_t seed) : policy_(policy), state_(seed) {}

std::chrono::milliseconds Backoff::next() {
  const int attempt = attempts_++;
  if (attempt == 0) return std::chrono::milliseconds(0);
  const int doublings = std::min(attempt - 1, 20);
  const auto plain = std::min<double>(static_cast<double>(policy_.most.count()),
                                      static_cast<double>(policy_.first.count()) * static_cast<double>(1 << doublings));
  std::mt19937_64 generator(state_++);
  std::uniform_real_distribution<double> spread(1.0 - policy_.jitter, 1.0 + policy_.jitter);
  return std::chrono::milliseconds(static_cast<std::int64_t>(plain * spread(generator)));
}

std::chrono::milliseconds Backoff::next_at_least(std::chrono::milliseconds least) { return std::max(next(), least); }

}  // namespace wherry::base
