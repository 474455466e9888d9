// Reads a list of messages, page by page.
#pragma once

#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/api_client.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace wherry::sms::http {

struct Listed {
  // The newest first, as the service lists them (a message without a date counts as newest).
  std::vector<Message> messages;
  // When the rows that cannot be read were made, as they or their neighbours say: what is listed proves itself, and
  // what is not may be in one of these.
  std::vector<std::optional<base::Time>> holes;
  bool is_cut = false;            // there is more, and no end to it: see Bounds
  std::chrono::seconds ahead{0};  // how far the service's clock is ahead of ours, as its answers' Date says
};
struct Bounds {
  base::Time since{};         // what is older is passed over
  bool is_since_ours = true;  // by our clock. false: by the service's
  int most_pages = 1000;
  bool may_be_cut = false;                             // a longer list is no error
  std::function<bool(const Message&)> is_wanted = {};  // what else is passed over
};
// The messages that fit `filter`. unavailable or not_authorized where the list could not be read as far as `bounds`.
asio::awaitable<base::Result<Listed>> list_messages(const Provider& provider, connector::Services services,
                                                    ApiClient& api, Filter filter, Bounds bounds);

}  // namespace wherry::sms::http
