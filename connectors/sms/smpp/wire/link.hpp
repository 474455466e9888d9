// One bound SMPP connection: a Protocol and its socket. The carrier submits through it and hears what the peer asks.
#pragma once

#include "connectors/sms/smpp/wire/protocol.hpp"
#include "connectors/sms/smpp/wire/stream.hpp"
#include "gateway/base/signal.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::sms::smpp {

// One submit_sm on its way. It is settled when the answer came, or when it is sure that none will.
struct Submission {
  enum class State {
    unsent,   // not a byte of it has been written
    written,  // the answer is awaited
    overdue,  // the answer did not come in time; it may still
    answered,
    lost,  // the link ended; `unsent_at_end` tells whether it can have arrived
  };
  explicit Submission(asio::any_io_executor executor) : changed(std::move(executor)) {}
  State state = State::unsent;
  bool unsent_at_end = false;
  Status status = Status::ok;
  std::string message_id;
  base::Signal changed;

  bool waits() const { return state == State::unsent || state == State::written; }
  bool settled() const { return state == State::answered || state == State::lost; }
};

class Link {
 public:
  struct Events {                             // which never throw
    std::function<void(Link&, Asked)> asked;  // answer() later
    std::function<void(const Link&, Proved)> proved;
  };

  // Connects and binds. Throws LinkDown, with a long wait where repeating the bind is useless or harmful.
  static asio::awaitable<std::unique_ptr<Link>> open(Endpoint endpoint, Command command, Bind bind,
                                                     ProtocolLimits limits, Events events);

  // Reads, writes and keeps time until the link ends or the coroutine is cancelled; every submission is settled then.
  // Returns the reason.
  asio::awaitable<std::string> run();

  std::shared_ptr<Submission> submit(const ShortMessage& message);
  // How many answers that makes on this link: see Proved.
  std::uint64_t answer(const Asked& asked, Status status);

  // Waits until nothing is unanswered, asks to unbind and waits for the answer, each up to its limit: then run()
  // returns. True where the peer confirmed, so that everything was answered both ways.
  asio::awaitable<bool> unbind(std::chrono::seconds drain_limit);

  void end(std::string reason);  // at once
  // Submits nothing more, and ends once nothing is unanswered: at the latest when the response limit is over.
  void end_when_answered(std::string reason);
  bool ended() const { return protocol_.ended(); }

 private:
  Link(asio::any_io_executor executor, std::unique_ptr<Stream> stream, ProtocolLimits limits, Events events);
  asio::awaitable<void> bind(Command command, Bind bind);
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> keep_time();
  asio::awaitable<void> drain();
  void handle_events();
  void wake();
  void settle_all();
  std::size_t awaited() const;

  asio::any_io_executor executor_;
  std::unique_ptr<Stream> stream_;
  Protocol protocol_;
  Events events_;
  std::map<std::uint32_t, std::shared_ptr<Submission>> submissions_;
  std::vector<std::uint32_t> unwritten_;  // submitted since the last write began
  asio::steady_timer timer_;              // for the protocol's next tick
  base::Signal output_;                   // something to write, or the end
  base::Signal changed_;                  // an answer, or the end
  bool bound_ = false;
  Status bind_status_ = Status::ok;
  std::string reason_;
  std::optional<std::string> last_reason_;  // of end_when_answered()
};

}  // namespace wherry::sms::smpp
