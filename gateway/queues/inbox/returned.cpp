#include "gateway/queues/inbox/returned.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

namespace {

std::size_t bytes_of(const connector::Content& content) {
  std::size_t bytes = content.text.size() + content.thread.size();
  for (const auto& file : content.files) bytes += sizeof file + file.url.size() + file.handle.size() + file.name.size();
  if (content.reply_to) bytes += content.reply_to->text.size();
  return bytes;
}

}  // namespace

std::size_t bytes_in_memory(const convert::Delivery& delivery) {
  return sizeof delivery + std::visit(
                               [](const auto& it) -> std::size_t {
                                 if constexpr (requires { it.content; }) return bytes_of(it.content);
                                 else if constexpr (requires { it.text; }) return it.text.size();
                                 else return 0;
                               },
                               delivery);
}

std::int64_t Returned::born(std::int64_t now, std::int64_t age) {
  return now - std::clamp<std::int64_t>(age, 0, most_wait);
}

bool Returned::is_for_reading(const convert::Delivery& delivery) {
  return std::visit(
      []<class D>(const D&) {
        return std::is_same_v<D, connector::MessageReceived> || std::is_same_v<D, connector::MessageEdited> ||
               std::is_same_v<D, connector::MessageRetracted> || std::is_same_v<D, connector::Reacted> ||
               std::is_same_v<D, connector::AccountNotice> || std::is_same_v<D, convert::SendFailed>;
      },
      delivery);
}

void Returned::put_taken(Incoming message) {
  if (!is_for_reading(message.delivery)) return;
  const std::size_t bytes = bytes_in_memory(message.delivery);
  while (taken_.full() || (!taken_.empty() && taken_bytes_ + bytes > most_taken_bytes)) {
    taken_bytes_ -= bytes_in_memory(taken_.front().delivery);
    taken_.pop_front();
  }
  taken_bytes_ += bytes;
  taken_.push_back(std::move(message));
}

Incoming* Returned::find_taken(base::AccountId account, std::int64_t id) {
  const auto found = std::lower_bound(taken_.begin(), taken_.end(), id,
                                      [](const Incoming& m, std::int64_t wanted) { return m.id < wanted; });
  return found != taken_.end() && found->id == id && found->account == account ? &*found : nullptr;
}

void Returned::wait(const Incoming& message, std::int64_t id, std::int64_t now) {
  const std::int64_t age = now - message.born;
  wait(message.account, Waiting{id, message.born, now + std::clamp(age, least_wait, most_wait), message.refusals});
}

template <class Wanted>
std::vector<Returned::Waiting> Returned::take_if(base::AccountId account, Wanted wanted) {
  const auto found = waiting_.find(account);
  if (found == waiting_.end()) return {};
  auto& rows = found->second;
  const auto first = std::partition(rows.begin(), rows.end(), [&](const Waiting& row) { return !wanted(row); });
  std::vector<Waiting> taken(first, rows.end());
  rows.erase(first, rows.end());
  if (rows.empty()) waiting_.erase(found);
  std::sort(taken.begin(), taken.end(), [](const Waiting& a, const Waiting& b) { return a.id < b.id; });
  return taken;
}

std::vector<Returned::Waiting> Returned::take_for_coming(base::AccountId account) {
  return take_if(account, [](const Waiting& row) { return row.refusals < most_refusals; });
}

std::vector<Returned::Waiting> Returned::take_due(base::AccountId account, std::int64_t now) {
  return take_if(account, [now](const Waiting& row) { return row.due <= now; });
}

std::vector<base::AccountId> Returned::accounts() const {
  std::vector<base::AccountId> accounts;
  for (const auto& [account, rows] : waiting_) accounts.push_back(account);
  return accounts;
}

}  // namespace wherry::queues
