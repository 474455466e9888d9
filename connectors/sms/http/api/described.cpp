#include "connectors/sms/http/api/described.hpp"

#include "connectors/sms/http/api/settings.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/json_text.hpp"

#include <fmt/format.h>

namespace wherry::sms::http {

namespace {

using nlohmann::json;

json filled(const json& source, const Values& values) {
  if (source.is_string()) return fill(source.get_ref<const std::string&>(), values);
  json copy = source;
  if (copy.is_structured()) {
    for (json& item : copy) item = filled(item, values);
  }
  return copy;
}

std::string as_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() || value.is_boolean() ? value.dump() : std::string();
}

net::FormFields as_form(const json& object) {
  net::FormFields form;
  for (const auto& [name, value] : object.items()) form.emplace_back(name, as_text(value));
  return form;
}

json as_object(const net::FormFields& fields) {
  json object = json::object();
  for (const auto& [name, value] : fields) object.emplace(name, value);  // of a field that is repeated, the first
  return object;
}

std::optional<std::string> problem_in(const json& value, const Placeholders& known) {
  if (value.is_string()) return problem_of(value.get_ref<const std::string&>(), known);
  if (!value.is_structured()) return std::nullopt;
  for (const json& item : value) {
    if (auto problem = problem_in(item, known)) return problem;
  }
  return std::nullopt;
}

void read_headers(connector::Fields& in, DescribedRequest& request, const Placeholders& known) {
  const json* headers = in.object("headers");
  if (!headers) return;
  for (const auto& [name, value] : headers->items()) {
    const std::string key = "headers." + name;
    if (name.empty() || !consists_of(name, "-_")) in.wrong(key, "is no name of an HTTP header");
    if (!value.is_string()) in.wrong(key, "must be a text");
    else if (const auto problem = problem_in(value, known)) in.wrong(key, *problem);
    else request.headers.emplace_back(name, value.get<std::string>());
  }
}

void read_fields(connector::Fields& in, DescribedRequest& request, const Placeholders& known) {
  const json* fields = in.object("fields");
  if (!fields) return;
  for (const auto& [name, value] : fields->items()) {
    const std::string key = "fields." + name;
    if (value.is_structured() && !request.is_json) in.wrong(key, "must be a text: a form has no tables and lists");
    else if (const auto problem = problem_in(value, known)) in.wrong(key, *problem);
  }
  request.fields = *fields;
}

}  // namespace

void DescribedRequest::fill_in(net::HttpRequest& request, const Values& values) const {
  request.method = method;
  request.url += path;
  request.may_repeat = false;
  for (const auto& [name, value] : headers) request.headers.push_back(name + ": " + fill(value, values));
  const json content = filled(fields, values);
  if (method == "GET") {
    request.url += (path.find('?') == path.npos ? "?" : "&") + net::to_form(as_form(content));
    return;
  }
  request.headers.push_back(fmt::format("Content-Type: application/{}", is_json ? "json" : "x-www-form-urlencoded"));
  request.body =
      is_json ? content.dump(-1, ' ', false, json::error_handler_t::replace) : net::to_form(as_form(content));
}

DescribedRequest read_request(const json& table, const std::string& path, const Placeholders& in_headers,
                              const Placeholders& in_fields, connector::Mistakes& mistakes) {
  DescribedRequest request;
  connector::Fields in(table, path, request_keys);
  request.path = in.text("path");
  if (!request.path.starts_with('/') || !consists_of(request.path, "/-._~?=&%:"))
    in.wrong("path", "must be the end of a URL, like \"/v1/messages\"");
  request.method = in.choice("method");
  request.is_json = in.choice("format", request.method == "GET" ? "form" : "json", {"json", "form"}) == "json";
  if (request.is_json && request.method == "GET") in.wrong("format", "must be \"form\" where the method is GET");
  read_headers(in, request, in_headers);
  read_fields(in, request, in_fields);
  mistakes.add(in.finish());
  return request;
}

json read_body(std::string_view body) {
  const std::string_view text = base::trim(body);
  if (text.starts_with('{') || text.starts_with('[')) {
    auto parsed = connector::parse_json(text);
    return parsed ? std::move(*parsed) : json();
  }
  const auto fields = net::parse_form(text);
  return fields ? as_object(*fields) : json();
}

json read_body(const net::ServerRequest& request) {
  return request.method == "GET" ? as_object(fields_of(request)) : read_body(request.body);
}

std::string value_at(const json& body, const std::string& where) {
  if (where.empty()) return {};
  if (!where.starts_with('/')) {
    const auto found = body.is_object() ? body.find(where) : body.end();
    return found != body.end() ? as_text(*found) : std::string();
  }
  try {
    const json::json_pointer pointer(where);
    return body.contains(pointer) ? as_text(body.at(pointer)) : std::string();
  } catch (const json::exception&) {  // an index where the body has names
    return {};
  }
}

bool is_place(const std::string& where) {
  try {
    return !where.starts_with('/') || !json::json_pointer(where).empty();
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace wherry::sms::http
