// What providers write, as values: JSON members, form fields, dates, addresses. Pure.
#pragma once

#include "connectors/sms/http/api/forgiving_json.hpp"
#include "connectors/sms/http/api/provider.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::sms::http {

// Members of an object, whatever it is: "" or 0 where they are missing or something else. Some write numbers as text.
std::optional<nlohmann::json> parse_object(std::string_view text);
std::string text_in(const nlohmann::json& object, const char* key);
int number_in(const nlohmann::json& object, const char* key);
std::int64_t to_number(std::string_view text);

// The first field of that name, or "".
std::string_view value_of(const net::FormFields& fields, std::string_view name);
std::string value_in_query(std::string_view url, std::string_view name);
// Our reference in the target of a webhook that was asked for with Setting::report_url.
inline std::string ref_in(std::string_view target) { return value_in_query(target, "key"); }

// What a webhook says: a GET in its query, another request in its form. One without a body has nothing but its query.
bool is_in_query(const net::ServerRequest& request);
net::FormFields fields_of(const net::ServerRequest& request);

// Whether it can be a message's id, which becomes a part of URLs and keys.
bool is_id(std::string_view text);

// A time since 1970 that others wrote. Nothing where it is before that, or so late that reckoning with it would
// overflow.
std::optional<base::Time> time_of(std::chrono::seconds since_1970);

// "Fri, 24 May 2019 17:18:27 +0000" (RFC 2822 §3.3), also with "GMT" (RFC 9110 §5.6.7), and
// "2019-05-24T17:18:27.5+00:00" (RFC 3339); "2019-05-24 17:18:27", which is UTC; and seconds or milliseconds since
// 1970.
std::optional<base::Time> parse_date(std::string_view text);

// Whether a service has hidden digits of a number: "+1415555XXXX".
bool is_redacted(std::string_view number);

// A received message as the connector gets it, with all that a person must know about it said in its text. `now`: its
// time, where it has none.
IncomingText to_incoming(const Message& message, base::Time now);

// Length in UTF-16 units.
std::size_t utf16_length(std::string_view utf8);

}  // namespace wherry::sms::http
