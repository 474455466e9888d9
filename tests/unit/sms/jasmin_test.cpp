// Jasmin's HTTP API: shapes from its documentation ("HTTP API") and from what it sends.
#include "connectors/sms/carriers/jasmin.hpp"

#include "tests/unit/sms/provider_tests.hpp"

namespace {

constexpr const char* path = "/jasmin/j/a-secret-of-20-signs";
constexpr const char* id = "07033084-5cfd-4812-90a4-e4d24ffb6e3d";

json least() { return {{"user", "wherry"}, {"password", "pw"}, {"webhook_secret", "a-secret-of-20-signs"}}; }
connector::Result<std::unique_ptr<Provider>> parse(json settings) {
  return make_jasmin_provider({"j", std::move(settings), "carriers[0]", "US", {"+15550001"}},
                              "https://sms.example.org");
}
std::unique_ptr<Provider> jasmin(json settings = least()) { return parse(std::move(settings)).value(); }
net::FormFields sent(const std::string& text, json settings = least()) {
  const auto request = jasmin(std::move(settings))->send_request(outgoing(text), "abc", present);
  CHECK(request.url == "http://127.0.0.1:1401/send");
  CHECK(request.method == "POST");
  return net::parse_form(request.body).value();
}
Read read(const net::FormFields& fields, const std::string& target = path) {
  return the_one(jasmin()->read_webhook(form_request(target, fields)));
}
Status status(const std::string& word, const std::string& error = "") {
  const auto report = std::get<Report>(
      read({{"id", id}, {"message_status", word}, {"level", "3"}, {"err", error}}, path + std::string("?key=abc")));
  CHECK(report.ref == "abc");
  CHECK(report.id == id);
  return report.status;
}

}  // namespace

TEST_CASE("send_request posts the text's octets, and where to report to (Jasmin, HTTP request parameters)") {
  const auto fields = sent("a{€");
  for (const auto& [name, value] : {std::pair("username", "wherry"),
                                    {"password", "pw"},
                                    {"from", "15550001"},
                                    {"to", "15550100"},
                                    {"coding", "0"},
                                    {"hex-content", "611b281b65"},
                                    {"dlr", "yes"},
                                    {"dlr-level", "3"},
                                    {"dlr-method", "POST"},
                                    {"dlr-url", "https://sms.example.org/jasmin/j/a-secret-of-20-signs?key=abc"}}) {
    CAPTURE(name);
    CHECK(value_of(fields, name) == value);
  }
  const auto wide = sent("п😀");
  CHECK(value_of(wide, "coding") == "8");
  CHECK(value_of(wide, "hex-content") == "043fd83dde00");
}

TEST_CASE("send_request writes numbers with a plus, and in another alphabet, where it is told so") {
  json settings = least();
  settings["plus"] = true;
  settings["alphabet"] = "latin1";
  const auto fields = sent("é", settings);
  CHECK(value_of(fields, "to") == "+15550100");
  CHECK(value_of(fields, "coding") == "0");
  CHECK(value_of(fields, "hex-content") == "e9");
}

TEST_CASE("A text is no longer than what Jasmin's long_content_max_parts holds: the rest would be cut off in silence") {
  const auto fits = [](const char* letter, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += letter;
    return jasmin()->why_too_long(text).empty();
  };
  CHECK(fits("a", 765));
  CHECK_FALSE(fits("a", 766));
  CHECK(fits("€", 382));
  CHECK_FALSE(fits("€", 383));
  CHECK(fits("п", 335));
  CHECK_FALSE(fits("п", 336));
  CHECK(jasmin()->most_units() == 765);
}

TEST_CASE("judge tells Jasmin's answers apart (HTTP response)") {
  const auto judge = [](int code, const std::string& body) { return jasmin()->judge(answer(code, body), present); };
  CHECK(judge(200, std::string("Success \"") + id + "\"").kind == Kind::taken);
  CHECK(judge(200, std::string("Success \"") + id + "\"\n").id == id);
  for (const char* strange : {"", "Success", "Success \"", "Success \"\"", "Success \"a/b\"", "Error \"x\""}) {
    CAPTURE(strange);
    CHECK(judge(200, strange).kind == Kind::unknown);
  }
  CHECK(judge(400, "Error \"Argument to has an invalid value.\"").kind == Kind::refused);
  CHECK(judge(403, "Error \"Authentication failure for username:wherry\"").alert);
  CHECK(judge(412, "Error \"No route found\"").code == Errc::not_found);
  CHECK(judge(500, "Error \"Cannot send submit_sm, check SMPPClientManagerPB log file for details\"").kind ==
        Kind::unknown);
}

TEST_CASE("read_webhook reads what became of a text (Jasmin, Receiving DLR)") {
  CHECK(status("ESME_ROK").stage == Stage::accepted);
  CHECK(status("ESME_RINVDSTADR").why == "The network refused the message (ESME_RINVDSTADR).");
  CHECK(status("DELIVRD", "000").stage == Stage::delivered);
  CHECK(status("ACCEPTD").stage == Stage::accepted);
  CHECK(status("EXPIRED").why == "The phone could not be reached in time.");
  CHECK(status("UNDELIV", "027").why == "The network could not deliver the message (code 027).");
  CHECK_FALSE(status("UNKNOWN").stage);
  CHECK(status("UNKNOWN").is_last);
}

TEST_CASE("read_webhook reads an incoming text by its octets, by POST and by GET (Jasmin, Receiving SMS-MO)") {
  const auto text = [](const std::string& coding, const std::string& binary, const std::string& content) {
    return std::get<Message>(read({{"id", id},
                                   {"from", "2025550123"},
                                   {"to", "15550001"},
                                   {"coding", coding},
                                   {"binary", binary},
                                   {"content", content}}));
  };
  CHECK(text("0", "611b65", "?").text == "a€");
  CHECK(text("8", "043fd83dde00", "?").text == "п😀");
  CHECK(text("3", "e9", "?").text == "é");
  CHECK(text("0", "", "hé").text == "hé");
  CHECK(text("0", "zz", "hé").text == "hé");
  CHECK(text("0", "61", "a").from == "+12025550123");
  CHECK(text("0", "61", "a").to == "+15550001");
  CHECK(text("0", "61", "a").id == id);
  const auto got = the_one(jasmin()->read_webhook(
      get_request(path + std::string("?id=1&from=%2B12025550123&to=15550001&binary=61&coding=0"))));
  CHECK(std::get<Message>(got).text == "a");
}

TEST_CASE("Jasmin is answered with the one word that it takes, and known by its secret") {
  CHECK(jasmin()->acknowledgement().body == "ACK/Jasmin");
  CHECK(jasmin()->is_genuine(form_request(path, {}), present));
  CHECK_FALSE(jasmin()->is_genuine(form_request("/jasmin/j", {}), present));
  for (const net::FormFields& fields : {net::FormFields(), {{"id", "a/b"}, {"to", "1"}}, {{"id", "1"}}})
    CHECK(std::holds_alternative<std::monostate>(read(fields)));
}

TEST_CASE("Errors in a Jasmin carrier's settings begin with the key's path") {
  const auto error = [](const char* key, const json& value) {
    json settings = least();
    settings[key] = value;
    return parse(settings).error().text;
  };
  CHECK(error("alphabet", "ucs2").starts_with("carriers[0].alphabet: must be one of"));
  CHECK(error("plus", 1).starts_with("carriers[0].plus: "));
  CHECK(error("pasword", "x").starts_with("carriers[0].pasword: there is no such key"));
}
