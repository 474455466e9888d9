// The messages that the network may have and whose names there are not known yet: what it says of a message that
// nobody knows may be about one of them.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/base/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wherry::queues {

class SendsUnderway {
 public:
  using Turn = std::uint64_t;  // in which the sends of an account began

  explicit SendsUnderway(const boost::asio::any_io_executor& executor) : changed_(executor) {}

  // The network may have the outbox's `row` from now on. Again, since its outcome is unknown: it keeps its turn.
  void began(base::AccountId account, std::int64_t row, std::string chat) {
    Sends& sends = by_account_[account];
    const auto is_it = [row](const Send& send) { return send.row == row; };
    if (std::any_of(sends.now.begin(), sends.now.end(), is_it)) return;
    sends.now.push_back({++sends.last, row, std::move(chat), Clock::now() + patience});
  }
  // Its name is known, or it is provably not with the network, or nobody will ever know.
  void ended(base::AccountId account, std::int64_t row) {
    const auto found = by_account_.find(account);
    if (found == by_account_.end()) return;
    std::erase_if(found->second.now, [row](const Send& send) { return send.row == row; });
    changed_.notify();
  }
  void forget(base::AccountId account) {
    by_account_.erase(account);
    changed_.notify();
  }

  bool has_any(base::AccountId account) const { return !of(account).now.empty(); }
  // Of the account's last send, and of its oldest that has not ended, else of the one that is to come.
  Turn last(base::AccountId account) const { return of(account).last; }
  Turn oldest(base::AccountId account) const {
    const Sends& sends = of(account);
    return sends.now.empty() ? sends.last + 1 : sends.now.front().turn;
  }
  // Whether one that began up to this turn has not ended.
  bool has_any(base::AccountId account, const std::string& chat, Turn newest) const {
    const Sends& sends = of(account);
    return std::any_of(sends.now.begin(), sends.now.end(),
                       [&](const Send& send) { return send.turn <= newest && send.chat == chat; });
  }
  // Until when such a send is worth waiting for: a few seconds from its beginning, whoever waits. So many who wait, one
  // after the other, wait no longer than one. Nothing: none is.
  std::optional<std::chrono::steady_clock::time_point> awaited_until(base::AccountId account, const std::string& chat,
                                                                     Turn newest) const {
    std::optional<Clock::time_point> latest;
    for (const Send& send : of(account).now) {
      if (send.turn <= newest && send.chat == chat && send.until > Clock::now())
        latest = std::max(latest.value_or(send.until), send.until);
    }
    return latest;
  }
  // Returns when a send has ended.
  boost::asio::awaitable<void> change() { return changed_.wait(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds patience{5};
  struct Send {
    Turn turn = 0;
    std::int64_t row = 0;
    std::string chat;
    Clock::time_point until;
  };
  struct Sends {
    Turn last = 0;
    std::vector<Send> now;  // by turn
  };
  const Sends& of(base::AccountId account) const {
    static const Sends none;
    const auto found = by_account_.find(account);
    return found == by_account_.end() ? none : found->second;
  }

  std::unordered_map<base::AccountId, Sends> by_account_;
  base::Signal changed_;
};

}  // namespace wherry::queues
