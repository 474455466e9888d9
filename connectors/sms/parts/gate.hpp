// Who may submit next: the window, the pace, and the order of arrival, which a throttled segment keeps.
#pragma once

#include "connectors/sms/parts/pace.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/suspend.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>

namespace wherry::sms {

class Gate {
 public:
  Gate(asio::any_io_executor executor, std::size_t window, double rate);

  // A segment's place in the line, which it keeps when it must try again.
  std::uint64_t ticket() { return ++tickets_; }
  // Waits for a place in the window; leave() gives it back. False: the gate is closed, nothing may be sent.
  asio::awaitable<bool> enter(std::uint64_t ticket);
  void leave();

  void accepted();
  void throttled();

  void open();
  void close();                 // sends those who wait away
  asio::awaitable<void> run();  // lets them in; until cancelled

 private:
  struct Waiting {
    base::Resume resume;
    bool* granted;
  };
  // Lets in whoever may; returns how long until the next may, where only the pace holds it back.
  std::chrono::nanoseconds let_in();

  std::size_t window_;
  Pace pace_;
  base::Signal changed_;
  asio::steady_timer timer_;
  std::map<std::uint64_t, Waiting> waiting_;  // by ticket
  std::uint64_t tickets_ = 0;
  std::size_t inside_ = 0;
  bool open_ = false;
};

}  // namespace wherry::sms
