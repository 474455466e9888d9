// One at a time in each line, in the order in which they came.
#pragma once

#include "gateway/base/signal.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace wherry::queues {

class Lines {
  struct Line {
    explicit Line(const boost::asio::any_io_executor& executor) : moved(executor) {}
    std::deque<std::uint64_t> places;
    base::Signal moved;
  };

 public:
  explicit Lines(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // A place in a line, until it is destroyed. The lines outlive it.
  class Place {
   public:
    Place(Lines& lines, const std::string& line)
        : lines_(lines), line_(lines.lines_.try_emplace(line, lines.executor_).first), number_(++lines.last_) {
      line_->second.places.push_back(number_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      Line& line = line_->second;
      std::erase(line.places, number_);
      if (line.places.empty()) lines_.lines_.erase(line_);
      else line.moved.notify();
    }
    // Returns when nobody is in front of it.
    boost::asio::awaitable<void> come() {
      while (line_->second.places.front() != number_) co_await line_->second.moved.wait();
    }

   private:
    Lines& lines_;
    std::map<std::string, Line>::iterator line_;
    std::uint64_t number_;
  };

 private:
  friend class Place;
  boost::asio::any_io_executor executor_;
  std::uint64_t last_ = 0;
  std::map<std::string, Line> lines_;
};

}  // namespace wherry::queues
