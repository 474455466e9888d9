// What the user shows of themselves: the nick that ICQ keeps, and the picture.
#pragma once

#include "connectors/oscar/account/contact_list.hpp"
#include "connectors/oscar/account/icons.hpp"
#include "connectors/oscar/account/icq_services.hpp"
#include "gateway/net/http_client.hpp"

#include <memory>
#include <string>

namespace wherry::oscar {

// Of one account.
class OwnProfile {
 public:
  OwnProfile(Server& server, IcqServices& services, Icons& icons, ContactList& list, net::HttpClient& http)
      : server_(server), services_(services), icons_(icons), list_(list), http_(http) {}

  asio::awaitable<connector::Result<connector::Receipt>> set(std::shared_ptr<Conversation> with,
                                                             connector::SetProfile profile);

 private:
  asio::awaitable<connector::Result<void>> set_nick(std::shared_ptr<Conversation> with, std::string nick);
  asio::awaitable<connector::Result<void>> set_icon(std::shared_ptr<Conversation> with, std::string url);
  asio::awaitable<connector::Result<std::string>> load(std::string url);

  Server& server_;
  IcqServices& services_;
  Icons& icons_;
  ContactList& list_;
  net::HttpClient& http_;
};

}  // namespace wherry::oscar
