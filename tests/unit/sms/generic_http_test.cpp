// A carrier whose API is described in the configuration.
#include "connectors/sms/carriers/generic_http.hpp"

#include "tests/unit/sms/provider_tests.hpp"

namespace {

constexpr const char* path = "/http/g/a-secret-of-20-signs";

// The example of the README.
json least() {
  return json::parse(R"({
    "base_url": "https://api.acme.example", "token": "T", "webhook_secret": "a-secret-of-20-signs",
    "send": {"path": "/v1/messages", "headers": {"Authorization": "Bearer {token}"},
             "fields": {"from": "{from}", "to": ["{to_digits}"], "text": "{text}", "callback": "{report_url}", "at": "{time}"}},
    "answer": {"id": "/data/0/id"},
    "text": {"id": "id", "time": "at"},
    "report": {"id": "id", "accepted": ["sent"], "delivered": ["delivered"], "failed": ["failed", "expired"], "reason": "why"}})");
}
json with(const char* pointer, json value) {
  json settings = least();
  settings[json::json_pointer(pointer)] = std::move(value);
  return settings;
}
connector::Result<std::unique_ptr<Provider>> parse(json settings) {
  return make_generic_http_provider({"g", std::move(settings), "carriers[0]", "US", {"+15550001"}},
                                    "https://sms.example.org");
}
std::unique_ptr<Provider> acme(json settings = least()) { return parse(std::move(settings)).value(); }
net::ServerRequest post(std::string body, std::string target = path) {
  return {"POST", std::move(target), {{"content-type", "application/json"}}, std::move(body)};
}
std::vector<Webhook> read(std::string body, std::string target = path) {
  return acme()->read_webhook(post(std::move(body), std::move(target)));
}

}  // namespace

TEST_CASE("send_request is what the configuration describes") {
  const auto request = acme()->send_request(outgoing("h\"i"), "abc", present);
  CHECK(request.url == "https://api.acme.example/v1/messages");
  CHECK(std::count(request.headers.begin(), request.headers.end(), "Authorization: Bearer T") == 1);
  CHECK(json::parse(request.body) ==
        json({{"from", "+15550001"},
              {"to", json::array({"15550100"})},
              {"text", "h\"i"},
              {"at", "1558719886"},
              {"callback", "https://sms.example.org/http/g/a-secret-of-20-signs?key=abc"}}));
}

TEST_CASE("judge takes an answer for success only where it looks as described") {
  const auto judge = [](json settings, int code, const char* body) {
    return acme(std::move(settings))->judge(answer(code, body), present);
  };
  CHECK(judge(least(), 201, R"({"data":[{"id":"m-1"}]})").id == "m-1");
  CHECK(judge(least(), 201, R"({"data":[{"id":"m-1"}]})").kind == Kind::taken);
  CHECK(judge(least(), 200, R"({"data":[]})").kind == Kind::unknown);
  CHECK(judge(least(), 200, "<html>").kind == Kind::unknown);
  CHECK(judge(least(), 400, "").kind == Kind::refused);
  CHECK(judge(least(), 401, "").alert);
  CHECK(judge(least(), 500, "").kind == Kind::unknown);
  const std::string odd = judge(least(), 200, R"({"data":[{"id":"<1@x>"}]})").id;  // ids become parts of keys
  CHECK(is_id(odd));

  const json words = with("/answer", {{"accepted", "OK {id}"}, {"refused", "ERR*"}});
  CHECK(judge(words, 200, "OK 7\n").id == "7");
  CHECK(judge(words, 200, "ERR no credit").kind == Kind::refused);
  CHECK(judge(words, 200, "come again").kind == Kind::unknown);
  CHECK(judge(with("/answer", json::object()), 202, "").kind == Kind::taken);
}

TEST_CASE("An API that drops doubles is asked again, and its 409 says that it has the text") {
  json settings = with("/send/fields/id", "{ref}");
  settings["drops_doubles"] = true;
  CHECK(acme(settings)->idempotency() == connector::Idempotency::by_key);
  CHECK(acme(settings)->judge(answer(409), present).kind == Kind::taken);
  CHECK(acme()->idempotency() == connector::Idempotency::none);
  CHECK(acme()->judge(answer(409), present).kind == Kind::refused);
  CHECK(
      parse(with("/drops_doubles", true)).error().text.starts_with("carriers[0].drops_doubles: is true, and no field"));
}

