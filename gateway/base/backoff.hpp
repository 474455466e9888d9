// How long to wait before the next attempt: pure, jittered, first try at once.
#pragma once

#include <chrono>
#include <cstdint>

namespace wherry::base {

struct BackoffPolicy {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds most{60000};
  // each delay is spread by this share, up and down, so that a thousand links do not return together
  double jitter = 0.2;
};

class Backoff {
 public:
  explicit Backoff(BackoffPolicy policy, std::uint64_t seed);

  // The delay before attempt number 1, 2, 3 … : zero, then `first`, doubling up to `most`.
  std::chrono::milliseconds next();

  // As next(), but never shorter than `least`: for a peer that said when to come back, or a mistake that only a person
  // can mend.
  std::chrono::milliseconds next_at_least(std::chrono::milliseconds least);

  // The attempt succeeded and lasted: start over.
  void reset() { attempts_ = 0; }

  int attempts() const { return attempts_; }

 private:
  BackoffPolicy policy_;
  std::uint64_t state_;
  int attempts_ = 0;
};

}  // namespace wherry::base
