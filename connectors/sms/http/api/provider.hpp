// What differs between the HTTP providers: how a request looks, what an answer means, who signed a webhook. A provider
// is pure: what must not be lost or doubled is the engine's business (http_carrier.hpp), once for all of them.
#pragma once

#include "connectors/sms/http/api/settings.hpp"
#include "connectors/sms/http/api/verdict.hpp"
#include "gateway/net/http_server.hpp"

#include <algorithm>
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
  std::string id;   // of a list's row that is none, or cannot be read: empty
  std::string ref;  // ours, as send_request was given it; empty where the API does not keep it
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
  std::vector<Message> messages;  // the newest first. A row that cannot be read is there without an id
  std::string next;               // the next page's URL, or empty
};
// What to list: empty fields fit all. `since` may be taken roughly: what is older is passed over. `until` only saves
// work: what is newer may be listed, too.
struct Filter {
  std::string to, from;
  std::optional<base::Time> since;
  std::string ref = {};  // only the message that was sent with it, where the API can filter so
  std::optional<base::Time> until = {};
};

// What a webhook says.
struct Report {     // on a text of ours
  std::string ref;  // as send_request was given it; empty where the webhook has none
  std::string id;   // empty where the webhook has none, and the reference says which text it is
  Status status;
  unsigned part = 1, parts = 1;  // of a text whose parts are reported one by one, each perhaps under an id of its own
};
using Webhook = std::variant<Report, Message>;

class Provider {
 public:
  explicit Provider(Setting s) : setting(std::move(s)) {}
  virtual ~Provider() = default;

  Setting setting;  // of which only the numbers change

  // From now on these numbers are ours; in the order of the configuration. Sorted, so that whether a number is ours is
  // asked in as many steps however many there are.
  virtual void serve(std::vector<std::string> numbers) {
    std::sort(numbers.begin(), numbers.end());
    setting.numbers = std::move(numbers);
  }

  // by_key: the provider drops a second request with the same `ref`. queryable: it lists messages, with their texts, so
  // that those of unknown outcome and those that no webhook brought are found there. none: neither.
  virtual connector::Idempotency idempotency() const = 0;
  virtual std::size_t most_units() const = 0;  // of the longest text, in UTF-16 units
  // Where fewer of these fit, as in some alphabets: what the sender of a text that is too long is told. Empty: it fits.
  virtual std::string why_too_long(std::string_view /*text*/) const { return {}; }
  // Whether list_url lists incoming texts, perhaps briefly.
  virtual bool lists_texts() const { return idempotency() == connector::Idempotency::queryable; }

  // ---- Sending ----

  // Sends a text. `ref` is ours (32 hexadecimal digits) and comes back with every Report.
  virtual net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time now) const = 0;
  // Taken without an id: the text has `ref` as its id.
  virtual Verdict judge(const net::HttpResponse& answer, base::Time now) const = 0;

  // ---- Looking: a URL is empty where the API lacks it; nothing is read where the body is not what it describes ----

  // A request that only reads, signed in.
  virtual net::HttpRequest get(std::string url) const = 0;
  virtual std::string list_url(const Filter&) const { return {}; }
  virtual std::optional<Page> read_page(std::string_view, const std::string& /*url*/) const { return std::nullopt; }
  virtual std::string message_url(std::string_view) const { return {}; }
  virtual std::optional<Message> read_message(std::string_view) const { return std::nullopt; }
  virtual std::vector<std::string> read_links(std::string_view) const { return {}; }

  // ---- Signing in, where requests carry a token that ends (OAuth 2.0, RFC 6749 §4.4) ----

  // Asks for a token. None: requests are signed in already.
  virtual std::optional<net::HttpRequest> sign_in() const { return std::nullopt; }
  // The token in the answer; empty where it has none.
  virtual std::string read_token(const net::HttpResponse&) const { return {}; }

  // ---- Files ----

  // The name of a file that only we may fetch, from its link: letters, digits and - _ /. Empty: anybody may open the
  // link.
  virtual std::string file_name(std::string_view) const { return {}; }
  // Asks for the file of that name, signed in.
  virtual net::HttpRequest file_request(std::string_view) const { return request({}); }

  // ---- Webhooks ----

  // What must be asked for before they come here. Each request must succeed, at the start and after each outage.
  virtual std::vector<net::HttpRequest> at_start() const { return {}; }
  // Whether nothing but webhooks tells of texts.
  bool needs_webhooks() const { return !lists_texts(); }
  // Whether they may come by GET, with all they say in the query.
  virtual bool takes_get() const { return false; }

  // Whether the provider signed it, just now: over the raw body and the URL that it was sent to, setting.public_url and
  // the request's target. Compares in constant time.
  virtual bool is_genuine(const net::ServerRequest& request, base::Time now) const = 0;
  // Nothing: it is none that we know.
  virtual std::vector<Webhook> read_webhook(const net::ServerRequest& request) const = 0;
  // What read_webhook() does not find or understand, in words for the operator, without anything that it says.
  virtual std::string missed_in(const net::ServerRequest&) const { return {}; }
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
