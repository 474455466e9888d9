// Telnyx's requests, answers and webhooks (Messaging API v2; shapes from its API reference). The signatures are
// OpenSSL's:
//   openssl genpkey -algorithm ed25519; openssl pkeyutl -sign -rawin
#include "connectors/sms/carriers/telnyx.hpp"

#include "tests/unit/sms/provider_tests.hpp"

namespace {

constexpr const char* public_key_text = "7JL4TmSzfsT4h47GGhHVpG4lCOoBqQ/zW+uGXer0W2k=";
constexpr const char* right_signature =
    "zd3s+kxrkccXkyyinehFmd1oeB1WRmU9lNBSxbJQxjYBu02bVg55xqvporCtPwkScSIn71X2MDYHCTWed7eKBg==";
constexpr const char* signed_at = "1558719886";
// What was signed, to the letter.
constexpr const char* received_body =
    R"({"data":{"event_type":"message.received","id":"b301ed3f-1490-491f-995f-6e64e69674d4","payload":{"id":"84cca175-9755-4859-b67f-4730d7f58aa3",)"
    R"("direction":"inbound","type":"SMS","from":{"phone_number":"+13125550001","carrier":"T-Mobile USA","line_type":"long_code"},)"
    R"("to":[{"phone_number":"+17735550002","status":"webhook_delivered"}],"cc":[],"text":"Hello from Telnyx \u00e9!","media":[],)"
    R"("received_at":"2019-12-09T21:32:13.552+00:00"},"record_type":"event"}})";

json least() { return {{"api_key", "KEY"}, {"public_key", public_key_text}}; }
connector::Result<std::unique_ptr<Provider>> parse(json settings, std::string public_url = "https://sms.example.org") {
  return make_telnyx_provider({"tx", std::move(settings), "carriers[0]", "US", {"+17735550002"}},
                              std::move(public_url));
}
std::unique_ptr<Provider> telnyx(json settings = least()) { return parse(std::move(settings)).value(); }

net::HttpResponse refusal(int status, const std::string& code) {
  return answer(status, R"({"errors":[{"code":")" + code + R"(","title":"t","detail":"d"}]})");
}
Verdict judge(const net::HttpResponse& response) { return telnyx()->judge(response, present); }

net::ServerRequest post(std::string body, std::string signature = right_signature, std::string time = signed_at,
                        std::string target = "/telnyx/tx") {
  return {"POST",
          std::move(target),
          {{"telnyx-signature-ed25519", std::move(signature)}, {"telnyx-timestamp", std::move(time)}},
          std::move(body)};
}
Read read(std::string body) {
  return the_one(telnyx()->read_webhook(post(std::move(body), "", "", "/telnyx/tx?key=abc")));
}
std::string finalized(const std::string& status, const std::string& errors = "[]") {
  return R"({"data":{"event_type":"message.finalized","payload":{"id":"4038-a","direction":"outbound","to":[{"phone_number":"+13125550001","status":")" +
         status + R"("}],"errors":)" + errors + "}}}";
}

}  // namespace

TEST_CASE("A text that a stranger cut in half is read, and so is the webhook around it") {
  for (const char* text : {"\\ud83d", "\\ude00", "\xF0\x9F", "\xED\xA0\xBD", "a\nb"}) {
    CAPTURE(text);
    const auto said = read(
        R"({"data":{"event_type":"message.received","payload":{"id":"1","direction":"inbound","from":{"phone_number":"+13125550001"},"to":[{"phone_number":"+17735550002"}],"text":")" +
        std::string(text) + R"("}}})");
    REQUIRE(std::holds_alternative<Message>(said));
    CHECK_FALSE(std::get<Message>(said).text.empty());
  }
}

TEST_CASE("send_request posts JSON with the bearer's key and where to report to (Telnyx, Send a message)") {
  json settings = least();
  settings["messaging_profile_id"] = "4000eba1";
  const OutgoingText text{"7:k",
                          {Address::Type::international, "+17735550002"},
                          {Address::Type::international, "+13125550001"},
                          "h\xC3\xA9 \"x\"",
                          {}};
  const auto request = telnyx(settings)->send_request(text, "abc", present);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.telnyx.com/v2/messages");
  CHECK(std::count(request.headers.begin(), request.headers.end(), "Authorization: Bearer KEY") == 1);
  CHECK(std::count(request.headers.begin(), request.headers.end(), "Content-Type: application/json") == 1);
  CHECK(json::parse(request.body) == json({{"from", "+17735550002"},
                                           {"to", "+13125550001"},
                                           {"text", "h\xC3\xA9 \"x\""},
                                           {"messaging_profile_id", "4000eba1"},
                                           {"webhook_url", "https://sms.example.org/telnyx/tx?key=abc"}}));
}

