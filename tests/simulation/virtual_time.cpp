#include "tests/simulation/virtual_time.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace {

using Nanoseconds = std::chrono::nanoseconds;
constexpr int most_descriptors = 4096;
constexpr Nanoseconds never = Nanoseconds::max();

// Of one timerfd. Nothing here allocates: the functions below are called before main, too.
struct Timer {
  Nanoseconds expiry = never;
  int epoll = -1;  // that waits for it
  epoll_data_t data{};
  bool is_open = false;
};

bool is_virtual = false;
Nanoseconds time_now{0}, boot{0}, day{0};
int last_timer = -1;
std::array<Timer, most_descriptors> timers;
std::size_t timers_end = 0;  // behind the highest that ever was open
std::span<Timer> open_timers() { return std::span(timers).first(timers_end); }

bool is_timer(int descriptor) {
  return descriptor >= 0 && descriptor < most_descriptors && timers[static_cast<std::size_t>(descriptor)].is_open;
}
Timer& timer_of(int descriptor) { return timers[static_cast<std::size_t>(descriptor)]; }

timespec to_timespec(Nanoseconds time) {
  timespec spec{};
  spec.tv_sec = static_cast<time_t>(time.count() / 1'000'000'000);
  spec.tv_nsec = static_cast<long>(time.count() % 1'000'000'000);
  return spec;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* spec) noexcept {
  if (!is_virtual) return static_cast<int>(::syscall(SYS_clock_gettime, clock, spec));
  switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *spec = to_timespec(boot + time_now); return 0;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *spec = to_timespec(day + time_now); return 0;
    default: return static_cast<int>(::syscall(SYS_clock_gettime, clock, spec));
  }
}

int timerfd_create(clockid_t clock, int flags) noexcept {
  const int descriptor = static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
  if (descriptor < 0 || descriptor >= most_descriptors) return descriptor;
  timer_of(descriptor) = Timer{};
  timer_of(descriptor).is_open = true;
  timers_end = std::max(timers_end, static_cast<std::size_t>(descriptor) + 1);
  return last_timer = descriptor;
}

// The kernel's timer is never armed while time is virtual.
int timerfd_settime(int descriptor, int flags, const itimerspec* value, itimerspec* old) noexcept {
  if (!is_virtual || !is_timer(descriptor))
    return static_cast<int>(::syscall(SYS_timerfd_settime, descriptor, flags, value, old));
  const Nanoseconds wait = std::chrono::seconds(value->it_value.tv_sec) + Nanoseconds(value->it_value.tv_nsec);
  Timer& timer = timer_of(descriptor);
  if (wait.count() == 0) timer.expiry = never;
  else if (flags & TFD_TIMER_ABSTIME) timer.expiry = time_now;  // Asio's way to say: at once
  else timer.expiry = time_now + wait;
  return 0;
}

// A loop that ends closes its timer without another word, and the next one's descriptors have the same numbers.
int close(int descriptor) {
  if (is_timer(descriptor)) timer_of(descriptor) = Timer{};
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  if (is_timer(descriptor)) {
    if (operation == EPOLL_CTL_DEL) {
      timer_of(descriptor) = Timer{};
    } else {
      timer_of(descriptor).epoll = epoll;
      timer_of(descriptor).data = event->data;
    }
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, descriptor, event));
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  if (!is_virtual) return static_cast<int>(::syscall(SYS_epoll_wait, epoll, events, most, timeout));
  int count = static_cast<int>(::syscall(SYS_epoll_wait, epoll, events, most, 0));
  if (count < 0) return count;
  for (Timer& timer : open_timers()) {
    if (!timer.is_open || timer.epoll != epoll || timer.expiry > time_now || count >= most) continue;
    timer.expiry = never;
    events[count].events = EPOLLIN;
    events[count].data = timer.data;
    ++count;
  }
  return count;
}

}  // extern "C"

namespace wherry::simulation::virtual_time {

void begin(Nanoseconds since_boot, Nanoseconds since_1970) {
  boot = since_boot;
  day = since_1970;
  time_now = Nanoseconds(0);
  is_virtual = true;
}

Nanoseconds now() { return time_now; }

void advance_to(Nanoseconds time) {
  if (time > time_now) time_now = time;
}

std::optional<Nanoseconds> next_expiry() {
  Nanoseconds next = never;
  for (const Timer& timer : open_timers()) {
    if (timer.is_open && timer.expiry < next) next = timer.expiry;
  }
  if (next == never) return std::nullopt;
  return next;
}

int newest_timer() { return last_timer; }

void abandon(int timer) {
  if (is_timer(timer)) timer_of(timer) = Timer{};
}

}  // namespace wherry::simulation::virtual_time
