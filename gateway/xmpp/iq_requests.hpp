// Our own iq requests to servers and clients, and their answers (RFC 6120 §8.2.3).
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wherry::xmpp {

class IqRequests {
 public:
  using Send = std::function<void(const Element&)>;

  // In the name of the gateway `from`; `id_prefix` makes the ids unlike those of other iqs and of other runs.
  IqRequests(asio::any_io_executor executor, Send send, std::string from, std::string id_prefix);

  // Sends `iq`, a get or set with its `to` (from and id are given here), and waits for the answer, a result or an
  // error. Nothing when none came within `limit`.
  asio::awaitable<std::optional<Stanza>> ask(Element iq, std::chrono::milliseconds limit);

  // An answer came; one that nobody waits for, or that somebody else than the one who was asked gives, means nothing.
  void answered(Stanza answer);

 private:
  struct Question {
    explicit Question(asio::any_io_executor executor) : news(std::move(executor)) {}
    std::string to;
    std::optional<Stanza> answer;
    base::Signal news;
  };
  static asio::awaitable<void> wait(std::shared_ptr<Question> question);

  asio::any_io_executor executor_;
  Send send_;
  std::string from_, id_prefix_;
  std::uint64_t asked_ = 0;
  std::map<std::string, std::shared_ptr<Question>, std::less<>> open_;  // by id
};

}  // namespace wherry::xmpp
