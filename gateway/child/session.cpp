#include "gateway/child/session.hpp"

#include "gateway/child/session/queries.hpp"
#include "gateway/child/values.hpp"
#include "gateway/connector/action_codec.hpp"

#include <utility>

namespace wherry::child {

namespace {

class ChildSession final : public Session {
 public:
  ChildSession(SessionContext context, AccountId account, EventSink& events)
      : context_(context),
        account_(account),
        params_(R"({"account":)" + std::to_string(account.value)),
        events_(events) {}

  asio::awaitable<void> run() override {
    do {
      co_await context_.accounts.wait_told(account_);
      co_await context_.peer.wait_room();
    } while (!context_.accounts.is_told(account_));  // the process may have been replaced meanwhile
    context_.capabilities.drop(account_);            // each session asks for its own
    // A call that lives as long as the session, so no limit on calls under way counts it.
    auto begun = context_.peer.begin("open", params_ + "}", RpcPeer::Limit::none);
    if (!begun) throw std::runtime_error(begun.error().text);
    const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);  // cancelled with us: the child ends its session
    while (!call->answer()) co_await call->wait();
    const auto& answer = *call->answer();
    if (answer) throw std::runtime_error("the session ended");
    if (answer.error().code != Errc::not_authorized) throw std::runtime_error(answer.error().text);
    AccountChanged changed;
    changed.needs_login = true;
    changed.text = answer.error().text;
    co_await events_.publish(std::move(changed));
  }

  asio::awaitable<Result<Receipt>> perform(Action action) override {
    std::string params = params_ + R"(,"action":)" + to_text(action) + "}";
    const auto answer =
        co_await context_.peer.call("perform", std::move(params), context_.perform, RpcPeer::Limit::usual);
    if (!answer) co_return answer.error();
    auto receipt = parse_receipt(*answer);
    if (receipt) co_return receipt;
    co_return Error{Errc::uncertain, "The network's connector answered in a way that cannot be understood.", {}};
  }

  Capabilities capabilities(const ChatId& chat) const override { return context_.capabilities.find(account_, chat); }

  asio::awaitable<Result<Answer>> query(Query query) override {
    std::string params = params_ + R"(,"query":)" + to_text(query) + "}";
    const auto answer = co_await context_.peer.call("query", std::move(params), context_.answer, RpcPeer::Limit::usual);
    if (!answer) co_return answer.error();
    auto read = parse_answer(query, *answer);
    if (read) co_return read;
    log::warn("child.bad_answer", {{"method", "query"}, {"error", read.error().text}});
    co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood.", {}};
  }

  asio::awaitable<Result<void>> fetch(std::string handle, FileSink& sink) override {
    return context_.fetches.fetch(account_, std::move(handle), sink);
  }

  // Whoever asks says how long it may take.
  asio::awaitable<Result<void>> probe() override {
    auto begun = context_.peer.begin("probe", params_ + "}", RpcPeer::Limit::none);
    if (!begun) co_return begun.error();
    const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);
    while (!call->answer()) co_await call->wait();
    if (!*call->answer()) co_return call->answer()->error();
    co_return base::ok();
  }

 private:
  const SessionContext context_;
  const AccountId account_;
  const std::string params_;  // the start of every params object
  EventSink& events_;
};

}  // namespace

std::unique_ptr<Session> make_session(SessionContext context, AccountId account, EventSink& events) {
  return std::make_unique<ChildSession>(context, account, events);
}

}  // namespace wherry::child
