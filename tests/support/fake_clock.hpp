// A clock that moves by hand.
#pragma once

#include "gateway/base/clock.hpp"

namespace wherry::tests {

struct FakeClock final : base::Clock {
  base::Time time = base::Time(std::chrono::seconds(1795400000));
  base::Time now() const override { return time; }
};

}  // namespace wherry::tests
