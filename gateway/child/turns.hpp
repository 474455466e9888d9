// So many at once; the next wait in line, in their order; and where the line is full, they are refused.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>

namespace wherry::child {

namespace asio = boost::asio;

// Outlives its turns.
class Turns {
 public:
  // One's turn, until it is destroyed.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->give_back();
    }

   private:
    Turns* turns_;
  };

  Turns(asio::any_io_executor executor, std::size_t most, std::size_t most_waiting)
      : executor_(std::move(executor)), most_(most), most_waiting_(most_waiting) {}
  Turns(const Turns&) = delete;

  static constexpr std::chrono::hours no_limit{24 * 365};

  // Nothing where the line is full, or has not moved for as long as `patience`. Throws when cancelled.
  asio::awaitable<std::optional<Turn>> take(std::chrono::steady_clock::duration patience = no_limit) {
    if (taken_ >= most_) {
      if (waiting_.size() >= most_waiting_) co_return std::nullopt;
      Waiter waiter(executor_);
      const auto place = waiting_.insert(waiting_.end(), &waiter);
      try {
        co_await wait(waiter, patience);
      } catch (...) {
        waiting_.erase(place);
        throw;
      }
      if (!waiter.has_turn) {
        waiting_.erase(place);
        co_return std::nullopt;
      }
    } else {
      ++taken_;
    }
    co_return std::optional<Turn>(std::in_place, *this);
  }

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : turn(executor) {}
    bool has_turn = false;
    asio::steady_timer turn;
  };

  // Returns with the turn, or without it when the line has not moved; throws without it, when cancelled.
  asio::awaitable<void> wait(Waiter& waiter, std::chrono::steady_clock::duration patience) {
    std::uint64_t before = 0;
    do {
      before = given_;
      waiter.turn.expires_after(patience);
      boost::system::error_code woken;
      co_await waiter.turn.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (waiter.has_turn) co_return;
      if (woken) throw boost::system::system_error(woken);
    } while (given_ != before);
  }

  void give_back() {
    if (waiting_.empty()) {
      --taken_;
      return;
    }
    ++given_;
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.has_turn = true;
    next.turn.cancel();
  }

  asio::any_io_executor executor_;
  const std::size_t most_, most_waiting_;
  std::size_t taken_ = 0;
  std::uint64_t given_ = 0;  // turns, to those who waited
  std::list<Waiter*> waiting_;
};

}  // namespace wherry::child
