// Twilio's requests, answers, webhooks and settings (Programmable Messaging, 2010-04-01).
#include "connectors/sms/carriers/twilio.hpp"

#include "connectors/sms/http/api/form_signature.hpp"
#include "gateway/base/text.hpp"
#include "tests/unit/sms/provider_tests.hpp"

namespace {

constexpr const char* account = "AC00000000000000000000000000000001";

json least() { return {{"account_sid", account}, {"auth_token", "token"}}; }
json with(const std::string& key, json value) {
  json settings = least();
  settings[key] = std::move(value);
  return settings;
}
connector::Result<std::unique_ptr<Provider>> parse(json settings,
                                                   const std::string& public_url = "https://sms.example.org/") {
  return make_twilio_provider({"tw", std::move(settings), "carriers[0]", "US", {"+15550001"}}, public_url);
}
std::unique_ptr<Provider> twilio(json settings = least()) { return parse(std::move(settings)).value(); }

OutgoingText hello() {
  return {"7:k1",
          {Address::Type::international, "+15550001"},
          {Address::Type::international, "+15550100"},
          "h\xC3\xA9llo & you",
          {}};
}
std::string value(const net::FormFields& fields, const std::string& name) {
  for (const auto& [key, text] : fields) {
    if (key == name) return text;
  }
  return "(none)";
}
base::Time at(std::int64_t unix_seconds) { return base::Time(seconds(unix_seconds)); }

net::HttpResponse refusal(int status, int code) {
  return answer(status, "{\"code\":" + std::to_string(code) + ",\"message\":\"m\",\"status\":400}");
}
Verdict judge(const net::HttpResponse& response) { return twilio()->judge(response, present); }

net::ServerRequest post(std::string target, const net::FormFields& fields, std::string signature = "") {
  net::ServerRequest r;
  r.method = "POST";
  r.target = std::move(target);
  r.headers = {{"content-type", "application/x-www-form-urlencoded; charset=UTF-8"},
               {"x-twilio-signature", std::move(signature)}};
  r.body = net::to_form(fields);
  return r;
}
Read read(std::string target, const net::FormFields& fields) {
  return the_one(twilio()->read_webhook(post(std::move(target), fields)));
}
Status status_of(const std::string& word, const std::string& error) {
  return std::get<Report>(read("/t", {{"MessageSid", "SM1"}, {"MessageStatus", word}, {"ErrorCode", error}})).status;
}

// From the vendor's OpenAPI description (twilio_api_v2010, ListMessage and FetchMessage).
constexpr const char* message_body =
    R"({"sid":"SMded05904ccb347238880ca9264e8fe1c","status":"undelivered","direction":"outbound-api",
  "from":"+15550001","to":"+15550100","body":"testing","error_code":30003,"error_message":"x","num_media":"0","num_segments":"1",
  "date_created":"Fri, 24 May 2019 17:44:46 +0000","date_sent":"Fri, 24 May 2019 17:44:50 +0000","messaging_service_sid":null})";

}  // namespace

// ---- Sending ----

TEST_CASE(
    "send_request posts a form with the recipient, the sender, the text and where to report to (Twilio, Create a "
    "Message)") {
  const auto request = twilio(with("base_url", "https://api.twilio.test/"))->send_request(hello(), "abc123", present);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.twilio.test/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json");
  CHECK(request.user == account);
  CHECK(request.password == "token");
  const auto fields = net::parse_form(request.body).value();
  CHECK(fields.size() == 4);
  CHECK(value(fields, "To") == "+15550100");
  CHECK(value(fields, "From") == "+15550001");
  CHECK(value(fields, "Body") == "h\xC3\xA9llo & you");
  CHECK(value(fields, "StatusCallback") == "https://sms.example.org/twilio/tw?key=abc123");
}

