#include "connectors/oscar/conversation.hpp"

#include <boost/asio/this_coro.hpp>

namespace wherry::oscar {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_happenings = 500;  // that nobody has taken yet: then nothing more is read

}  // namespace

Conversation::Conversation(std::unique_ptr<Link> link, std::string cookie, std::uint32_t status, Roster::Plain plain,
                           SessionLimits limits)
    : link_(std::move(link)),
      session_(std::move(cookie), status, std::move(plain), limits, steady_clock::now()),
      changed_(link_->executor()) {}

Conversation::Conversation(std::unique_ptr<Link> link, std::string cookie, std::uint16_t service)
    : link_(std::move(link)),
      session_(std::move(cookie), service, SessionLimits{}, steady_clock::now()),
      changed_(link_->executor()) {}

asio::awaitable<void> Conversation::run() {
  std::exception_ptr failure;
  try {
    auto after = [this] { take_events(); };
    auto is_full = [this] { return happenings_.size() >= most_happenings; };
    auto driving = link_->run(session_, std::move(after), std::move(is_full));
    co_await std::move(driving);
  } catch (...) {
    failure = std::current_exception();
  }
  session_.closed();
  take_events();
  if (failure) std::rethrow_exception(failure);
}

void Conversation::take_events() {
  for (SessionEvent& event : session_.take_events()) {
    std::uint32_t id = 0;
    Reply reply;
    if (auto* answer = std::get_if<Answer>(&event)) {
      id = answer->id;
      reply.kind = answer->is_presumed ? Reply::Kind::presumed : Reply::Kind::answered;
      reply.snac = std::move(answer->snac);
    } else if (const auto* unanswered = std::get_if<Unanswered>(&event)) {
      id = unanswered->id;
      reply.kind = unanswered->was_sent ? Reply::Kind::unanswered : Reply::Kind::unsent;
    } else if (auto* news = std::get_if<News>(&event)) {
      happenings_.emplace_back(std::move(*news));
    } else if (auto* ended = std::get_if<Ended>(&event)) {
      happenings_.emplace_back(std::move(*ended));
    } else {
      happenings_.emplace_back(Ready{});
    }
    const auto found = awaited_.find(id);
    if (found == awaited_.end()) continue;
    const auto awaited = found->second;
    awaited_.erase(found);
    awaited->reply = std::move(reply);
    awaited->settled.notify();
  }
  changed_.notify();
}

asio::awaitable<Conversation::Happening> Conversation::next() {
  while (happenings_.empty()) co_await changed_.wait();
  Happening first = std::move(happenings_.front());
  happenings_.pop_front();
  if (happenings_.size() + 1 == most_happenings) link_->wake();
  co_return first;
}

// Whoever is cancelled leaves nothing behind: its reply is thrown away when it comes.
asio::awaitable<Reply> Conversation::await_reply(std::uint32_t id) {
  if (id == 0) co_return Reply{};
  const auto awaited = std::make_shared<Awaited>(link_->executor());
  awaited_[id] = awaited;
  link_->wake();
  while (!awaited->reply) co_await awaited->settled.wait();
  co_return std::move(*awaited->reply);
}

asio::awaitable<Reply> Conversation::ask(std::uint16_t family, std::uint16_t subtype, std::string body) {
  const std::uint32_t id = session_.ask(family, subtype, std::move(body), steady_clock::now());
  return await_reply(id);
}

asio::awaitable<Reply> Conversation::send(OutgoingMessage message, bool is_acknowledged) {
  const std::uint32_t id = session_.send(message, is_acknowledged, steady_clock::now());
  return await_reply(id);
}

bool Conversation::tell(std::uint16_t family, std::uint16_t subtype, std::string body) {
  const bool is_told = session_.tell(family, subtype, std::move(body), steady_clock::now()) != 0;
  link_->wake();
  return is_told;
}

bool Conversation::tell_at_once(std::uint16_t family, std::uint16_t subtype, std::string body) {
  const bool is_told = session_.tell_at_once(family, subtype, std::move(body), steady_clock::now());
  link_->wake();
  return is_told;
}

steady_clock::duration Conversation::until_spare(std::uint16_t family, std::uint16_t subtype) const {
  const auto now = steady_clock::now();
  return session_.when_spare(family, subtype, now) - now;
}

void Conversation::end(std::string reason) {
  session_.end(std::move(reason));
  take_events();
  link_->wake();
}

}  // namespace wherry::oscar
