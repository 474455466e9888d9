// A connector's storage in memory, for tests: it outlives the carriers that use it, as the real one does, and can be
// lost.
#pragma once

#include "gateway/connector/contract.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace wherry::tests {

class MemoryStorage final : public connector::Storage {
 public:
  explicit MemoryStorage(connector::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  connector::asio::awaitable<void> write(connector::Changes changes) override {
    co_await connector::asio::post(executor_, connector::asio::use_awaitable);
    apply(std::move(changes));
    ++writes;
  }
  // What is written in the commit of something else.
  void apply(connector::Changes changes) {
    if (lost) throw std::runtime_error("the store is lost");
    for (auto& e : changes) {
      if (e.value.empty()) entries.erase(e.key);
      else entries[e.key] = std::move(e.value);
    }
  }
  connector::asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                                 std::size_t limit) override {
    co_await connector::asio::post(executor_, connector::asio::use_awaitable);
    if (lost) throw std::runtime_error("the store is lost");
    ++reads;
    std::vector<connector::Entry> found;
    for (auto e = after.empty() ? entries.lower_bound(prefix) : entries.upper_bound(after);
         e != entries.end() && found.size() < limit; ++e) {
      if (!e->first.starts_with(prefix)) break;
      found.push_back({e->first, e->second});
    }
    co_return found;
  }
  std::size_t count(const std::string& part) const {
    std::size_t n = 0;
    for (const auto& [key, value] : entries) n += key.find(part) != std::string::npos ? 1 : 0;
    return n;
  }

  std::map<std::string, std::string> entries;
  bool lost = false;
  int writes = 0, reads = 0;

 private:
  connector::asio::any_io_executor executor_;
};

}  // namespace wherry::tests
