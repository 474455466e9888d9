// Kannel's sendsms page and the URLs that it fetches: what smsbox 1.4.5 was seen to say. With a real one:
// tests/integration/kannel.
#include "connectors/sms/carriers/kannel.hpp"

#include "tests/unit/sms/provider_tests.hpp"

namespace {

constexpr const char* path = "/kannel/k/a-secret-of-20-signs";

json least() { return {{"user", "wherry"}, {"password", "pw"}, {"webhook_secret", "a-secret-of-20-signs"}}; }
connector::Result<std::unique_ptr<Provider>> parse(json settings, std::string public_url = "https://sms.example.org") {
  return make_kannel_provider({"k", std::move(settings), "carriers[0]", "US", {"+15550001", "72404"}},
                              std::move(public_url));
}
std::unique_ptr<Provider> kannel(json settings = least()) { return parse(std::move(settings)).value(); }
bool has(const net::HttpRequest& request, const std::string& header) {
  return std::count(request.headers.begin(), request.headers.end(), header) == 1;
}
Read read(const std::string& query) { return the_one(kannel()->read_webhook(get_request(path + ("?" + query)))); }
Message text(const std::string& query) { return std::get<Message>(read(query)); }
Status status(const std::string& query) { return std::get<Report>(read("key=abc&" + query)).status; }

}  // namespace

TEST_CASE("send_request posts the text with its alphabet and where to report to (Kannel, Sending by POST)") {
  json settings = least();
  settings["smsc"] = "north";
  const auto request = kannel(settings)->send_request(outgoing("hé {€} & +"), "abc", present);
  CHECK(request.method == "POST");
  CHECK(request.url == "http://127.0.0.1:13013/cgi-bin/sendsms");
  CHECK(request.body == "hé {€} & +");
  for (const char* header :
       {"Content-Type: text/plain; charset=UTF-8", "X-Kannel-Username: wherry", "X-Kannel-Password: pw",
        "X-Kannel-From: +15550001", "X-Kannel-To: +15550100", "X-Kannel-Coding: 0", "X-Kannel-DLR-Mask: 19",
        "X-Kannel-SMSC: north",
        "X-Kannel-DLR-Url: https://sms.example.org/kannel/k/a-secret-of-20-signs?key=abc&status=%d&reply=%A"}) {
    CAPTURE(header);
    CHECK(has(request, header));
  }
  CHECK(has(kannel()->send_request(outgoing("привет"), "abc", present), "X-Kannel-Coding: 2"));
}

TEST_CASE("judge tells Kannel's answers apart") {
  const auto judge = [](int code, const char* body) { return kannel()->judge(answer(code, body), present); };
  CHECK(judge(202, "0: Accepted for delivery").kind == Kind::taken);
  CHECK(judge(202, "0: Accepted for delivery").id.empty());
  CHECK(judge(202, "3: Queued for later delivery").kind == Kind::taken);
  CHECK(judge(200, "Welcome to nginx").kind == Kind::unknown);
  CHECK(judge(503, "Temporal failure, try again later.").kind == Kind::later);
  CHECK(judge(503, "upstream").kind == Kind::unknown);
  CHECK(judge(500, "").kind == Kind::unknown);
  CHECK(judge(403, "Authorization failed for sendsms").alert);
  CHECK(judge(403, "Not routable. Do not try again.").code == Errc::not_found);
  CHECK(judge(400, "Missing receiver number, rejected").kind == Kind::refused);
}

TEST_CASE("read_webhook reads an incoming text in Kannel's alphabets, and its number as it was written") {
  const Message plain = text(
      "id=f60fab47-5c2e&from=%2B12025550123&to=%2B15550001&text=++two%0Aline+%25%2B%26&charset=UTF-8&time=1558719886");
  CHECK(plain.id == "f60fab47-5c2e");
  CHECK(plain.from == "+12025550123");
  CHECK(plain.to == "+15550001");
  CHECK(plain.text == "  two\nline %+&");
  CHECK(plain.time() == present);
  const Message wide = text("id=1&from=2025550123&to=15550001&text=%00h%D8%3D%DE%00&charset=UTF-16BE");
  CHECK(wide.from == "+12025550123");
  CHECK(wide.to == "+15550001");
  CHECK(wide.text == "h😀");
  CHECK(text("id=1&from=ACME&to=72404&text=%E9&charset=ISO-8859-1").text == "é");
  CHECK(text("id=1&from=ACME&to=72404&text=x").to == "72404");
  CHECK(text("id=1&from=ACME&to=72404&text=x").from == "ACME");
}

TEST_CASE("read_webhook reads what became of a text, by our reference") {
  const auto report = std::get<Report>(read("key=abc&status=1&reply=id%3A1+stat%3ADELIVRD+err%3A000"));
  CHECK(report.ref == "abc");
  CHECK(report.id.empty());
  CHECK(report.status.stage == Stage::delivered);
  CHECK(status("status=8&reply=ACK%2F").stage == Stage::accepted);
  CHECK(status("status=16&reply=NACK%2F0x0000000b%2FInvalid+Destination+Address").why ==
        "The number does not exist or cannot be reached.");
  CHECK(status("status=16&reply=NACK%2FRetries+Exceeded").why == "The network refused the message.");
  CHECK(status("status=34&reply=id%3A1+sub%3A001+stat%3AEXPIRED+err%3A000").why ==
        "The phone could not be reached in time.");
  CHECK(status("status=2&reply=").why == "The network did not deliver the message.");
  CHECK(status("status=2&reply=id%3A1+stat%3ADELIVRD+err%3A000").stage == Stage::failed);
  CHECK_FALSE(status("status=64").stage);
  CHECK_FALSE(status("status=x").stage);
}