TEST_CASE("send_request names the messaging service and the validity where they are configured") {
  json settings = with("messaging_service_sid", "MG1");
  settings["validity_seconds"] = 600;
  const auto provider = twilio(settings);
  const auto fields = net::parse_form(provider->send_request(hello(), "r", present).body).value();
  CHECK(value(fields, "MessagingServiceSid") == "MG1");
  CHECK(value(fields, "From") == "+15550001");
  CHECK(value(fields, "ValidityPeriod") == "600");
  // it may not be there yet
  CHECK(provider->list_url({"+15550100", "+15550001", std::nullopt}).find("From") == std::string::npos);
}

TEST_CASE("judge takes 201 with a sid for taken (Twilio, Create a Message)") {
  const auto v = judge(answer(201, R"({"sid":"SM1","status":"queued","error_code":null})"));
  CHECK(v.kind == Kind::taken);
  CHECK(v.id == "SM1");
}

TEST_CASE("judge takes a message that failed at once for refused, with its reason") {
  const auto v = judge(answer(201, R"({"sid":"SM1","status":"failed","error_code":30006})"));
  CHECK(v.kind == Kind::refused);
  CHECK(v.text.find("landline") != std::string::npos);
}

TEST_CASE("judge does not know what success without a message means, nor an error of the server") {
  CHECK(judge(answer(200, "<html>")).kind == Kind::unknown);
  CHECK(judge(answer(201, "{}")).kind == Kind::unknown);
  for (const int status : {408, 500, 502, 503, 504}) {
    CAPTURE(status);
    CHECK(judge(answer(status)).kind == Kind::unknown);
  }
  CHECK(judge(answer(500, "", "10")).kind == Kind::unknown);
}

TEST_CASE("judge takes 503 that says when to come back for not sent (RFC 9110 §15.6.4)") {
  const auto v = judge(answer(503, "", "7"));
  CHECK(v.kind == Kind::later);
  CHECK(v.wait == seconds(7));
}

TEST_CASE("judge waits as long as 429 says, in seconds or until a date (RFC 9110 §10.2.3)") {
  CHECK(judge(answer(429, "", "9")).wait == seconds(9));
  CHECK(judge(answer(429, R"({"code":20429})", "Fri, 24 May 2019 17:45:00 GMT")).wait == seconds(14));
  CHECK(judge(answer(429)).wait == seconds(2));
  CHECK(judge(answer(429, "", "tomorrow")).wait == seconds(2));
  CHECK(judge(answer(429)).kind == Kind::later);
  CHECK(judge(refusal(429, 63038)).wait == seconds(3600));
  CHECK(judge(refusal(400, 21611)).wait == seconds(60));
}

TEST_CASE("judge tells the codes of Twilio's dictionary apart") {
  struct Row {
    int http, code;
    Kind kind;
    Errc errc;
    bool alert;
  };
  const Row rows[] = {
      {400, 21211, Kind::refused, Errc::not_found, false}, {400, 21614, Kind::refused, Errc::not_found, false},
      {400, 21610, Kind::refused, Errc::rejected, false},  {403, 21610, Kind::refused, Errc::rejected, false},
      {400, 21408, Kind::refused, Errc::rejected, true},   {400, 21606, Kind::refused, Errc::rejected, true},
      {400, 21612, Kind::refused, Errc::rejected, false},  {400, 21617, Kind::refused, Errc::rejected, false},
      {400, 30034, Kind::refused, Errc::rejected, true},   {400, 99999, Kind::refused, Errc::rejected, false},
      {429, 20429, Kind::later, Errc::rejected, false},    {400, 21611, Kind::later, Errc::rejected, false},
      {400, 30001, Kind::later, Errc::rejected, false},    {429, 63038, Kind::later, Errc::rejected, false},
      {401, 20003, Kind::later, Errc::rejected, true},     {403, 0, Kind::later, Errc::rejected, true},
      {404, 20404, Kind::later, Errc::rejected, true},     {400, 21703, Kind::later, Errc::rejected, true},
      {302, 0, Kind::later, Errc::rejected, true},         {402, 0, Kind::later, Errc::rejected, true},
      {429, 30022, Kind::later, Errc::rejected, false},    {429, 30023, Kind::later, Errc::rejected, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.http);
    const auto v = judge(refusal(row.http, row.code));
    CHECK(v.kind == row.kind);
    CHECK(v.code == row.errc);
    CHECK(v.alert == row.alert);
    CHECK_FALSE(v.text.empty());
    CHECK((v.wait.count() > 0) == (row.kind == Kind::later));
    if (row.alert && row.kind == Kind::later) CHECK(v.wait >= seconds(300));
  }
}

