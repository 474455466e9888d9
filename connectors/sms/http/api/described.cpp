#include "connectors/sms/http/api/described.hpp"

#include "connectors/sms/http/api/settings.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

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

constexpr std::size_t most_links = 20;  // of one message

// The charset of a Content-Type, where it is one of an octet for each character.
std::string one_octet_charset(std::string_view content_type) {
  constexpr std::string_view label = "charset=";
  const std::string type = base::to_lower_ascii(content_type);
  const auto at = type.find(label);
  if (at == type.npos) return {};
  std::string charset = type.substr(at + label.size());
  std::erase(charset, '"');
  charset.resize(std::min(charset.find_first_of("; "), charset.size()));
  const bool is_known = charset.starts_with("iso-8859-") || charset.starts_with("windows-125");
  return is_known && consists_of(charset, "-") ? charset : std::string();
}

std::string as_utf8(const std::string& octets, const std::string& charset) {
  return charset.empty() || base::is_utf8(octets) ? to_well_formed(octets) : decode_charset(octets, charset);
}

json as_object(const net::FormFields& fields, const std::string& charset) {
  json object = json::object();
  // of a field that is repeated, the first
  for (const auto& [name, value] : fields) object.emplace(as_utf8(name, charset), as_utf8(value, charset));
  return object;
}

json read_body_in(std::string_view body, const std::string& charset) {
  const std::string_view text = base::trim(without_byte_order_mark(body));
  if (text.starts_with('{') || text.starts_with('['))
    return parse_forgivingly(as_utf8(std::string(text), charset)).value_or(json());
  const auto fields = net::parse_form(text);
  return fields ? as_object(*fields, charset) : json();
}

// Calls `visit` with where each list ends in `where` that is indexed with 0.
template <class Visit>
void each_first_index(const std::string& where, Visit visit) {
  for (auto at = where.find("/0"); at != where.npos; at = where.find("/0", at + 1)) {
    if (at + 2 == where.size() || where[at + 2] == '/') visit(at);
  }
}

const json* list_of_several(const json& body, const std::string& where) {
  const json* list = find_at(body, where);
  return list && list->is_array() && list->size() > 1 ? list : nullptr;
}

void add_texts(const json& value, std::vector<std::string>& texts) {
  if (value.is_array()) {
    for (const json& item : value) texts.push_back(as_text(item));
    return;
  }
  const std::string text = as_text(value);
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find_first_of(",;"), rest.size());
    if (const auto piece = base::trim(rest.substr(0, end)); !piece.empty()) texts.emplace_back(piece);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

bool is_link(std::string_view text) {
  const bool is_web = text.starts_with("https://") || text.starts_with("http://");
  return is_web && text.size() <= 2000 && text.find_first_of(" \t\r\n<>\"") == text.npos;
}

std::string link_in(const json& value) {
  if (!value.is_object()) return as_text(value);
  for (const char* key : {"url", "link", "href"}) {
    if (const std::string link = text_in(value, key); !link.empty()) return link;
  }
  return {};
}

void add_link(const json& value, Links& found) {
  std::string link = link_in(value);
  if (!is_link(link) || found.links.size() == most_links) ++found.lost;
  else found.links.push_back(std::move(link));
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

json read_body(std::string_view body) { return read_body_in(body, {}); }

json read_body(const net::ServerRequest& request) {
  const std::string charset = one_octet_charset(request.header("content-type"));
  return is_in_query(request) ? as_object(fields_of(request), charset) : read_body_in(request.body, charset);
}

const json* find_at(const json& body, const std::string& where) {
  if (where.empty()) return nullptr;
  if (!where.starts_with('/')) {
    const auto found = body.is_object() ? body.find(where) : body.end();
    return found != body.end() ? &*found : nullptr;
  }
  try {
    const json::json_pointer pointer(where);
    return body.contains(pointer) ? &body.at(pointer) : nullptr;
  } catch (const json::exception&) {  // an index where the body has names
    return nullptr;
  }
}

std::string value_at(const json& body, const std::string& where) {
  const json* found = find_at(body, where);
  return found ? as_text(*found) : std::string();
}

std::vector<std::string> values_at(const json& body, const std::string& where) {
  std::vector<std::string> texts;
  std::string in_list;
  each_first_index(where, [&](std::size_t at) {
    if (list_of_several(body, where.substr(0, at))) in_list = where.substr(0, at);
  });
  if (in_list.empty()) {
    if (const json* found = find_at(body, where)) add_texts(*found, texts);
    return texts;
  }
  const std::size_t entries = find_at(body, in_list)->size();
  for (std::size_t i = 0; i < entries; ++i) {
    const json* found = find_at(body, fmt::format("{}/{}{}", in_list, i, where.substr(in_list.size() + 2)));
    if (found) add_texts(*found, texts);
  }
  return texts;
}

Links links_at(const json& body, const std::string& where) {
  Links found;
  const json* value = find_at(body, where);
  if (!value || value->empty()) return found;  // null, [] and {} are empty
  const std::string text = as_text(*value);
  if (value->is_array()) {
    for (const json& item : *value) add_link(item, found);
  } else if (!text.empty() && text.size() < 4 && text.find_first_not_of("0123456789") == text.npos) {
    found.lost = to_number(text);
  } else if (value->is_object() || !base::trim(text).empty()) {
    add_link(*value, found);
  }
  return found;
}

std::string list_cut_by(const json& body, const std::string& where) {
  std::string cut;
  each_first_index(where, [&](std::size_t at) {
    if (cut.empty() && list_of_several(body, where.substr(0, at))) cut = where.substr(0, at);
  });
  return cut;
}

bool is_place(const std::string& where) {
  try {
    return !where.starts_with('/') || !json::json_pointer(where).empty();
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace wherry::sms::http