TEST_CASE("judge tells Telnyx's answers apart") {
  const auto taken = judge(answer(
      200,
      R"({"data":{"id":"40385f64-5717","direction":"outbound","to":[{"phone_number":"+1","status":"queued"}],"errors":[]}})"));
  CHECK(taken.kind == Kind::taken);
  CHECK(taken.id == "40385f64-5717");
  CHECK(judge(answer(200, "{}")).kind == Kind::unknown);
  CHECK(judge(answer(500, "")).kind == Kind::unknown);
  CHECK(judge(refusal(422, "40300")).text.find("opted out") != std::string::npos);
  CHECK(judge(refusal(422, "40300")).kind == Kind::refused);
  CHECK(judge(refusal(422, "10002")).code == Errc::not_found);
  CHECK(judge(refusal(429, "40318")).kind == Kind::later);
  CHECK(judge(refusal(401, "10009")).alert);
  CHECK(judge(refusal(400, "40302")).text.find("in parts") != std::string::npos);
  CHECK(judge(refusal(422, "99999")).text.find("99999") != std::string::npos);
}

TEST_CASE("read_webhook reads an incoming text (Telnyx, message.received)") {
  auto webhook = read(received_body);
  REQUIRE(std::holds_alternative<Message>(webhook));
  const IncomingText text = to_incoming(std::get<Message>(webhook), present);
  CHECK(text.id == "84cca175-9755-4859-b67f-4730d7f58aa3");
  CHECK(text.from.text == "+13125550001");
  CHECK(text.to.text == "+17735550002");
  CHECK(text.text == "Hello from Telnyx é!");
}

TEST_CASE(
    "read_webhook reads a text whose sender the network lost, however it says so (short codes, withheld numbers)") {
  for (const char* from :
       {R"("from":{"phone_number":"","carrier":""},)", R"("from":null,)", R"("from":{"phone_number":null},)", ""}) {
    CAPTURE(from);
    auto webhook = read(std::string(R"({"data":{"event_type":"message.received","payload":{"id":"6d0a8f52",)") + from +
                        R"("to":[{"phone_number":"+17735550002"}],"text":"from nobody","media":null}}})");
    REQUIRE(std::holds_alternative<Message>(webhook));
    const IncomingText text = to_incoming(std::get<Message>(webhook), present);
    CHECK(text.from == Address{Address::Type::alphanumeric, "unknown"});
    CHECK(text.to.text == "+17735550002");
    CHECK(text.text == "from nobody");
  }
}

TEST_CASE("read_webhook finds our number in a group, and the files") {
  auto webhook =
      read(R"({"data":{"payload":{"id":"1","direction":"inbound","from":{"phone_number":"+13125550001"},"text":"look",
    "to":[{"phone_number":"+13125550009"},{"phone_number":"+17735550002"}],"cc":null,"media":[{"url":"https://m/0","content_type":"image/png"}]}}})");
  const Message& m = std::get<Message>(webhook);
  CHECK(m.to == "+17735550002");
  CHECK(m.others == std::vector<std::string>{"+13125550009"});
  CHECK(m.links == std::vector<std::string>{"https://m/0"});
}

TEST_CASE("read_webhook reads what became of a text, with the reference of its URL (Telnyx, message.finalized)") {
  const auto report = [](const std::string& status, const std::string& errors = "[]") {
    return std::get<Report>(read(finalized(status, errors)));
  };
  CHECK(report("delivered").ref == "abc");
  CHECK(report("delivered").id == "4038-a");
  CHECK(report("delivered").status.stage == Stage::delivered);
  for (const char* word : {"queued", "sending", "sent", "delivery_unconfirmed"})
    CHECK(report(word).status.stage == Stage::accepted);
  CHECK(report("delivery_failed", R"([{"code":"40001"}])").status.stage == Stage::failed);
  CHECK(report("delivery_failed", R"([{"code":"40001"}])").status.why.find("landline") != std::string::npos);
  CHECK(report("sending_failed").status.why == "The network did not deliver the message.");
  CHECK_FALSE(report("news").status.stage);
  CHECK(report("news").status.is_last);
  CHECK(report("scheduled").status.stage == Stage::accepted);
  CHECK(report("expired").status.stage == Stage::failed);
  CHECK(report("expired").status.why == "The phone could not be reached in time.");
  CHECK(report("expired", R"([{"code":"40001"}])").status.why.find("landline") != std::string::npos);
  CHECK(report("cancelled").status.why == "The message was cancelled at the SMS service.");
}

TEST_CASE("read_webhook finds nothing in what is no message, however strange it is") {
  for (const char* body :
       {"", "[]", "{}", R"({"data":7})", R"({"data":{"payload":[]}})", R"({"data":{"payload":{"id":"a/b"}}})",
        R"({"data":{"payload":{"id":"1","direction":"inbound","from":7,"to":{"a":1},"media":"x","errors":{}}}})"}) {
    CAPTURE(body);
    CHECK(std::holds_alternative<std::monostate>(read(body)));
  }
}

