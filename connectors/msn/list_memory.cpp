#include "connectors/msn/list_memory.hpp"

#include <utility>

namespace wherry::msn {

// What older versions wrote does not say whose it is.
asio::awaitable<std::string> ListMemory::recall() {
  auto found = co_await storage_.read(key_, std::string(), 1);
  if (!found.empty()) written_ = std::move(found.front().value);
  if (written_.starts_with(owner_)) co_return written_.substr(owner_.size());
  co_return written_.starts_with("of ") ? std::string() : written_;
}

connector::Changes ListMemory::take_changes(const Contacts& contacts) {
  connector::Changes changes;
  std::string now = owner_ + contacts.memory();
  if (now == written_) return changes;
  written_ = now;
  changes.push_back({key_, std::move(now)});
  return changes;
}

asio::awaitable<void> ListMemory::remember(const Contacts& contacts) {
  connector::Changes changes = take_changes(contacts);
  if (!changes.empty()) co_await storage_.write(std::move(changes));
}

}  // namespace wherry::msn
