// A session at its server, live: what is asked is awaited, what comes is taken one by one.
#pragma once

#include "connectors/oscar/client/link.hpp"
#include "connectors/oscar/client/session.hpp"

#include <deque>
#include <map>
#include <memory>
#include <variant>

namespace wherry::oscar {

struct Reply {
  enum class Kind {
    answered,
    presumed,    // a message: the server answered what was asked behind it
    unanswered,  // the server may have it
    unsent,      // it has not
  };
  Kind kind = Kind::unsent;
  Snac snac;
};

class Conversation {
 public:
  Conversation(std::unique_ptr<Link> link, std::string cookie, std::uint32_t status, Roster::Plain plain,
               SessionLimits limits = {});
  // With a service beside the session.
  Conversation(std::unique_ptr<Link> link, std::string cookie, std::uint16_t service);

  // Drives the session until it ends. Whoever waits for a reply has one then.
  asio::awaitable<void> run();

  using Happening = std::variant<Ready, News, Ended>;
  // The next thing that comes; after Ended nothing does.
  asio::awaitable<Happening> next();

  asio::awaitable<Reply> ask(std::uint16_t family, std::uint16_t subtype, std::string body);
  asio::awaitable<Reply> send(OutgoingMessage message, bool is_acknowledged);
  bool tell(std::uint16_t family, std::uint16_t subtype, std::string body);          // false: it cannot go
  bool tell_at_once(std::uint16_t family, std::uint16_t subtype, std::string body);  // likewise, or not now

  // How long to wait with such a packet so that no message of the user's waits for it.
  std::chrono::steady_clock::duration until_spare(std::uint16_t family, std::uint16_t subtype) const;

  void end(std::string reason);  // says good-bye

  bool offers(std::uint16_t family) const { return session_.offers(family); }
  Roster& roster() { return session_.roster(); }
  bool has_whole_roster() const { return session_.has_whole_roster(); }

 private:
  struct Awaited {
    explicit Awaited(const asio::any_io_executor& executor) : settled(executor) {}
    std::optional<Reply> reply;
    base::Signal settled;
  };
  asio::awaitable<Reply> await_reply(std::uint32_t id);
  void take_events();

  std::unique_ptr<Link> link_;
  OscarSession session_;
  std::deque<Happening> happenings_;
  std::map<std::uint32_t, std::shared_ptr<Awaited>> awaited_;
  base::Signal changed_;
};

}  // namespace wherry::oscar
