// Reads a list of messages, page by page.
#pragma once

#include "connectors/sms/http/reading.hpp"

#include <boost/asio/awaitable.hpp>

namespace wherry::sms::http {

// The messages that fit `filter` and are not older than `since`, the newest first, as the service lists them
// (message with no date: newest). unavailable or not_authorized where the list could not be read to that point.
asio::awaitable<base::Result<std::vector<Message>>> list_messages(const Provider& provider, connector::Services services, Filter filter, base::Time since);

}  // namespace wherry::sms::http
