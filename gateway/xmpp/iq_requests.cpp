#include "gateway/xmpp/iq_requests.hpp"

#include "gateway/base/within.hpp"

namespace wherry::xmpp {

IqRequests::IqRequests(asio::any_io_executor executor, Send send, std::string from, std::string id_prefix)
    : executor_(std::move(executor)),
      send_(std::move(send)),
      from_(std::move(from)),
      id_prefix_(std::move(id_prefix)) {}

asio::awaitable<std::optional<Stanza>> IqRequests::ask(Element iq, std::chrono::milliseconds limit) {
  const std::string id = id_prefix_ + std::to_string(++asked_);
  const auto question = std::make_shared<Question>(executor_);
  question->to = iq.attribute("to");
  open_[id] = question;
  iq.set("from", from_).set("id", id);
  send_(iq);
  try {
    co_await base::within(limit, wait(question));
  } catch (const base::TimedOut&) {
  } catch (...) {
    open_.erase(id);
    throw;
  }
  open_.erase(id);
  co_return std::move(question->answer);
}

asio::awaitable<void> IqRequests::wait(std::shared_ptr<Question> question) {
  while (!question->answer) co_await question->news.wait();
}

void IqRequests::answered(Stanza answer) {
  const auto found = open_.find(answer.id());
  if (found == open_.end() || found->second->to != answer.from.str()) return;
  const auto question = std::move(found->second);
  open_.erase(found);  // the first answer counts
  question->answer = std::move(answer);
  question->news.notify();
}

}  // namespace wherry::xmpp
