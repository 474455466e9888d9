// Time that passes only when told to. The program defines clock_gettime, timerfd_* and epoll_* itself, so that
// everything linked into it (Asio's timers, std::chrono) lives in this time, and no source of the gateway knows.
//
// Of the process, as the functions are. Loops are only to be polled; who polls them advances the time when all of them
// rest.
#pragma once

#include <chrono>
#include <optional>

namespace wherry::simulation::virtual_time {

using Nanoseconds = std::chrono::nanoseconds;

// From now on time stands still; steady clocks begin at `since_boot`, the time of day at `since_1970`.
void begin(Nanoseconds since_boot, Nanoseconds since_1970);

Nanoseconds now();  // since begin()
void advance_to(Nanoseconds time);

// When the next loop wants to be woken: of those that are not abandoned. Nothing: none ever.
std::optional<Nanoseconds> next_expiry();

// The timer of the loop that was made last: for abandon().
int newest_timer();
// The loop of that timer will never be polled again, and is not dead: it belongs to a killed process.
void abandon(int timer);

}  // namespace wherry::simulation::virtual_time
