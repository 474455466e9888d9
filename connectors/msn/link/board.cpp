#include "connectors/msn/link/board.hpp"

#include "gateway/base/within.hpp"

#include <algorithm>
#include <utility>

namespace wherry::msn {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_heard = 200;
constexpr std::chrono::seconds join_limit{30};
constexpr std::chrono::minutes idle_limit{8};

}  // namespace

Board::Board(const asio::any_io_executor& executor, Switchboard machine)
    : Connection(executor, std::move(machine), most_heard), used_at_(steady_clock::now()) {}

void Board::pass_time(Time now) {
  Connection::pass_time(now);
  if (now >= used_at_ + idle_limit) leave();
}

Time Board::next_time() const { return std::min(Connection::next_time(), used_at_ + idle_limit); }

void Board::settle(std::uint32_t transaction, Fate fate) {
  const auto found = sent_.find(transaction);
  if (found == sent_.end()) return;
  const bool is_missed = fate == Fate::passed_on && !present_.contains(found->second.to);
  found->second.fate = is_missed ? Fate::missed : fate;
}

void Board::take(SwitchboardEvent event) {
  if (const auto* joined = std::get_if<Joined>(&event)) {
    present_.insert(joined->email);
    is_group_ = is_group_ || present_.size() > 1;
  } else if (const auto* left = std::get_if<Left>(&event)) {
    present_.erase(left->email);
  } else if (const auto* refused = std::get_if<CallRefused>(&event)) {
    refused_calls_[refused->email] = refused->error;
  } else if (const auto* acknowledged = std::get_if<Acknowledged>(&event)) {
    settle(acknowledged->transaction, Fate::passed_on);
  } else if (const auto* failed = std::get_if<NotDelivered>(&event)) {
    settle(failed->transaction, failed->is_silence ? Fate::unknown : Fate::refused);
  } else if (auto* heard = std::get_if<Heard>(&event)) {
    used_at_ = steady_clock::now();
    queue_.push_back(std::move(*heard));
  }
}

asio::awaitable<bool> Board::await_open() {
  while (!machine_.is_open() && !ended()) co_await changed_.wait();
  co_return !ended();
}

asio::awaitable<CallOutcome> Board::await_call(std::string email) {
  for (;;) {
    CallOutcome outcome;
    const auto refused = refused_calls_.extract(email);
    if (refused) outcome.error = refused.mapped();
    outcome.has_joined = !ended() && machine_.has(email);
    outcome.is_over = ended() || (refused && refused.mapped() == 0);
    if (outcome.has_joined || outcome.error != 0 || outcome.is_over) co_return outcome;
    co_await changed_.wait();
  }
}

asio::awaitable<CallOutcome> Board::call(std::string email) {
  machine_.call(email, steady_clock::now());
  wake();
  auto waiting = await_call(std::move(email));
  co_return co_await base::within(join_limit, std::move(waiting));
}

asio::awaitable<Fate> Board::send(std::string payload, std::string to) {
  if (ended()) co_return Fate::unknown;
  used_at_ = steady_clock::now();
  const std::uint32_t transaction = machine_.send(payload, Acknowledgement::requested, used_at_);
  sent_[transaction].to = std::move(to);
  wake();
  while (sent_[transaction].fate == Fate::waiting) co_await changed_.wait();
  const Fate fate = sent_[transaction].fate;
  sent_.erase(transaction);
  co_return fate;
}

void Board::tell(const std::string& payload) {
  machine_.send(payload, Acknowledgement::none, steady_clock::now());
  wake();
}

std::vector<std::string> Board::take_newcomers() {
  std::vector<std::string> newcomers;
  if (!is_group_) return newcomers;
  for (const auto& [email, name] : machine_.others()) {
    if (told_.insert(email).second) newcomers.push_back(email);
  }
  return newcomers;
}

void Board::leave() {
  machine_.leave();
  machine_.tick(steady_clock::now());
  collect();
  wake();
}

}  // namespace wherry::msn
