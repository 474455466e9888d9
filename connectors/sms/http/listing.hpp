// Reads a list of messages, page by page.
#pragma once

#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/api_client.hpp"

#include <boost/asio/awaitable.hpp>

namespace wherry::sms::http {

struct Listed {
  std::vector<Message>
      messages;  // the newest first, as the service lists them (a message without a date counts as newest)
  std::chrono::seconds ahead{0};  // how far the service's clock is ahead of ours, as its answers' Date says
};
// The messages that fit `filter` and are not older than `since` by our clock. unavailable or not_authorized where the
// list could not be read to that point.
asio::awaitable<base::Result<Listed>> list_messages(const Provider& provider, connector::Services services,
                                                    ApiClient& api, Filter filter, base::Time since);

}  // namespace wherry::sms::http