TEST_CASE("is_genuine takes OpenSSL's Ed25519 signature over time and body, and only within five minutes") {
  const auto provider = telnyx();
  CHECK(provider->is_genuine(post(received_body), present));
  CHECK(provider->is_genuine(post(received_body), present + seconds(300)));
  CHECK_FALSE(provider->is_genuine(post(received_body), present + seconds(301)));
  CHECK_FALSE(provider->is_genuine(post(received_body), present - seconds(301)));
  CHECK_FALSE(provider->is_genuine(post(std::string(received_body) + " "), present));
  CHECK_FALSE(provider->is_genuine(post(received_body, right_signature, "1558719887"), present));
  for (const char* signature : {"", "AAAA", "not base64", "zd3s"})
    CHECK_FALSE(provider->is_genuine(post(received_body, signature), present));
  std::string other = right_signature;
  other[0] = 'a';
  CHECK_FALSE(provider->is_genuine(post(received_body, other), present));
}

TEST_CASE("A text of unknown outcome is uncertain with Telnyx, and its status is asked for by id") {
  CHECK(telnyx()->idempotency() == connector::Idempotency::none);
  CHECK(telnyx()->message_url("4038-a") == "https://api.telnyx.com/v2/messages/4038-a");
  CHECK(telnyx()
            ->read_message(R"({"data":{"id":"4038-a","direction":"outbound","to":[{"status":"delivered"}]}})")
            ->status.stage == Stage::delivered);
}

TEST_CASE("A text takes ten parts at most, in any alphabet") {
  const auto fits = [](const char* letter, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += letter;
    return telnyx()->why_too_long(text).empty() && utf16_length(text) <= telnyx()->most_units();
  };
  CHECK(fits("a", 1530));
  CHECK_FALSE(fits("a", 1531));
  CHECK(fits("п", 670));
  CHECK_FALSE(fits("п", 671));
  CHECK(fits("“", 671));  // Telnyx may make a plain one of it
}

TEST_CASE("A webhook's time may be any number") {
  for (const char* time : {"9223372036854775807", "-9223372036854775808", "99999999999", "soon"}) {
    CAPTURE(time);
    CHECK_FALSE(telnyx()->is_genuine(post(received_body, right_signature, time), present));
  }
}

TEST_CASE("What came in is listed page by page, without the texts (Telnyx, Search detail records)") {
  const auto provider = telnyx();
  CHECK(provider->lists_texts());
  const std::string url = provider->list_url({"+17735550002", "", present});
  CHECK(url.starts_with("https://api.telnyx.com/v2/detail_records?"));
  for (const char* part :
       {"filter[record_type]=messaging", "filter[direction]=inbound", "sort=-created_at", "page[number]=1",
        "page[size]=50", "filter[cld]=%2B17735550002", "filter[created_at][gte]=2019-05-24"}) {
    std::string encoded(part);
    for (const auto& [plain, code] : {std::pair("[", "%5B"), std::pair("]", "%5D")}) {
      for (auto at = encoded.find(plain); at != encoded.npos; at = encoded.find(plain)) encoded.replace(at, 1, code);
    }
    CAPTURE(encoded);
    CHECK(url.find(encoded) != std::string::npos);
  }
  const std::string record =
      R"({"record_type":"message_detail_record","uuid":"3ca7bd3d-7d82","direction":"inbound","cli":"+13125550001",)"
      R"("cld":"+17735550002","created_at":"2019-05-24T17:44:46Z"})";
  const auto page =
      provider->read_page(R"({"data":[)" + record + R"(,7],"meta":{"page_number":1,"total_pages":2}})", url);
  REQUIRE(page);
  REQUIRE(page->messages.size() == 2);
  CHECK(page->messages[1].id.empty());  // a row that cannot be read
  CHECK(page->messages[0].is_brief);
  CHECK(page->messages[0].is_inbound);
  CHECK(page->messages[0].id == "3ca7bd3d-7d82");
  CHECK(page->messages[0].from == "+13125550001");
  CHECK(page->messages[0].to == "+17735550002");
  CHECK(page->messages[0].time() == present);
  CHECK(page->next.find("page%5Bnumber%5D=2&") != std::string::npos);
  CHECK(provider->read_page(R"({"data":[)" + record + R"(],"meta":{"page_number":2,"total_pages":2}})", url)
            ->next.empty());
  CHECK_FALSE(provider->read_page(R"({"errors":[]})", url));
}

TEST_CASE("Errors in a Telnyx carrier's settings begin with the key's path") {
  const auto path = [](json settings) {
    return parse(std::move(settings)).error().text.substr(0, std::string("carriers[0].public_key").size());
  };
  CHECK(path({{"api_key", "KEY"}}) == "carriers[0].public_key");
  CHECK(path({{"api_key", "KEY"}, {"public_key", "AAAA"}}) == "carriers[0].public_key");
  CHECK(path({{"public_key", public_key_text}}).starts_with("carriers[0].api_key"));
  CHECK(parse(least(), "").error().text.find("http.public_url") != std::string::npos);
}
