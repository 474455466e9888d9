// Twilio's answers, statuses and error codes as outcomes.
#include "connectors/sms/carriers/twilio_verdict.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms::twilio;
using connector::Errc;
using connector::Stage;
using std::chrono::seconds;
using Kind = Verdict::Kind;

namespace {

const base::Time kNow = base::Time(seconds(1558719886));  // Fri, 24 May 2019 17:44:46 GMT

net::HttpResponse answer(int status, std::string body = "", std::string retry_after = "") {
  net::HttpResponse r;
  r.status = status;
  r.body = std::move(body);
  if (!retry_after.empty()) r.headers["retry-after"] = std::move(retry_after);
  return r;
}
net::HttpResponse refusal(int status, int code) { return answer(status, "{\"code\":" + std::to_string(code) + ",\"message\":\"m\",\"status\":400}"); }

}  // namespace

TEST_CASE("judge takes 201 with a sid for taken (Twilio, Create a Message)") {
  const auto v = judge(answer(201, R"({"sid":"SM1","status":"queued","error_code":null})"), kNow);
  CHECK(v.kind == Kind::taken);
  CHECK(v.sid == "SM1");
}

TEST_CASE("judge takes a message that failed at once for refused, with its reason") {
  const auto v = judge(answer(201, R"({"sid":"SM1","status":"failed","error_code":30006})"), kNow);
  CHECK(v.kind == Kind::refused);
  CHECK(v.text.find("landline") != std::string::npos);
}

TEST_CASE("judge does not know what success without a message means, nor an error of the server") {
  CHECK(judge(answer(200, "<html>"), kNow).kind == Kind::unknown);
  CHECK(judge(answer(201, "{}"), kNow).kind == Kind::unknown);
  for (const int status : {408, 500, 502, 503, 504}) {
    CAPTURE(status);
    CHECK(judge(answer(status), kNow).kind == Kind::unknown);
  }
  CHECK(judge(answer(500, "", "10"), kNow).kind == Kind::unknown);
}

TEST_CASE("judge takes 503 that says when to come back for not sent (RFC 9110 §15.6.4)") {
  const auto v = judge(answer(503, "", "7"), kNow);
  CHECK(v.kind == Kind::later);
  CHECK(v.wait == seconds(7));
}

TEST_CASE("judge waits as long as 429 says, in seconds or until a date (RFC 9110 §10.2.3)") {
  CHECK(judge(answer(429, "", "9"), kNow).wait == seconds(9));
  CHECK(judge(answer(429, R"({"code":20429})", "Fri, 24 May 2019 17:45:00 GMT"), kNow).wait == seconds(14));
  CHECK(judge(answer(429), kNow).wait == seconds(2));
  CHECK(judge(answer(429, "", "tomorrow"), kNow).wait == seconds(2));
  CHECK(judge(answer(429), kNow).kind == Kind::later);
  CHECK(retry_after(answer(429, "", "999999999"), kNow) == seconds(86400));
  CHECK(retry_after(answer(429, "", "-3"), kNow) == seconds(0));
  CHECK(retry_after(answer(429, "", "Fri, 24 May 2019 17:00:00 GMT"), kNow) == seconds(0));
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
      {302, 0, Kind::later, Errc::rejected, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.http);
    const auto v = judge(refusal(row.http, row.code), kNow);
    CHECK(v.kind == row.kind);
    CHECK(v.code == row.errc);
    CHECK(v.alert == row.alert);
    CHECK_FALSE(v.text.empty());
    CHECK((v.wait.count() > 0) == (row.kind == Kind::later));
    if (row.alert && row.kind == Kind::later) CHECK(v.wait >= seconds(300));
  }
}

TEST_CASE("judge tells the sender about an opt-out, and about a code that it does not know") {
  CHECK(judge(refusal(400, 21610), kNow).text.find("opted out") != std::string::npos);
  CHECK(judge(refusal(400, 12345), kNow).text.find("12345") != std::string::npos);
  CHECK(judge(answer(400), kNow).text.find("400") != std::string::npos);
}

TEST_CASE("to_stage knows every status of a message (Twilio, Message status values)") {
  for (const char* word : {"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"}) {
    CAPTURE(word);
    CHECK(to_stage(word) == Stage::accepted);
  }
  CHECK(to_stage("delivered") == Stage::delivered);
  CHECK(to_stage("read") == Stage::read);
  for (const char* word : {"undelivered", "failed", "canceled"}) {
    CAPTURE(word);
    CHECK(to_stage(word) == Stage::failed);
  }
  for (const char* word : {"receiving", "received", "", "news"}) {
    CAPTURE(word);
    CHECK_FALSE(to_stage(word));
  }
}

TEST_CASE("rank lets delivered overtake failed, and nothing overtake read") {
  CHECK(rank(Stage::accepted) < rank(Stage::failed));
  CHECK(rank(Stage::failed) < rank(Stage::delivered));
  CHECK(rank(Stage::delivered) < rank(Stage::read));
}

TEST_CASE("explain has a sentence for every failure") {
  CHECK(explain("undelivered", 30003).find("out of reach") != std::string::npos);
  CHECK(explain("failed", 30007).find("filtered") != std::string::npos);
  CHECK(explain("undelivered", 31999).find("31999") != std::string::npos);
  CHECK(explain("undelivered", 0) == "The network did not deliver the message.");
  CHECK(explain("canceled", 0) == "The message was cancelled at the SMS service.");
}

TEST_CASE("reading_failed tells refused credentials from a passing fault") {
  CHECK(reading_failed(answer(401, R"({"code":20003})"), kNow).code == Errc::not_authorized);
  CHECK(reading_failed(answer(500), kNow).code == Errc::unavailable);
  CHECK(reading_failed(answer(429, "", "11"), kNow).retry_after == seconds(11));
}