TEST_CASE("judge tells the sender about an opt-out, and about a code that it does not know") {
  CHECK(judge(refusal(400, 21610)).text.find("opted out") != std::string::npos);
  CHECK(judge(refusal(400, 12345)).text.find("12345") != std::string::npos);
  CHECK(judge(answer(400)).text.find("400") != std::string::npos);
}

// ---- Looking ----

TEST_CASE("list_url filters by recipient, sender and day (Twilio, Read multiple Messages)") {
  const std::string url = twilio()->list_url({"+15550100", "+15550001", at(1558719886)});
  const auto mark = url.find('?');
  CHECK(url.substr(0, mark).ends_with("/Messages.json"));
  const auto query = net::parse_form(url.substr(mark + 1)).value();
  CHECK(value(query, "To") == "+15550100");
  CHECK(value(query, "From") == "+15550001");
  CHECK(value(query, "DateSent>") == "2019-05-24T00:00:00Z");
  CHECK(value(query, "PageSize") == "100");
  const std::string bare = twilio()->list_url({"+15550100", "", std::nullopt});
  CHECK(bare.find("From") == std::string::npos);
  CHECK(bare.find("DateSent") == std::string::npos);
  CHECK(twilio()->get(bare).method == "GET");
  CHECK(twilio()->get(bare).password == "token");
}

TEST_CASE("read_message reads a message, and nothing where it has no sid") {
  const auto m = twilio()->read_message(message_body);
  REQUIRE(m);
  CHECK(m->id == "SMded05904ccb347238880ca9264e8fe1c");
  CHECK(m->status.stage == Stage::failed);
  CHECK(m->status.why.find("out of reach") != std::string::npos);
  CHECK(m->status.word == "undelivered 30003");
  CHECK(m->links_url.empty());
  CHECK_FALSE(m->is_inbound);
  CHECK(m->created == at(1558719886));
  CHECK(m->time() == at(1558719890));
  for (const std::string& bad : {std::string("{}"), std::string("[]"), std::string(R"({"sid":"../../x"})"),
                                 std::string(R"({"sid":7})"), std::string("<html>"), std::string(100000, '[')}) {
    CHECK_FALSE(twilio()->read_message(bad));
  }
}

TEST_CASE("read_message takes away what a trial account puts in front, so that a sent text is recognised") {
  CHECK(twilio()
            ->read_message(
                R"({"sid":"SM1","direction":"outbound-api","body":"Sent from your Twilio trial account - ok"})")
            ->text == "ok");
  CHECK(twilio()
            ->read_message(R"({"sid":"SM1","direction":"inbound","body":"Sent from your Twilio trial account - ok"})")
            ->text.starts_with("Sent"));
}

TEST_CASE("read_message tells a text that is still coming in, and where a text's files are listed") {
  CHECK_FALSE(twilio()->read_message(R"({"sid":"SM1","direction":"inbound","status":"receiving"})")->is_complete);
  CHECK(twilio()->read_message(R"({"sid":"SM1","direction":"inbound","status":"received"})")->is_complete);
  CHECK(twilio()->read_message(R"({"sid":"MM1","num_media":"2"})")->links_url ==
        "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/MM1/Media.json");
}

TEST_CASE("read_page follows the next page only on the same host") {
  const auto page = [](const std::string& next) {
    return twilio()->read_page(R"({"messages":[)" + std::string(message_body) + R"(],"next_page_uri":)" + next + "}",
                               "");
  };
  CHECK(page("null")->next.empty());
  CHECK(page("null")->messages.size() == 1);
  CHECK(page("\"/2010-04-01/x?Page=1\"")->next == "https://api.twilio.com/2010-04-01/x?Page=1");
  CHECK(page("\"//evil.example/x\"")->next.empty());
  CHECK(page("\"https://evil.example/x\"")->next.empty());
  const auto under_a_path = twilio(with("base_url", "https://space.example.org/api/laml"));
  CHECK(under_a_path->read_page(R"({"messages":[],"next_page_uri":"/api/laml/x"})", "")->next ==
        "https://space.example.org/api/laml/x");
}

