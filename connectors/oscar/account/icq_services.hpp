// ICQ's own services (family 15): what is asked there, and the packets that answer it.
#pragma once

#include "connectors/oscar/client/services/icq.hpp"
#include "connectors/oscar/conversation.hpp"
#include "gateway/base/signal.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wherry::oscar {

// Of one account.
class IcqServices {
 public:
  IcqServices(std::string account, const asio::any_io_executor& executor);

  // ICQ's users have them, at servers that offer them.
  bool are_there(const Conversation& at) const;

  // What the server kept comes as packets that nobody waits for.
  void fetch_stored(Conversation& at);
  void delete_stored(Conversation& at);

  // The packets that answer a question: up to the last one, or until no more come. None: no answer came in time.
  asio::awaitable<std::vector<IcqPacket>> ask(std::shared_ptr<Conversation> at, std::string question);
  // Whether somebody waits for it.
  bool take(IcqPacket packet);
  // Nothing more comes.
  void end();

 private:
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& executor) : changed(executor) {}
    std::vector<IcqPacket> packets;
    bool has_more = false, is_whole = false;
    base::Signal changed;
  };
  bool send(Conversation& at, std::uint16_t type, std::uint16_t sequence, std::string data);
  static asio::awaitable<void> more_than(std::shared_ptr<Waiting> waiting, std::size_t count);

  std::string account_;
  asio::any_io_executor executor_;
  std::uint16_t next_;
  std::map<std::uint16_t, std::shared_ptr<Waiting>> asked_;
};

}  // namespace wherry::oscar
