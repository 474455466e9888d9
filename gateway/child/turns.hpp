// So many at once; the next wait in line, in their order; and where the line is full, they are refused.
#pragma once

#include "gateway/base/signal.hpp"

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

  // Nothing where the line is full. Throws when cancelled.
  asio::awaitable<std::optional<Turn>> take() {
    if (taken_ >= most_) {
      if (waiting_.size() >= most_waiting_) co_return std::nullopt;
      Waiter waiter(executor_);
      const auto place = waiting_.insert(waiting_.end(), &waiter);
      try {
        while (!waiter.has_turn) co_await waiter.turn.wait();
      } catch (...) {
        if (waiter.has_turn)
          give_back();
        else
          waiting_.erase(place);
        throw;
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
    base::Signal turn;
  };

  void give_back() {
    if (waiting_.empty()) {
      --taken_;
      return;
    }
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.has_turn = true;
    next.turn.notify();
  }

  asio::any_io_executor executor_;
  const std::size_t most_, most_waiting_;
  std::size_t taken_ = 0;
  std::list<Waiter*> waiting_;
};

}  // namespace wherry::child
