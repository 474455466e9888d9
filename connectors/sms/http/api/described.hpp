// Requests and bodies as a configuration describes them: which fields a request has, where a value is in a body. Pure.
#pragma once

#include "connectors/sms/http/api/template.hpp"
#include "gateway/connector/settings.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::sms::http {

// A request whose texts are templates.
struct DescribedRequest {
  std::string method, path;
  bool is_json = true;  // else a form, or the query of a GET
  std::vector<std::pair<std::string, std::string>> headers;
  nlohmann::json fields = nlohmann::json::object();

  // Puts it into `request`, whose URL is the API's.
  void fill_in(net::HttpRequest& request, const Values& values) const;
};

// Its keys.
inline constexpr connector::Key request_keys[] = {
    {"path", connector::Type::text(), "/", "the end of the URL"},
    {"method", connector::Type::one_of("POST GET"), "POST", "a GET has its fields in the query"},
    {"format", connector::Type::one_of("json form"), "", "of the fields; otherwise json, and form of a GET"},
    {"headers", connector::Type::table(), "",
     "names and texts; in these there may be `{ref}`, `{time}`, `{token}`, `{user}`"},
    {"fields", connector::Type::table(), "",
     "names and values; in their texts there may be `{from}`, `{from_digits}`, `{to}`, `{to_digits}`, `{text}`, "
     "`{ref}` "
     "(ours, of the text), `{report_url}`, `{webhook_url}`, `{time}` (seconds since 1970), `{token}`, `{user}`; `{{` "
     "is "
     "a brace"},
};

// Reads a table with `path`, `method`, `format`, `headers` and `fields`.
DescribedRequest read_request(const nlohmann::json& table, const std::string& path, const Placeholders& in_headers,
                              const Placeholders& in_fields, connector::Mistakes& mistakes);

// What a body says, JSON, form or query: one value, an array where it has several things to say. Null: nothing. Octets
// of a form that are not UTF-8 are read as its Content-Type says.
nlohmann::json read_body(std::string_view body);
nlohmann::json read_body(const net::ServerRequest& request);

// The value of a field, by its name or by a JSON pointer ("/data/0/id", RFC 6901); null where there is none.
const nlohmann::json* find_at(const nlohmann::json& body, const std::string& where);
// The same as text; "" where there is none.
std::string value_at(const nlohmann::json& body, const std::string& where);
// The same where it may be several: a list, texts with commas between them, or what stands at the place in each entry
// of a list that the place indexes with 0.
std::vector<std::string> values_at(const nlohmann::json& body, const std::string& where);
// The links at a place: a text, a list, or tables that have them as url, link or href. Others are counted as lost; a
// number there is how many there are.
struct Links {
  std::vector<std::string> links;
  std::int64_t lost = 0;
};
Links links_at(const nlohmann::json& body, const std::string& where);
// The list with more than one entry that the place indexes with 0: of what stands there, the rest is not read.
std::string list_cut_by(const nlohmann::json& body, const std::string& where);
// Whether it can be such a place.
bool is_place(const std::string& where);

}  // namespace wherry::sms::http
