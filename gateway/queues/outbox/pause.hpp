// How long a row waits after its attempts.
#pragma once

#include "gateway/base/backoff.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace wherry::queues {

// None before the first attempt. The same for the same row and attempts, in every run.
inline std::chrono::milliseconds pause_after(int attempts, std::int64_t row, base::BackoffPolicy policy) {
  base::Backoff backoff(policy, static_cast<std::uint64_t>(row));
  std::chrono::milliseconds pause = backoff.next();
  for (int i = 0; i < std::min(attempts, 16); ++i) pause = backoff.next();
  return pause;
}

}  // namespace wherry::queues
