#include "connectors/oscar/account/list_memory.hpp"

#include <fmt/format.h>

namespace wherry::oscar {

namespace {

constexpr std::size_t rows_of_one_read = 1000;

}  // namespace

std::string listed_prefix(connector::AccountId account) { return fmt::format("listed/{}/", account.value); }
std::string waiting_prefix(connector::AccountId account) { return fmt::format("waiting/{}/", account.value); }

ListMemory::ListMemory(connector::AccountId account, const std::string& number, connector::Storage& storage)
    : prefix_(listed_prefix(account) + number + "/"), storage_(storage) {}

asio::awaitable<std::set<std::string>> ListMemory::recall() {
  std::set<std::string> names;
  std::string last;
  for (;;) {
    const auto rows = co_await storage_.read(prefix_, last, rows_of_one_read);
    for (const connector::Entry& row : rows) names.insert(row.key.substr(prefix_.size()));
    if (rows.size() < rows_of_one_read) co_return names;
    last = rows.back().key;
  }
}

asio::awaitable<void> ListMemory::add(const std::set<std::string>& names, const std::set<std::string>& to) {
  connector::Changes changes;
  for (const std::string& name : names) {
    if (!to.contains(name)) changes.push_back(with(name));
  }
  if (!changes.empty()) co_await storage_.write(std::move(changes));
}

}  // namespace wherry::oscar
