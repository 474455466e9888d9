// What the user shows of themselves: the nick that ICQ keeps, and the picture.
#pragma once

#include "connectors/oscar/account/contact_list.hpp"
#include "connectors/oscar/account/icons.hpp"
#include "connectors/oscar/account/icq_services.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/http_client.hpp"

#include <memory>
#include <optional>
#include <string>

namespace wherry::oscar {

// Of one account.
class OwnProfile {
 public:
  OwnProfile(Server& server, IcqServices& services, Icons& icons, ContactList& list,
             const connector::Services& platform)
      : server_(server),
        services_(services),
        icons_(icons),
        list_(list),
        http_(platform.http),
        noted_changed_(platform.executor) {}

  asio::awaitable<connector::Result<connector::Receipt>> set(std::shared_ptr<Conversation> with,
                                                             connector::SetProfile profile);
  // What the server says to the list's item of an icon.
  void noted(IconNoted icon);
  // The session has ended: whoever waits for its server's word hears that it does not come.
  void forget();

 private:
  asio::awaitable<connector::Result<void>> set_nick(std::shared_ptr<Conversation> with, std::string nick);
  asio::awaitable<connector::Result<void>> set_icon(std::shared_ptr<Conversation> with, std::string url);
  asio::awaitable<connector::Result<std::string>> load(std::string url);
  asio::awaitable<std::optional<bool>> is_wanted(std::string hash, std::size_t session);

  Server& server_;
  IcqServices& services_;
  Icons& icons_;
  ContactList& list_;
  net::HttpClient& http_;
  std::optional<IconNoted> noted_;  // the newest of the session
  std::size_t sessions_ended_ = 0;
  base::Signal noted_changed_;
};

}  // namespace wherry::oscar