TEST_CASE("read_page takes nothing but a list for a list") {
  for (const char* bad : {R"({"messages":{}})", R"({"code":20003})", ""}) CHECK_FALSE(twilio()->read_page(bad, ""));
}

TEST_CASE("read_page shows the rows that cannot be read, and all others") {
  const auto page =
      twilio()->read_page(R"({"messages":[{"sid":null,"date_created":"Fri, 24 May 2019 17:44:46 +0000"},)" +
                              std::string(message_body) + R"(,7,{"sid":"../x"}]})",
                          "");
  REQUIRE(page);
  REQUIRE(page->messages.size() == 4);
  CHECK(page->messages[0].id.empty());
  CHECK(page->messages[0].time() == present);
  CHECK_FALSE(page->messages[1].id.empty());
  CHECK(page->messages[2].id.empty());
  CHECK(page->messages[3].id.empty());
}

TEST_CASE("list_url lists what came until the end of a day") {
  Filter filter;
  filter.since = present;
  filter.until = present + std::chrono::hours(24);
  const std::string url = twilio()->list_url(filter);
  CHECK(url.find("DateSent%3E=2019-05-24T00%3A00%3A00Z") != std::string::npos);
  CHECK(url.find("DateSent%3C=2019-05-26T00%3A00%3A00Z") != std::string::npos);
}

TEST_CASE("read_page reads the texts around one that a stranger cut in half") {
  for (const char* body : {"hi \\ud83d", "hi \xF0\x9F", "two\nlines"}) {
    CAPTURE(body);
    const auto page = twilio()->read_page(R"({"messages":[)" + std::string(message_body) +
                                              R"(,{"sid":"SM9","direction":"inbound","body":")" + body + R"("}]})",
                                          "");
    REQUIRE(page);
    REQUIRE(page->messages.size() == 2);
    CHECK_FALSE(page->messages[1].text.empty());
  }
}

