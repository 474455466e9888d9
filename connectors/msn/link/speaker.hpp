// The socket under a state machine: reads, writes and keeps time until the machine's connection ends.
#pragma once

#include "connectors/msn/client/protocol.hpp"
#include "gateway/base/signal.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace wherry::msn {

namespace asio = boost::asio;

inline constexpr std::chrono::seconds dial_limit{15};

// A state machine and what its owner does about its events.
class Speaker {
 public:
  explicit Speaker(const asio::any_io_executor& executor)
      : output_(executor), timer_(executor, asio::steady_timer::time_point::max()) {}
  virtual ~Speaker() = default;
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  // Until the machine's connection has ended; it is ended where the socket breaks or this is cancelled. What is left to
  // write is written within two seconds.
  static asio::awaitable<void> converse(std::shared_ptr<Speaker> speaker, asio::ip::tcp::socket socket);

 protected:
  virtual void hear(std::string_view bytes, Time now) = 0;
  virtual void pass_time(Time now) = 0;
  virtual Time next_time() const = 0;
  virtual Protocol& protocol() = 0;
  // Waits while more is heard than is worked off.
  virtual asio::awaitable<void> await_room() = 0;

  // To be called whenever the machine was made to say something, or was ended.
  void wake();

 private:
  asio::awaitable<void> read(asio::ip::tcp::socket* socket);
  asio::awaitable<void> write(asio::ip::tcp::socket* socket);
  asio::awaitable<void> keep_time();

  base::Signal output_;
  asio::steady_timer timer_;
};

// Both kinds of connection: a machine, and what it has heard (`Item`s) in a queue that holds the peer back when it is
// full.
template <class Machine, class Item>
class Connection : public Speaker {
 public:
  // In order; nothing: the connection has ended, and there is no more. Hold this while it runs.
  asio::awaitable<std::optional<Item>> next() {
    while (queue_.empty()) {
      if (machine_.protocol().ended()) co_return std::nullopt;
      co_await changed_.wait();
    }
    std::optional<Item> item(std::move(queue_.front()));
    queue_.pop_front();
    changed_.notify();
    co_return item;
  }
  const Machine& machine() const { return machine_; }

 protected:
  Connection(const asio::any_io_executor& executor, Machine machine, std::size_t most)
      : Speaker(executor), machine_(std::move(machine)), changed_(executor), most_(most) {}

  // What one event of the machine means; called in their order.
  virtual void take(typename Machine::Event event) = 0;

  void collect() {
    for (auto& event : machine_.take_events()) take(std::move(event));
    changed_.notify();
  }
  void hear(std::string_view bytes, Time now) override {
    machine_.feed(bytes, now);
    collect();
  }
  void pass_time(Time now) override {
    machine_.tick(now);
    collect();
  }
  Time next_time() const override { return machine_.next_tick(); }
  Protocol& protocol() override { return machine_.protocol(); }
  asio::awaitable<void> await_room() override {
    while (queue_.size() >= most_) co_await changed_.wait();
  }

  Machine machine_;
  std::deque<Item> queue_;
  base::Signal changed_;  // something was heard, taken or settled, or it is the end

 private:
  const std::size_t most_;
};

}  // namespace wherry::msn