TEST_CASE("read_webhook reads texts and reports, one or several at once") {
  const auto said = read(R"([{"id":"1","from":"2025550123","to":"15550001","text":"hi","at":"2019-05-24 17:44:46"},
                             {"id":"m-1","status":"expired","why":"switched off"}, {"event":"news"}])");
  REQUIRE(said.size() == 2);
  const Message& text = std::get<Message>(said[0]);
  CHECK(text.from == "+12025550123");
  CHECK(text.to == "+15550001");
  CHECK(text.text == "hi");
  CHECK(text.time() == present);
  const Report& report = std::get<Report>(said[1]);
  CHECK(report.id == "m-1");
  CHECK(report.status.stage == Stage::failed);
  CHECK(report.status.why == "The network did not deliver the message: switched off");
}

TEST_CASE("A list below a name is several, and each entry is read within the whole") {
  json settings = with("/text/each", "/results");
  settings["report"]["each"] = "/news";
  const auto said =
      acme(settings)->read_webhook(post(R"({"to":"15550001","results":[{"id":"1","from":"2025550123","text":"one"},
                                          {"id":"2","from":"2025550124","text":"two"}],
               "news":[{"id":"m-1","status":"delivered"},{"id":"m-2","status":"failed"}]})"));
  REQUIRE(said.size() == 4);
  CHECK(std::get<Report>(said[0]).id == "m-1");
  CHECK(std::get<Report>(said[1]).status.stage == Stage::failed);
  CHECK(std::get<Message>(said[2]).text == "one");
  CHECK(std::get<Message>(said[3]).from == "+12025550124");
  CHECK(std::get<Message>(said[3]).to == "+15550001");
}

TEST_CASE("A list of which a place reads the first entry only is not taken, and the log says what to set") {
  const std::string two = R"({"results":[{"id":"1","from":"2025550123","to":"15550001","text":"one","status":"x"},
                                         {"id":"2","from":"2025550124","to":"15550001","text":"two","status":"x"}]})";
  const json places = {
      {"id", "/results/0/id"}, {"from", "/results/0/from"}, {"to", "/results/0/to"}, {"text", "/results/0/text"}};
  const auto texts = acme(with("/text", places));
  CHECK(texts->read_webhook(post(two)).empty());
  CHECK(texts->missed_in(post(two)).find("set text.each = \"/results\"") != std::string::npos);
  const std::string one = R"({"results":[{"id":"1","from":"2025550123","to":"15550001","text":"one"}]})";
  CHECK(texts->read_webhook(post(one)).size() == 1);
  CHECK(texts->missed_in(post(one)).empty());

  json settings = with("/report/status", "/results/0/status");
  settings["report"]["id"] = "/results/0/id";
  settings["text"]["to"] = "receiver";
  CHECK(acme(settings)->read_webhook(post(two)).empty());
  CHECK(acme(settings)->missed_in(post(two)).find("set report.each = \"/results\"") != std::string::npos);
}

TEST_CASE("An answer with several ids says that the others are not known") {
  const auto verdict = acme()->judge(answer(200, R"({"data":[{"id":"a"},{"id":"b"}]})"), present);
  CHECK(verdict.kind == Kind::taken);
  CHECK(verdict.id == "a");
  CHECK(verdict.remark.starts_with("answer.id reads the first entry of /data"));
  CHECK(acme()->judge(answer(200, R"({"data":[{"id":"a"}]})"), present).remark.empty());
}

TEST_CASE("Ids are what is written, however long the number is") {
  const auto taken = [](const char* body) { return acme()->judge(answer(200, body), present).id; };
  CHECK(taken(R"({"data":[{"id":123456789012345678901234567890}]})") == "123456789012345678901234567890");
  CHECK(std::get<Report>(read(R"({"id":123456789012345678901234567891,"status":"sent"})").at(0)).id ==
        "123456789012345678901234567891");
}