TEST_CASE("read_links gives the files' own links, as a webhook does") {
  CHECK(twilio()->read_links(
            R"({"media_list":[{"sid":"ME1","uri":"/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1.json"}]})") ==
        std::vector<std::string>{"https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"});
  for (const char* bad : {"{}", "", R"({"media_list":7})", R"({"media_list":[7,{"uri":"https://evil.example/x"}]})"})
    CHECK(twilio()->read_links(bad).empty());
}

// ---- Webhooks ----

TEST_CASE("read_webhook reads an incoming text, with its files (Twilio, Messaging webhook request)") {
  const auto webhook = read("/twilio/tw", {{"MessageSid", "MM1"},
                                           {"SmsSid", "MM1"},
                                           {"SmsStatus", "received"},
                                           {"From", "+15550100"},
                                           {"To", "+15550001"},
                                           {"Body", "look"},
                                           {"NumMedia", "2"},
                                           {"MediaUrl0", "https://m/0"},
                                           {"MediaUrl1", "https://m/1"}});
  REQUIRE(std::holds_alternative<Message>(webhook));
  const IncomingText text = to_incoming(std::get<Message>(webhook), at(5));
  CHECK(text.id == "MM1");
  CHECK(text.from == Address{Address::Type::international, "+15550100"});
  CHECK(text.to == Address{Address::Type::international, "+15550001"});
  CHECK(text.text == "look");
  CHECK(text.files == std::vector<connector::File>{{"https://m/0", "", 0}, {"https://m/1", "", 0}});
  CHECK(text.sent_at == at(5));
}

TEST_CASE("read_webhook names the others who got a text to a group") {
  const auto webhook = read("/twilio/tw", {{"MessageSid", "MM1"},
                                           {"From", "+15550100"},
                                           {"To", "+15550001"},
                                           {"Body", "hi all"},
                                           {"OtherRecipients0", "+15550102"},
                                           {"OtherRecipients1", "+15550103"}});
  CHECK(std::get<Message>(webhook).others == std::vector<std::string>{"+15550102", "+15550103"});
  CHECK(to_incoming(std::get<Message>(webhook), present).text == "[To you, +15550102, +15550103]\nhi all");
}

TEST_CASE("read_webhook reads a status with the reference of its URL (Twilio, Track outbound message status)") {
  const auto webhook = read("/twilio/tw?key=abc123", {{"MessageSid", "SM1"},
                                                      {"MessageStatus", "undelivered"},
                                                      {"SmsStatus", "undelivered"},
                                                      {"ErrorCode", "30003"},
                                                      {"From", "+1"},
                                                      {"To", "+2"}});
  const auto* report = std::get_if<Report>(&webhook);
  REQUIRE(report);
  CHECK(report->ref == "abc123");
  CHECK(report->id == "SM1");
  CHECK(report->status.stage == Stage::failed);
  CHECK(report->status.why.find("out of reach") != std::string::npos);
}

TEST_CASE("read_webhook reads a text that lacks its sender, the number of its files, or its words") {
  const auto read_text = [](const net::FormFields& fields) {
    return to_incoming(std::get<Message>(read("/t", fields)), at(5));
  };
  const IncomingText text =
      read_text({{"MessageSid", "SM1"}, {"From", ""}, {"To", "+15550001"}, {"Body", "from nobody"}});
  CHECK(text.from == Address{Address::Type::alphanumeric, "unknown"});
  CHECK(text.text == "from nobody");
  CHECK(read_text({{"MessageSid", "SM1"}, {"SmsStatus", "received"}, {"To", "+15550001"}, {"Body", "x"}}).from.text ==
        "unknown");
  const auto webhook =
      read("/t", {{"MessageSid", "MM1"}, {"From", "+15550100"}, {"To", "+15550001"}, {"MediaUrl0", "https://m/0"}});
  CHECK(std::get<Message>(webhook).links == std::vector<std::string>{"https://m/0"});
}

TEST_CASE("A file without a link is said: who reads the text must know that something is missing") {
  const auto read_text = [](const net::FormFields& fields) {
    return to_incoming(std::get<Message>(read("/t", fields)), at(5)).text;
  };
  CHECK(read_text({{"MessageSid", "MM1"}, {"From", "+1"}, {"To", "+15550001"}, {"NumMedia", "1"}}) ==
        "[A file of this message did not come. Ask the sender to send again.]");
  CHECK(read_text({{"MessageSid", "MM1"},
                   {"From", "+1"},
                   {"To", "+15550001"},
                   {"Body", "look"},
                   {"NumMedia", "3"},
                   {"MediaUrl1", "https://m/1"}}) ==
        "look\n[2 files of this message did not come. Ask the sender to send again.]");
}

TEST_CASE(
    "Files are asked for with the account's password, by names that do not show the account (Twilio, Media "
    "subresource)") {
  const auto provider = twilio();
  const std::string messages = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/";
  CHECK(provider->file_name("https://api.twilio.com" + messages + "MM1/Media/ME1") == "MM1/ME1");
  CHECK(provider->file_name("https://api.de1.twilio.com" + messages + "MM1/Media/ME1") == "MM1/ME1");
  for (const std::string& other :
       {std::string("https://m/0"), std::string(), "https://api.twilio.com" + messages + "MM1/Media/../x",
        std::string("https://api.twilio.com/2010-04-01/Accounts/AC2/Messages/MM1/Media/ME1")}) {
    CHECK(provider->file_name(other).empty());
  }
  const auto request = provider->file_request("MM1/ME1");
  CHECK(request.url == "https://api.twilio.com" + messages + "MM1/Media/ME1");
  CHECK(request.user == account);
  CHECK(request.password == "token");
}

TEST_CASE("read_webhook finds nothing in what has no sid, a strange one, neither status nor recipient, or is no form") {
  const auto nothing = [](const net::FormFields& fields) {
    return std::holds_alternative<std::monostate>(read("/t", fields));
  };
  CHECK(nothing({}));
  CHECK(nothing({{"MessageSid", "a/b"}, {"MessageStatus", "sent"}}));
  CHECK(nothing({{"MessageSid", std::string(65, 'A')}, {"MessageStatus", "sent"}}));
  CHECK(nothing({{"MessageSid", "SM1"}, {"SmsStatus", "received"}, {"Body", "x"}}));
  auto other = post("/t", {{"MessageSid", "SM1"}, {"MessageStatus", "sent"}});
  other.headers.clear();
  CHECK(twilio()->read_webhook(other).empty());
}

TEST_CASE("Every status of a message has its stage, and a failure its sentence (Twilio, Message status values)") {
  for (const char* word : {"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"}) {
    CAPTURE(word);
    CHECK(status_of(word, "").stage == Stage::accepted);
  }
  CHECK(status_of("delivered", "").stage == Stage::delivered);
  CHECK(status_of("read", "").stage == Stage::read);
  CHECK_FALSE(status_of("news", "").stage);
  CHECK_FALSE(status_of("receiving", "").stage);
  CHECK(status_of("failed", "30007").why.find("filtered") != std::string::npos);
  CHECK(status_of("undelivered", "31999").why.find("31999") != std::string::npos);
  CHECK(status_of("undelivered", "").why == "The network did not deliver the message.");
  CHECK(status_of("canceled", "").why == "The message was cancelled at the SMS service.");
}

TEST_CASE("is_genuine takes the account's signature over the public URL, and no other (Twilio, Webhooks Security)") {
  const net::FormFields fields = {{"MessageSid", "SM1"}, {"Body", "hi"}};
  const std::string url = "https://sms.example.org/twilio/tw?key=1";
  const auto genuine = [&](const std::string& signature, const net::FormFields& sent, const json& settings = least()) {
    return twilio(settings)->is_genuine(post("/twilio/tw?key=1", sent, signature), present);
  };
  CHECK(genuine(sign("token", url, fields), fields));
  CHECK_FALSE(genuine(sign("other", url, fields), fields));
  CHECK_FALSE(genuine(sign("token", "https://evil.example/twilio/tw?key=1", fields), fields));
  CHECK_FALSE(genuine(sign("token", url, fields), {{"MessageSid", "SM1"}, {"Body", "ho"}}));
  CHECK_FALSE(genuine("", fields));
  auto marked = post("/twilio/tw?key=1", fields, sign("token", url, fields));
  marked.body.insert(0, "\xEF\xBB\xBF");  // which is no part of the first field's name
  CHECK(twilio()->is_genuine(marked, present));
  CHECK(genuine(sign("k", url, fields), fields, with("signing_key", "k")));
  CHECK_FALSE(genuine(sign("token", url, fields), fields, with("signing_key", "k")));
  CHECK_FALSE(genuine(sign("token", url, fields), fields, with("signature_header", "X-SignalWire-Signature")));
}

TEST_CASE("acknowledgement is TwiML that does nothing") {
  CHECK(twilio()->acknowledgement().content_type.starts_with("text/xml"));
  CHECK(twilio()->acknowledgement().body.find("<Response/>") != std::string::npos);
}

// ---- Settings ----

TEST_CASE("A Twilio carrier needs its account and its token, and has a default for the rest") {
  const auto provider = twilio();
  CHECK(provider->get("x").user == account);
  CHECK(provider->setting.base_url == "https://api.twilio.com");
  CHECK(provider->setting.webhook_url() == "https://sms.example.org/twilio/tw");
  CHECK(provider->setting.rate == 1);
  CHECK(provider->setting.poll == seconds(300));
  CHECK(provider->idempotency() == connector::Idempotency::queryable);
}

TEST_CASE("A Twilio carrier's API key signs in, and the account's token still checks webhooks") {
  json settings = with("api_key", "SK1");
  settings["api_key_secret"] = "s";
  const auto provider = twilio(settings);
  CHECK(provider->get("x").user == "SK1");
  CHECK(provider->get("x").password == "s");
  CHECK(provider->is_genuine(post("/t", {}, sign("token", "https://sms.example.org/t", {})), present));
}

TEST_CASE("Errors in a Twilio carrier's settings begin with the key's path") {
  const auto path = [](const json& settings) {
    const auto s = parse(settings);
    return s.has_value() ? std::string("(none)") : s.error().text.substr(0, s.error().text.find(':'));
  };
  CHECK(path(json::object()) == "carriers[0].account_sid");
  json without_token = least();
  without_token.erase("auth_token");
  CHECK(path(without_token) == "carriers[0].auth_token");
  CHECK(path(with("account_sid", "AC/../x")) == "carriers[0].account_sid");
  CHECK(path(with("api_key", "SK1")) == "carriers[0].api_key_secret");
  CHECK(path(with("api_key_secret", "s")) == "carriers[0].api_key");
  CHECK(path(with("base_url", "ftp://x")) == "carriers[0].base_url");
  CHECK(path(with("base_url", "https://user@x")) == "carriers[0].base_url");
  CHECK(path(with("webhook_path", "twilio")) == "carriers[0].webhook_path");
  CHECK(path(with("webhook_path", "/twilio/")) == "carriers[0].webhook_path");
  CHECK(path(with("webhook_path", "/a?b")) == "carriers[0].webhook_path");
  CHECK(path(with("signature_header", "X: y")) == "carriers[0].signature_header");
  CHECK(path(with("rate", -1)) == "carriers[0].rate");
  CHECK(path(with("poll_seconds", 0)) == "carriers[0].poll_seconds");
  CHECK(path(with("colour", "red")) == "carriers[0].colour");
}

TEST_CASE("A Twilio carrier without a public address is refused with the key that is missing") {
  const auto s = parse(least(), "");
  REQUIRE(s.has_error());
  CHECK(s.error().text.find("http.public_url") != std::string::npos);
}

TEST_CASE(
    "is_genuine takes what is signed with a shared key only where that key is configured (Twilio, Sign webhooks with "
    "shared keys)") {
  const net::FormFields fields = {{"MessageSid", "SM1"}, {"From", "+1"}, {"To", "+15550001"}};
  const std::string url = "https://sms.example.org/twilio/tw";
  const auto signed_with = [&](const std::string& key, Hash hash, const std::string& algorithm) {
    auto request = post("/twilio/tw", fields, sign(key, url, fields, hash));
    request.headers.emplace_back("x-twilio-webhooks-signature-settings", "key=webhooks_key_1,algorithm=" + algorithm);
    return request;
  };
  const auto provider = twilio(with("shared_key", "shared"));
  CHECK(provider->is_genuine(signed_with("shared", Hash::sha256, "HMAC_SHA256"), present));
  CHECK(provider->is_genuine(signed_with("shared", Hash::sha1, "HMAC_SHA1"), present));
  CHECK_FALSE(provider->is_genuine(signed_with("shared", Hash::sha1, "HMAC_SHA256"), present));
  CHECK_FALSE(provider->is_genuine(signed_with("token", Hash::sha256, "HMAC_SHA256"), present));
  CHECK(provider->is_genuine(post("/twilio/tw", fields, sign("token", url, fields)), present));
  CHECK_FALSE(twilio()->is_genuine(signed_with("", Hash::sha256, "HMAC_SHA256"), present));
}

TEST_CASE("is_genuine takes a hexadecimal signature over URL and body (SignalWire, Webhook Security)") {
  json settings = with("signature_header", "X-SignalWire-Signature");
  settings["signing_key"] = "PSK";
  const auto provider = twilio(settings);
  // printf '%s' 'https://sms.example.org/twilio/tw{"a":1}' | openssl dgst -sha1 -hmac PSK
  net::ServerRequest request{
      "POST",
      "/twilio/tw",
      {{"content-type", "application/json"}, {"x-signalwire-signature", "93fe4c0c32bd051eea02cb42d107ccd4b862be27"}},
      R"({"a":1})"};
  CHECK(provider->is_genuine(request, present));
  request.body = R"({"a":2})";
  CHECK_FALSE(provider->is_genuine(request, present));
}
