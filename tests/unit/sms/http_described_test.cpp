// Templates, patterns and places: what a configuration describes an API with.
#include "connectors/sms/http/api/described.hpp"
#include "connectors/sms/http/api/pattern.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::sms::http;
using nlohmann::json;

namespace {

std::optional<std::string> match(const char* pattern, const char* text) { return Pattern(pattern).match(text); }

DescribedRequest described(const json& table) {
  connector::Mistakes mistakes;
  DescribedRequest request = read_request(table, "send", {"ref"}, {"to", "text", "ref"}, mistakes);
  CHECK(mistakes.empty());
  return request;
}
std::string error_in(const json& table) {
  connector::Mistakes mistakes;
  read_request(table, "send", {"ref"}, {"to", "text", "ref"}, mistakes);
  return mistakes.error().text;
}
net::HttpRequest made(const json& table) {
  net::HttpRequest request;
  request.url = "https://api.test";
  described(table).fill_in(request, {{"to", "+1"}, {"text", "\"a\" & b"}, {"ref", "R"}});
  return request;
}

}  // namespace

TEST_CASE("fill puts values into placeholders, and nothing into those without one") {
  CHECK(fill("Bearer {token}", {{"token", "T"}}) == "Bearer T");
  CHECK(fill("{a}{b}{a}", {{"a", "{b}"}, {"b", "2"}}) == "{b}2{b}");  // a value is no template
  CHECK(fill("x{c}y", {}) == "xy");
  CHECK(fill("{{a} {{{a}", {{"a", "1"}}) == "{a} {1");
  CHECK(fill("", {}).empty());
}

TEST_CASE("problem_of names the placeholder that there is not, and those that there are") {
  CHECK_FALSE(problem_of("{to} {{x} }", {"to"}));
  CHECK(problem_of("{too}", {"to", "text"}) == "has {too}, which is no placeholder here. There are {to}, {text}");
  CHECK(problem_of("a {to", {"to"})->starts_with("has a '{' without a '}'"));
  CHECK(problem_of("{}", {"to"}));
}

TEST_CASE("A pattern fits the whole text, and finds the id in it") {
  CHECK(match("OK", " OK\n") == "");
  CHECK_FALSE(match("OK", "OK 1"));
  CHECK(match("*", "") == "");
  CHECK(match("OK: {id}", "OK: 17") == "17");
  CHECK(match("*<id>{id}</id>*", "<r><id>a-1</id><id>2</id></r>") == "a-1");
  CHECK(match("{id}|*", "a|b|c") == "a");
  CHECK(match("*error*", "an error came") == "");
  CHECK_FALSE(match("*error*", "none"));
  CHECK_FALSE(match("aba*aba", "ababa"));
  CHECK_FALSE(match("OK*OK", "OK"));
}

TEST_CASE("A pattern takes no longer than the lengths, whatever it and the text are") {
  const std::string text(1 << 20, 'a');
  CHECK_FALSE(Pattern("*a*a*a*a*a*a*a*a*b").match(text));
}

TEST_CASE("A described request is JSON, a form, or the query of a GET; its values cannot break out of it") {
  const json fields = {{"to", "{to}"}, {"n", 7}, {"list", json::array({{{"text", "{text}"}}})}};
  const auto as_json = made({{"path", "/v1"}, {"headers", json::object({{"X-Ref", "r-{ref}"}})}, {"fields", fields}});
  CHECK(as_json.method == "POST");
  CHECK(as_json.url == "https://api.test/v1");
  CHECK(as_json.headers == std::vector<std::string>{"X-Ref: r-R", "Content-Type: application/json"});
  CHECK(json::parse(as_json.body) == json({{"to", "+1"}, {"n", 7}, {"list", json::array({{{"text", "\"a\" & b"}}})}}));

  const json flat = {{"text", "{text}"}, {"to", "{to}"}};
  const auto form = made({{"format", "form"}, {"fields", flat}});
  CHECK(form.url == "https://api.test/");
  CHECK(net::parse_form(form.body).value() == net::FormFields{{"text", "\"a\" & b"}, {"to", "+1"}});
  const auto query = made({{"method", "GET"}, {"path", "/send?v=1"}, {"fields", flat}});
  CHECK(query.method == "GET");
  CHECK(query.body.empty());
  CHECK_FALSE(query.may_repeat);
  CHECK(query.url == "https://api.test/send?v=1&" + net::to_form({{"text", "\"a\" & b"}, {"to", "+1"}}));
}

TEST_CASE("Errors in a described request begin with the key's path") {
  CHECK(error_in({{"path", "v1"}}).starts_with("send.path: must be the end of a URL"));
  CHECK(error_in({{"path", "/{to}"}}).starts_with("send.path: "));
  CHECK(error_in(json::parse(R"({"fields":{"a":{"b":"{too}"}}})")).starts_with("send.fields.a: has {too}"));
  CHECK(error_in(json::parse(R"({"headers":{"A":"{text}"}})")).starts_with("send.headers.A: has {text}"));
  CHECK(error_in(json::parse(R"({"headers":{"A b":"x"}})")).starts_with("send.headers.A b: is no name"));
  CHECK(error_in(json::parse(R"({"headers":{"A":1}})")).starts_with("send.headers.A: must be a text"));
  CHECK(error_in(json::parse(R"({"format":"form","fields":{"a":{"b":"c"}}})"))
            .starts_with("send.fields.a: must be a text"));
  CHECK(error_in({{"method", "GET"}, {"format", "json"}}).starts_with("send.format: "));
  CHECK(error_in({{"metod", "GET"}}).starts_with("send.metod: there is no such key"));
}

TEST_CASE("value_at finds a field by its name or by a JSON pointer, and nothing where there is none (RFC 6901)") {
  const json body = read_body(R"({"id":7,"data":[{"to":"+1","ok":true}],"a/b":"c"})");
  CHECK(value_at(body, "id") == "7");
  CHECK(value_at(body, "/data/0/to") == "+1");
  CHECK(value_at(body, "/data/0/ok") == "true");
  CHECK(value_at(body, "/a~1b") == "c");
  for (const char* none : {"", "x", "data", "/data", "/data/1/to", "/data/to", "/id/0", "/data/00/to", "/data/-"}) {
    CAPTURE(none);
    CHECK(value_at(body, none).empty());
  }
  CHECK(is_place("/data/0"));
  CHECK(is_place("id"));
  CHECK_FALSE(is_place("/a~2"));
}

TEST_CASE("read_body reads JSON, a form, and a query") {
  CHECK(value_at(read_body("a=1&b=x+y&a=2"), "b") == "x y");
  CHECK(value_at(read_body("a=1&b=x+y&a=2"), "a") == "1");
  CHECK(value_at(read_body(net::ServerRequest{"GET", "/p?a=%2B1", {}, {}}), "a") == "+1");
  CHECK(read_body("[{\"a\":1}]").is_array());
  CHECK(read_body("{\"a\":").is_null());
  CHECK(value_at(read_body("%zz"), "a").empty());
}
