// A connector's storage in memory, gone with the process.
#pragma once

#include "gateway/connector/contract.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wherry::conformance {

class MemoryStorage final : public connector::Storage {
 public:
  boost::asio::awaitable<void> write(connector::Changes changes) override {
    if (failures > 0 && failures-- > 0) throw std::runtime_error("the store is lost");
    apply(std::move(changes));
    co_return;
  }
  // What is given with a Receipt or to publish().
  void apply(connector::Changes changes) {
    for (auto& entry : changes) {
      if (entry.value.empty()) values.erase(entry.key);
      else values.insert_or_assign(std::move(entry.key), std::move(entry.value));
    }
  }
  boost::asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                             std::size_t limit) override {
    std::vector<connector::Entry> found;
    for (const auto& [key, value] : values) {
      if (key.starts_with(prefix) && (after.empty() || key > after) && found.size() < limit)
        found.push_back(connector::Entry{key, value});
    }
    co_return found;
  }

  std::map<std::string, std::string> values;
  int failures = 0;  // so many writes fail
};

}  // namespace wherry::conformance
