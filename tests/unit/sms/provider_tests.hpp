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

}  // namespace wherry::tests

using wherry::tests::answer;
using wherry::tests::present;
