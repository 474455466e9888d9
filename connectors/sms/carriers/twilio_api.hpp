// Twilio's Messages resource (2010-04-01): requests, answers and webhooks as values. Pure.
#pragma once

#include "connectors/sms/carriers/twilio_configuration.hpp"
#include "gateway/net/http_client.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wherry::sms::twilio {

// A message as the API describes it.
struct Message {
  std::string sid, status, direction, from, to, body;
  int error_code = 0;     // why it failed; 0: none
  unsigned media = 0;     // how many files it has; their links are a resource of their own
  std::optional<base::Time> created, sent;

  bool is_inbound() const { return direction == "inbound"; }
  // Of a received one: when it came. None where no date could be read.
  std::optional<base::Time> time() const { return sent ? sent : created; }
};
struct Page {
  std::vector<Message> messages;
  std::string next;  // the next page's URL, or empty
};

// POST of a text. `ref` goes into the URL that its status is reported to, and comes back with each report.
net::HttpRequest send_request(const Setting& setting, const OutgoingText& text, std::string_view ref);

// What to list: empty fields fit all. `since` is taken as its whole day: a finer filter is not documented.
struct Filter {
  std::string to, from;
  std::optional<base::Time> since;
};
net::HttpRequest list_request(const Setting& setting, const Filter& filter);
net::HttpRequest page_request(const Setting& setting, std::string url);
net::HttpRequest message_request(const Setting& setting, std::string_view sid);
net::HttpRequest media_request(const Setting& setting, std::string_view sid);

// None where the answer is not what the API describes.
std::optional<Message> parse_message(std::string_view json);
std::optional<Page> parse_page(const Setting& setting, std::string_view json);
std::optional<std::vector<std::string>> parse_media(const Setting& setting, std::string_view json);  // links

// What a webhook says.
struct Report {  // on a message that we sent
  std::string ref;  // as given to send_request; empty where the URL has none
  std::string sid, status;
  int error_code = 0;
};
struct Nothing {};
using Webhook = std::variant<Nothing, Report, IncomingText>;
// `target`: the request's, path and query. `now`: when it came, for an incoming text has no date.
Webhook read_webhook(std::string_view target, const net::FormFields& fields, base::Time now);

// A message that was listed, as the webhook would have brought it.
IncomingText to_incoming(const Message& message, const std::vector<std::string>& links, base::Time now);

// "Fri, 24 May 2019 17:18:27 +0000" (RFC 2822 §3.3), also with "GMT" (RFC 9110 §5.6.7).
std::optional<base::Time> parse_date(std::string_view text);

// Length as Twilio counts it, in UTF-16 units.
std::size_t utf16_length(std::string_view utf8);

}  // namespace wherry::sms::twilio