TEST_CASE("A text's id holds what the text says of itself: an API's counter may begin anew") {
  const auto id = [](const json& text, const char* carrier = "g", const json& places = {{"id", "id"}}) {
    json settings = with("/text", places);
    const auto provider = make_generic_http_provider({carrier, std::move(settings), "carriers[0]", "US", {"+15550001"}},
                                                     "https://x.test");
    return std::get<Message>((*provider)->read_webhook(post(text.dump())).at(0)).id;
  };
  const json text = {{"id", 1}, {"from", "2025550123"}, {"to", "15550001"}, {"text", "x"}, {"at", 1558719886}};
  const auto changed = [&](const char* key, const char* value) {
    json copy = text;
    copy[key] = value;
    return copy;
  };
  const json timed = {{"id", "id"}, {"time", "at"}};
  CHECK(id(text) == id(text));
  CHECK(id(changed("from", "2025550124")) != id(text));
  CHECK(id(changed("to", "15550002")) != id(text));
  CHECK(id(changed("text", "y")) != id(text));
  CHECK(id(text, "h") != id(text));
  CHECK(id(changed("at", "1558719887")) == id(text));
  CHECK(id(changed("at", "1558719887"), "g", timed) != id(text, "g", timed));
  CHECK(is_id(id(text)));
}

TEST_CASE("What a stranger typed does not decide whether the JSON around it is read") {
  for (const char* typed : {"cut \\ud83d", "caf\xE9", "two\nlines", "\\o/"}) {
    CAPTURE(typed);
    const auto said = read(R"({"id":"1","from":"2025550123","to":"15550001","text":")" + std::string(typed) + "\"}");
    REQUIRE(said.size() == 1);
    CHECK_FALSE(std::get<Message>(said[0]).text.empty());
  }
  CHECK(read("\xEF\xBB\xBF{\"id\":\"1\",\"from\":\"1\",\"to\":\"15550001\"}").size() == 1);
}

