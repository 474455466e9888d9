// What differs between the HTTP providers: how a request looks, what an answer means, who signed a webhook. A provider
// is pure: what must not be lost or doubled is the engine's business (http_carrier.hpp), once for all of them.
#pragma once

#include "connectors/sms/http/api/settings.hpp"
#include "connectors/sms/http/api/verdict.hpp"
#include "gateway/net/http_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wherry::sms::http {

// How far a text of ours has come.
struct Status {
  std::optional<connector::Stage> stage;  // none: the provider's word says nothing about that
  std::string why;                        // failed: for the sender
  std::string word;                       // the provider's, for the log
  bool is_last = false;                   // the provider says that it will tell nothing more
};

// A message as the provider describes it. Addresses are "+<digits>", short codes or names.
struct Message {
  std::string id;
  bool is_inbound = false;
  bool is_complete = true;  // false: it is still coming in
  bool is_brief = false;    // listed without its text: message_url has that
  std::string from, to, text;
  Status status;                    // of one of ours
  std::vector<std::string> others;  // who got it besides `to`, of a text to a group
  std::vector<std::string> links;   // its files
  std::string links_url;            // where these must be asked for; else empty
  std::int64_t lost_files = 0;      // of which there is no link
  std::optional<base::Time> created, sent;

  // Of a received one: when it came. None where no date could be read.
  std::optional<base::Time> time() const { return sent ? sent : created; }
};
struct Page {
  std::vector<Message> messages;  // the newest first
  std::string next;               // the next page's URL, or empty
};
// What to list: empty fields fit all. `since` may be taken roughly: what is older is passed over.
struct Filter {
  std::string to, from;
  std::optional<base::Time> since;
};

// What a webhook says.
struct Report {     // on a text of ours
  std::string ref;  // as send_request was given it; empty where the webhook has none
  std::string id;
  Status status;
};
using Webhook = std::variant<std::monostate, Report, Message>;

class Provider {
 public:
  explicit Provider(Setting s) : setting(std::move(s)) {}
  virtual ~Provider() = default;

  Setting setting;  // of which only the numbers change

  // by_key: the provider drops a second request with the same `ref`. queryable: it lists messages, with their texts, so
  // that those of unknown outcome and those that no webhook brought are found there. none: neither.
  virtual connector::Idempotency idempotency() const = 0;
  virtual std::size_t most_units() const = 0;  // of one text, in UTF-16 units
  // Whether list_url lists incoming texts, perhaps briefly.
  virtual bool lists_texts() const { return idempotency() == connector::Idempotency::queryable; }

  // ---- Sending ----

  // Posts a text. `ref` is ours (32 hexadecimal digits) and comes back with every Report.
  virtual net::HttpRequest send_request(const OutgoingText& text, std::string_view ref) const = 0;
  virtual Verdict judge(const net::HttpResponse& answer, base::Time now) const = 0;

  // ---- Looking: a URL is empty where the API lacks it; nothing is read where the body is not what it describes ----

  // A request that only reads, signed in.
  virtual net::HttpRequest get(std::string url) const = 0;
  virtual std::string list_url(const Filter&) const { return {}; }
  virtual std::optional<Page> read_page(std::string_view, const std::string& /*url*/) const { return std::nullopt; }
  virtual std::string message_url(std::string_view) const { return {}; }
  virtual std::optional<Message> read_message(std::string_view) const { return std::nullopt; }
  virtual std::vector<std::string> read_links(std::string_view) const { return {}; }

  // ---- Files ----

  // The name of a file that only we may fetch, from its link: letters, digits and - _ /. Empty: anybody may open the
  // link.
  virtual std::string file_name(std::string_view) const { return {}; }
  // Asks for the file of that name, signed in.
  virtual net::HttpRequest file_request(std::string_view) const { return request({}); }

  // ---- Webhooks ----

  // Whether the provider signed it, just now: over the raw body and the URL that it was sent to, setting.public_url and
  // the request's target. Compares in constant time.
  virtual bool is_genuine(const net::ServerRequest& request, base::Time now) const = 0;
  virtual Webhook read_webhook(const net::ServerRequest& request) const = 0;
  virtual net::ServerResponse acknowledgement() const { return {}; }

 protected:
  // What send_request and get begin with.
  net::HttpRequest request(std::string url) const {
    net::HttpRequest r;
    r.url = std::move(url);
    r.limit = setting.request_limit;
    r.most_bytes = 2 << 20;  // a page of a hundred texts, their characters written as "\u0448"
    r.headers = {"Accept: application/json"};
    return r;
  }
};

}  // namespace wherry::sms::http
