// What the tests of all HTTP providers begin with: their names, a time, an answer of the provider's API.
#pragma once

#include "connectors/sms/http/api/values.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::http;
using connector::Errc;
using connector::Stage;
using nlohmann::json;
using std::chrono::seconds;
using Kind = Verdict::Kind;

namespace wherry::tests {

inline const base::Time present = base::Time(seconds(1558719886));  // Fri, 24 May 2019 17:44:46 GMT

inline net::HttpResponse answer(int status, std::string body = "", std::string retry_after = "") {
  net::HttpResponse r;
  r.status = status;
  r.body = std::move(body);
  if (!retry_after.empty()) r.headers["retry-after"] = std::move(retry_after);
  return r;
}

// The one thing that a webhook says, or nothing.
using Read = std::variant<std::monostate, Report, Message>;
inline Read the_one(std::vector<Webhook> webhooks) {
  REQUIRE(webhooks.size() <= 1);
  if (webhooks.empty()) return {};
  return std::visit([](auto& said) { return Read(std::move(said)); }, webhooks.front());
}

inline OutgoingText outgoing(std::string text, std::string to = "+15550100") {
  return {"7:k",
          {Address::Type::international, "+15550001"},
          {Address::Type::international, std::move(to)},
          std::move(text),
          {}};
}

inline net::ServerRequest get_request(std::string target) { return {"GET", std::move(target), {}, {}}; }
inline net::ServerRequest form_request(std::string target, const net::FormFields& fields) {
  return {"POST", std::move(target), {{"content-type", "application/x-www-form-urlencoded"}}, net::to_form(fields)};
}

}  // namespace wherry::tests

using wherry::tests::answer;
using wherry::tests::form_request;
using wherry::tests::get_request;
using wherry::tests::outgoing;
using wherry::tests::present;
using wherry::tests::Read;
using wherry::tests::the_one;
