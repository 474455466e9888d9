// Requests, answers and webhooks of Twilio's Messages resource.
#include "connectors/sms/carriers/twilio_api.hpp"

#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::twilio;
using std::chrono::seconds;

namespace {

Setting setting() {
  Setting s;
  s.name = "tw";
  s.account_sid = "AC00000000000000000000000000000001";
  s.user = s.account_sid;
  s.password = base::Secret("token");
  s.base_url = "https://api.twilio.test";
  s.public_url = "https://sms.example.org";
  s.webhook_path = "/twilio/tw";
  return s;
}

OutgoingText hello() {
  return {"7:k1", {Address::Type::international, "+15550001"}, {Address::Type::international, "+15550100"}, "h\xC3\xA9llo & you", {}};
}

std::string value(const net::FormFields& fields, const std::string& name) {
  for (const auto& [key, text] : fields) {
    if (key == name) return text;
  }
  return "(none)";
}

base::Time at(std::int64_t unix_seconds) { return base::Time(seconds(unix_seconds)); }

// From the vendor's OpenAPI description (twilio_api_v2010, ListMessage and FetchMessage).
constexpr const char* kMessage = R"({"sid":"SMded05904ccb347238880ca9264e8fe1c","status":"undelivered","direction":"outbound-api",
  "from":"+15550001","to":"+15550100","body":"testing","error_code":30003,"error_message":"x","num_media":"0","num_segments":"1",
  "date_created":"Fri, 24 May 2019 17:44:46 +0000","date_sent":"Fri, 24 May 2019 17:44:50 +0000","messaging_service_sid":null})";

}  // namespace

TEST_CASE("send_request posts a form with the recipient, the sender, the text and where to report to (Twilio, Create a Message)") {
  const auto request = send_request(setting(), hello(), "abc123");
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.twilio.test/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json");
  CHECK(request.user == "AC00000000000000000000000000000001");
  CHECK(request.password == "token");
  const auto fields = net::parse_form(request.body).value();
  CHECK(fields.size() == 4);
  CHECK(value(fields, "To") == "+15550100");
  CHECK(value(fields, "From") == "+15550001");
  CHECK(value(fields, "Body") == "h\xC3\xA9llo & you");
  CHECK(value(fields, "StatusCallback") == "https://sms.example.org/twilio/tw?key=abc123");
}

TEST_CASE("send_request names the messaging service and the validity where they are configured") {
  Setting s = setting();
  s.messaging_service_sid = "MG1";
  s.validity = seconds(600);
  const auto fields = net::parse_form(send_request(s, hello(), "r").body).value();
  CHECK(value(fields, "MessagingServiceSid") == "MG1");
  CHECK(value(fields, "From") == "+15550001");
  CHECK(value(fields, "ValidityPeriod") == "600");
}

TEST_CASE("list_request filters by recipient, sender and day (Twilio, Read multiple Messages)") {
  const auto request = list_request(setting(), {"+15550100", "+15550001", at(1558719886)});
  CHECK(request.method == "GET");
  const auto mark = request.url.find('?');
  CHECK(request.url.substr(0, mark).ends_with("/Messages.json"));
  const auto query = net::parse_form(request.url.substr(mark + 1)).value();
  CHECK(value(query, "To") == "+15550100");
  CHECK(value(query, "From") == "+15550001");
  CHECK(value(query, "DateSent>") == "2019-05-24T00:00:00Z");
  CHECK(value(query, "PageSize") == "100");
  const auto bare = list_request(setting(), {"+15550100", "", std::nullopt});
  CHECK(bare.url.find("From") == std::string::npos);
  CHECK(bare.url.find("DateSent") == std::string::npos);
}

TEST_CASE("parse_message reads a message, and nothing where it has no sid") {
  const auto m = parse_message(kMessage);
  REQUIRE(m);
  CHECK(m->sid == "SMded05904ccb347238880ca9264e8fe1c");
  CHECK(m->status == "undelivered");
  CHECK(m->error_code == 30003);
  CHECK(m->media == 0);
  CHECK_FALSE(m->is_inbound());
  CHECK(m->created == at(1558719886));
  CHECK(m->time() == at(1558719890));
  CHECK_FALSE(parse_message("{}"));
  CHECK_FALSE(parse_message("[]"));
  CHECK_FALSE(parse_message(R"({"sid":"../../x"})"));
  CHECK_FALSE(parse_message(R"({"sid":7})"));
  CHECK_FALSE(parse_message("<html>"));
  CHECK_FALSE(parse_message(std::string(100000, '[')));
}

TEST_CASE("parse_page follows the next page only on the same host") {
  const auto page = [](const std::string& next) {
    return parse_page(setting(), R"({"messages":[)" + std::string(kMessage) + R"(],"next_page_uri":)" + next + "}");
  };
  CHECK(page("null")->next.empty());
  CHECK(page("null")->messages.size() == 1);
  CHECK(page("\"/2010-04-01/x?Page=1\"")->next == "https://api.twilio.test/2010-04-01/x?Page=1");
  CHECK(page("\"//evil.example/x\"")->next.empty());
  CHECK(page("\"https://evil.example/x\"")->next.empty());
  Setting under_a_path = setting();
  under_a_path.base_url = "https://space.example.org/api/laml";
  CHECK(parse_page(under_a_path, R"({"messages":[],"next_page_uri":"/api/laml/x"})")->next == "https://space.example.org/api/laml/x");
}