TEST_CASE("Files come as links, and what has none is said") {
  const auto text = [](const char* files, const char* words = "look") {
    const json body = {
        {"id", "1"}, {"from", "2025550123"}, {"to", "15550001"}, {"text", words}, {"media", json::parse(files)}};
    return std::get<Message>(acme(with("/text/files", "media"))->read_webhook(post(body.dump())).at(0));
  };
  const std::vector<std::string> both = {"https://a.example/1.jpg", "https://a.example/2.jpg"};
  CHECK(text(R"(["https://a.example/1.jpg","https://a.example/2.jpg"])", "").links == both);
  CHECK(text(R"([{"type":"image/jpeg","url":"https://a.example/1.jpg"},{"link":"https://a.example/2.jpg"}])").links ==
        both);
  CHECK(text(R"("https://a.example/1.jpg")").links.size() == 1);
  CHECK(text(R"(["javascript:x", "https://a.example/1.jpg"])").lost_files == 1);
  CHECK(text(R"("2")").lost_files == 2);
  for (const char* none : {"[]", "null", "\"\"", "0"}) {
    CAPTURE(none);
    CHECK(text(none).lost_files == 0);
    CHECK(text(none).links.empty());
  }
}

TEST_CASE("Where files are not described, a text without words is no empty one") {
  const auto said = read(R"({"id":"1","from":"2025550123","to":"15550001","text":""})");
  CHECK(to_incoming(std::get<Message>(said.at(0)), present).text.starts_with("[A file of this message did not come."));
}

TEST_CASE("Of several receivers the first of our numbers has the text, and the others are told") {
  const auto text = [](const char* to, const json& settings = least()) {
    const std::string body = R"({"id":"1","from":"2025550123","text":"hi","to":)" + std::string(to) + "}";
    return std::get<Message>(acme(settings)->read_webhook(post(body)).at(0));
  };
  const std::vector<std::string> other = {"+12025550199"};
  for (const char* to :
       {R"(["+12025550199","+15550001"])", R"("+15550001, +12025550199")", R"(["15550001","2025550199"])"}) {
    CAPTURE(to);
    CHECK(text(to).to == "+15550001");
    CHECK(text(to).others == other);
  }
  const auto nested = text(R"([{"nr":"+12025550199"},{"nr":"+15550001"}])", with("/text/to", "/to/0/nr"));
  CHECK(nested.to == "+15550001");
  CHECK(nested.others == other);
  CHECK(text(R"("+15550001")").others.empty());
  CHECK(text(R"("+12025550199")").to == "+12025550199");
}

TEST_CASE("The words of a status are compared without capitals and blanks") {
  for (const char* word : {"DELIVERED", " delivered ", "Delivered"}) {
    CAPTURE(word);
    const auto said = read(json({{"id", "m-1"}, {"status", word}}).dump());
    CHECK(std::get<Report>(said.at(0)).status.stage == Stage::delivered);
  }
  const auto provider = acme(with("/report/failed", json::array({" Gone "})));
  CHECK(std::get<Report>(provider->read_webhook(post(R"({"id":"m","status":"gone"})")).at(0)).status.stage ==
        Stage::failed);
}

TEST_CASE("A POST without a body says what its query says; a form is read in its charset") {
  const auto said = read(" \n", std::string(path) + "?id=1&from=2025550123&to=15550001&text=query");
  CHECK(std::get<Message>(said.at(0)).text == "query");
  net::ServerRequest form = post("id=1&from=1&to=15550001&text=caf%E9");
  form.headers = {{"content-type", "application/x-www-form-urlencoded; charset=\"ISO-8859-1\""}};
  CHECK(std::get<Message>(acme()->read_webhook(form).at(0)).text == "caf\xC3\xA9");
  form.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  CHECK(std::get<Message>(acme()->read_webhook(form).at(0)).text == "caf\xEF\xBF\xBD");
}

TEST_CASE("missed_in names the places that are empty, and nothing that was said") {
  const auto missed = [](const char* body) { return acme()->missed_in(post(body)); };
  CHECK(missed(R"({"receiver":"15550001","text":"secret"})") ==
        "text.to (\"to\") and report.status (\"status\") are not there");
  CHECK(missed(R"({"status":"delivered"})") == "text.to (\"to\") and report.id and report.ref are not there");
  CHECK(missed("{") == "the body is neither JSON nor a form");
  CHECK(missed(R"({"id":"1","from":{"nr":"1"},"to":"15550001","text":"x"})") ==
        "text.from (\"from\") is not there, or no text: nobody is the sender");
  CHECK(missed(R"({"id":"1","from":"1","to":"15550001","text":"x"})").empty());
}

TEST_CASE("A report is known by our reference in its URL, whatever else it has") {
  const auto said =
      read(R"({"id":"m-1","from":"1","to":"2","text":"x","status":"delivered"})", path + std::string("?key=abc"));
  REQUIRE(said.size() == 1);
  CHECK(std::get<Report>(said[0]).ref == "abc");
  CHECK(std::get<Report>(said[0]).status.stage == Stage::delivered);
  const auto news = read(R"({"status":"queued"})", path + std::string("?key=abc"));
  CHECK(std::get<Report>(news.at(0)).id.empty());
  CHECK_FALSE(std::get<Report>(news.at(0)).status.stage);
  CHECK(read(R"({"status":"delivered"})").empty());  // of which text?
}

TEST_CASE("A report may be on one part of several") {
  CHECK(std::get<Report>(read(R"({"id":"m-1","status":"delivered"})").at(0)).parts == 1);
  json settings = with("/report/part", "/p/n");
  settings["report"]["parts"] = "/p/of";
  const auto said = acme(settings)->read_webhook(post(R"({"id":"m-1","status":"delivered","p":{"n":2,"of":"3"}})"));
  CHECK(std::get<Report>(said.at(0)).part == 2);
  CHECK(std::get<Report>(said.at(0)).parts == 3);
}

TEST_CASE("A text whose status is no word for a report is a text") {
  const auto said = read(R"({"id":"1","from":"+12025550123","to":"+15550001","text":"x","status":"received"})");
  CHECK(std::holds_alternative<Message>(said.at(0)));
}

TEST_CASE("Texts without ids are known by all that is said of them") {
  const auto id = [](const char* at) {
    const auto provider = acme(with("/text", json::object({{"time", "at"}})));
    const auto said = provider->read_webhook(get_request(std::string(path) + "?from=1&to=15550001&text=x&at=" + at));
    return std::get<Message>(said.at(0)).id;
  };
  CHECK(id("1558719886") == id("1558719886"));
  CHECK(id("1558719886") != id("1558719887"));
}

TEST_CASE("read_webhook finds nothing in what is no message, however strange it is") {
  for (const char* body : {"", "7", "{}", "[]", "[[]]", "[7,null]", R"({"to":{}})", "{", "a=b", "%zz"}) {
    CAPTURE(body);
    CHECK(read(body).empty());
  }
}

TEST_CASE("A token is asked for with the client's secret, and found in the answer (RFC 6749 §4.4)") {
  const auto provider = acme(
      with("/sign_in",
           {{"url", "https://id.acme.example/token"}, {"client_id", "c"}, {"client_secret", "s"}, {"scope", "sms"}}));
  const auto request = provider->sign_in().value();
  CHECK(request.url == "https://id.acme.example/token");
  CHECK(request.method == "POST");
  CHECK(request.user == "c");
  CHECK(request.password == "s");
  CHECK(request.body == "grant_type=client_credentials&scope=sms");
  CHECK(provider->read_token(answer(200, R"({"access_token":"A","token_type":"bearer"})")) == "A");
  CHECK(provider->read_token(answer(200, "<html>")).empty());
  CHECK_FALSE(acme()->sign_in());
}

TEST_CASE("What must be said at the start is described, too") {
  CHECK(acme()->at_start().empty());
  const auto requests =
      acme(with("/start", json::parse(R"({"path":"/hooks","fields":{"url":"{webhook_url}"}})")))->at_start();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].url == "https://api.acme.example/hooks");
  CHECK(json::parse(requests[0].body) ==
        json::object({{"url", "https://sms.example.org/http/g/a-secret-of-20-signs"}}));
}

TEST_CASE("Errors in a described carrier's settings begin with the key's path") {
  const auto error = [](const char* pointer, const json& value) { return parse(with(pointer, value)).error().text; };
  CHECK(error("/send/fields/x", "{nothing}")
            .starts_with("carriers[0].send.fields.x: has {nothing}, which is no placeholder"));
  CHECK(error("/send/headers/Authorization", "{text}").starts_with("carriers[0].send.headers.Authorization: "));
  CHECK(error("/answer/id", "/~7").starts_with("carriers[0].answer.id: must be the name of a field"));
  CHECK(error("/answer/idd", "x").starts_with("carriers[0].answer.idd: there is no such key"));
  CHECK(error("/text", json::object()).starts_with("carriers[0].text.id: is missing. Without an id or a time"));
  CHECK(error("/report/failed", "x").starts_with("carriers[0].report.failed: must be a list"));
  CHECK(error("/sign_in", {{"url", "ftp://x"}, {"client_id", "c"}, {"client_secret", "s"}})
            .starts_with("carriers[0].sign_in.url: "));
  CHECK(error("/base_url", "api").starts_with("carriers[0].base_url: must be like"));
  json settings = least();
  settings.erase("send");
  CHECK(parse(settings).error().text == "carriers[0].send: is missing: the request that sends a text");
}

TEST_CASE("All mistakes of a described carrier are told at once, those of its tables too") {
  json settings = with("/answer/idd", "x");
  settings["send"]["path"] = "v1";
  settings["report"]["failed"] = "x";
  settings["most_characters"] = 0;
  CHECK(parse(settings).error().text ==
        "carriers[0].send.path: must be the end of a URL, like \"/v1/messages\"\n"
        "carriers[0].answer.idd: there is no such key; did you mean id?\n"
        "carriers[0].report.failed: must be a list of texts, like [\"a\", \"b\"]\n"
        "carriers[0].most_characters: must be a whole number from 1 to 10000");
}
