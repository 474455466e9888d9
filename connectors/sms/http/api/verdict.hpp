// What a provider's answers and error codes mean for a text: what all of them have in common. Pure.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "gateway/net/http_client.hpp"

#include <chrono>
#include <span>
#include <string>

namespace wherry::sms::http {

// On the answer to a request that sends.
struct Verdict {
  enum class Kind {
    taken,    // under `id`
    refused,  // for good, as `code` and `text` say
    later,    // provably not sent; again after `wait`
    unknown,  // perhaps sent
  };
  Kind kind = Kind::unknown;
  std::string id;
  connector::Errc code = connector::Errc::rejected;
  std::string text;  // for the sender
  std::chrono::seconds wait{0};
  bool alert = false;  // the account or its settings are at fault: a person must act
  int error = 0;       // the provider's code, for the log
  std::string remark;  // what of the answer was not read, for the operator
};

enum class Means {
  refused,    // this text
  no_number,  // the recipient's number is none, or none for texts
  operators,  // this text, and others like it, until the operator acts
  later,      // nothing was sent; the queue has no room
  broken,     // nothing was sent, and nothing will be until the operator acts
};
// A line in a provider's table of error codes.
struct KnownError {
  int code;
  Means means;
  const char* text;               // for the sender
  std::chrono::seconds wait{60};  // `later`: where the answer does not say how long
};
using KnownErrors = std::span<const KnownError>;
constexpr bool codes_rise(KnownErrors known) {
  for (std::size_t i = 1; i < known.size(); ++i) {
    if (known[i - 1].code >= known[i].code) return false;
  }
  return true;
}

// On an answer that is no success. `code` is what the provider calls the error, 0 where it does not say.
Verdict judge_failure(const net::HttpResponse& response, int code, KnownErrors known, base::Time now);

// On an answer that is not 200 to a request that only reads. not_authorized: the credentials are refused.
connector::Error reading_failed(const net::HttpResponse& response, base::Time now);

// Why a message was not delivered, for its sender. `code` 0: none was given.
std::string explain(int code, KnownErrors known);

// Later stages overtake earlier ones: accepted 0, failed 1, delivered 2, read 3.
int rank(connector::Stage stage);

// The Retry-After header: seconds or a date (RFC 9110 §10.2.3), at most a day; zero where there is none.
std::chrono::seconds retry_after(const net::HttpResponse& response, base::Time now);

}  // namespace wherry::sms::http