TEST_CASE("parse_page takes no list with a hole for a list: it would prove that a message is absent") {
  CHECK_FALSE(parse_page(setting(), R"({"messages":[{"status":"sent"}]})"));
  CHECK_FALSE(parse_page(setting(), R"({"messages":{}})"));
  CHECK_FALSE(parse_page(setting(), R"({"code":20003})"));
}

TEST_CASE("parse_media gives the files' own links, as a webhook does") {
  const auto links = parse_media(setting(), R"({"media_list":[{"sid":"ME1","uri":"/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1.json"}]})");
  REQUIRE(links);
  CHECK(*links == std::vector<std::string>{"https://api.twilio.test/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"});
  CHECK_FALSE(parse_media(setting(), "{}"));
}

TEST_CASE("read_webhook reads an incoming text, with its files as links behind it (Twilio, Messaging webhook request)") {
  const auto webhook = read_webhook("/twilio/tw", {{"MessageSid", "MM1"}, {"SmsSid", "MM1"}, {"SmsStatus", "received"}, {"From", "+15550100"},
                                                   {"To", "+15550001"}, {"Body", "look"}, {"NumMedia", "2"}, {"MediaUrl0", "https://m/0"},
                                                   {"MediaUrl1", "https://m/1"}}, at(5));
  const auto* text = std::get_if<IncomingText>(&webhook);
  REQUIRE(text);
  CHECK(text->id == "MM1");
  CHECK(text->from == Address{Address::Type::international, "+15550100"});
  CHECK(text->to == Address{Address::Type::international, "+15550001"});
  CHECK(text->text == "look\nhttps://m/0\nhttps://m/1");
  CHECK(text->sent_at == at(5));
}

TEST_CASE("read_webhook knows short codes and names as senders") {
  const auto from = [](const std::string& sender) {
    const auto webhook = read_webhook("/t", {{"MessageSid", "SM1"}, {"From", sender}, {"To", "+15550001"}, {"Body", ""}}, at(0));
    return std::get<IncomingText>(webhook).from;
  };
  CHECK(from("72404").type == Address::Type::short_code);
  CHECK(from("ACME").type == Address::Type::alphanumeric);
  CHECK(from("whatsapp:+15550100").type == Address::Type::alphanumeric);
}

TEST_CASE("read_webhook reads a status with the reference of its URL (Twilio, Track outbound message status)") {
  const auto webhook = read_webhook("/twilio/tw?key=abc123", {{"MessageSid", "SM1"}, {"MessageStatus", "undelivered"}, {"SmsStatus", "undelivered"},
                                                             {"ErrorCode", "30003"}, {"From", "+1"}, {"To", "+2"}}, at(0));
  const auto* report = std::get_if<Report>(&webhook);
  REQUIRE(report);
  CHECK(report->ref == "abc123");
  CHECK(report->sid == "SM1");
  CHECK(report->status == "undelivered");
  CHECK(report->error_code == 30003);
}

TEST_CASE("read_webhook finds nothing in what has no sid, a strange one, or neither status nor sender") {
  const auto nothing = [](const net::FormFields& fields) { return std::holds_alternative<Nothing>(read_webhook("/t", fields, at(0))); };
  CHECK(nothing({}));
  CHECK(nothing({{"MessageSid", "a/b"}, {"MessageStatus", "sent"}}));
  CHECK(nothing({{"MessageSid", std::string(65, 'A')}, {"MessageStatus", "sent"}}));
  CHECK(nothing({{"MessageSid", "SM1"}, {"SmsStatus", "received"}, {"Body", "x"}}));
}

TEST_CASE("parse_date reads RFC 2822 and HTTP dates, and refuses what is none") {
  CHECK(parse_date("Fri, 24 May 2019 17:44:46 +0000") == at(1558719886));
  CHECK(parse_date("Fri, 24 May 2019 19:44:46 +0200") == at(1558719886));
  CHECK(parse_date("Fri, 24 May 2019 17:44:46 GMT") == at(1558719886));
  for (const char* bad : {"", "soon", "Fri, 32 May 2019 17:44:46 +0000", "Fri, 24 Mai 2019 17:44:46 +0000", "Fri, 24 May 2019 25:44:46 +0000",
                          "Fri, 24 May 2019 17:44:46", "Fri, 24 May 2019 17:44:46 PST", "2019-05-24T17:44:46Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_date(bad));
  }
}

TEST_CASE("utf16_length counts as Twilio's limit of 1,600 does") {
  CHECK(utf16_length("abc") == 3);
  CHECK(utf16_length("\xC3\xA9") == 1);
  CHECK(utf16_length("\xE2\x82\xAC") == 1);
  CHECK(utf16_length("\xF0\x9F\x98\x80") == 2);
}