TEST_CASE("read_webhook finds nothing in what lacks an id, a receiver, or all") {
  for (const char* query : {"", "id=1", "from=1&to=2&text=x", "id=a%2Fb&to=2&text=x"}) {
    CAPTURE(query);
    CHECK(std::holds_alternative<std::monostate>(read(query)));
  }
}

TEST_CASE("A webhook is Kannel's where its path ends with the secret") {
  const auto provider = kannel();
  CHECK(provider->takes_get());
  CHECK(provider->is_genuine(get_request(path), present));
  CHECK(provider->is_genuine(get_request(path + std::string("?id=1")), present));
  for (const char* target :
       {"/kannel/k", "/kannel/k/", "/kannel/k/a-secret-of-20-sign", "/kannel/k/a-secret-of-20-signs/", ""}) {
    CAPTURE(target);
    CHECK_FALSE(provider->is_genuine(get_request(target), present));
  }
}

TEST_CASE("A text is no longer than what Kannel's max-messages holds: the rest would be cut off in silence") {
  const auto fits = [](const char* letter, int count, int segments = 10) {
    json settings = least();
    settings["most_segments"] = segments;
    std::string text;
    for (int i = 0; i < count; ++i) text += letter;
    return kannel(settings)->why_too_long(text).empty();
  };
  CHECK(fits("a", 1530));
  CHECK_FALSE(fits("a", 1531));
  CHECK(fits("€", 760));  // two septets each, and none is cut in two
  CHECK_FALSE(fits("€", 761));
  CHECK(fits("п", 670));
  CHECK_FALSE(fits("п", 671));
  CHECK(fits("😀", 330));
  CHECK_FALSE(fits("😀", 331));
  CHECK(fits("a", 160, 1));
  CHECK_FALSE(fits("a", 161, 1));
  CHECK(fits("п", 70, 1));
  CHECK_FALSE(fits("п", 71, 1));
  CHECK(kannel()->most_units() == 1530);
  CHECK(kannel()->why_too_long(std::string(1531, 'a')) ==
        "The text would take 11 text messages, and 10 is the most. Send it in pieces.");
}

TEST_CASE("Numbers that are ours since the start are known as those that were ours before") {
  const std::vector<std::string> numbers = {"+447700900123", "+4520123456", "+15550001"};
  const auto reloaded = kannel();
  reloaded->serve(numbers);
  const auto to = [&](const std::string& written) {
    return std::get<Message>(the_one(reloaded->read_webhook(get_request(path + ("?id=1&from=1&text=x&to=" + written)))))
        .to;
  };
  CHECK(to("07700900123") == "+447700900123");
  CHECK(to("20123456") == "+4520123456");
  CHECK(to("72404") == "72404");
  CHECK(std::is_sorted(reloaded->setting.numbers.begin(), reloaded->setting.numbers.end()));
}

TEST_CASE("Without a region numbers are read in the country of the first number, also of one that came later") {
  const auto read_by = [](std::vector<std::string> at_start, std::vector<std::string> later) {
    const auto provider =
        make_kannel_provider({"k", least(), "carriers[0]", "", std::move(at_start)}, "https://sms.example.org").value();
    if (!later.empty()) provider->serve(std::move(later));
    return std::get<Message>(
               the_one(provider->read_webhook(get_request(path + std::string("?id=1&from=07700900123&text=x&to=1")))))
        .from;
  };
  CHECK(read_by({}, {"+447700900456", "+15550001"}) == "+447700900123");
  CHECK(read_by({"+447700900456", "+15550001"}, {}) == "+447700900123");
  CHECK(read_by({"+15550001"}, {"+447700900456", "+15550001"}) == "+447700900123");
}

TEST_CASE("Errors in a Kannel carrier's settings begin with the key's path") {
  const auto error = [](const char* key, const json& value) {
    json settings = least();
    settings[key] = value;
    return parse(settings).error().text;
  };
  CHECK(error("user", "").starts_with("carriers[0].user: "));
  CHECK(error("webhook_secret", "short").starts_with("carriers[0].webhook_secret: must be 16 to 100 letters"));
  CHECK(error("webhook_secret", "with/a/slash/in/it-is-long").starts_with("carriers[0].webhook_secret: "));
  CHECK(error("most_segments", 0).starts_with("carriers[0].most_segments: "));
  CHECK(parse(least(), "").error().text.find("http.public_url") != std::string::npos);
}

TEST_CASE("All mistakes of an HTTP carrier are told at once, a missing public address too") {
  json settings = least();
  settings["user"] = "";
  settings["rate"] = -1;
  const std::string told = parse(settings, "").error().text;
  CHECK(
      told.starts_with("carriers[0].user: is missing: of a sendsms-user\n"
                       "carriers[0].rate: must be a number from 0 to 10000\n"
                       "carriers[0].type: kannel brings texts"));
}
