// What Twilio's answers, statuses and error codes mean for a text. Pure.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "gateway/net/http_client.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::sms::twilio {

// On the answer to a request that sends.
struct Verdict {
  enum class Kind {
    taken,    // under `sid`
    refused,  // for good, as `code` and `text` say
    later,    // provably not sent; again after `wait`
    unknown,  // perhaps sent
  };
  Kind kind = Kind::unknown;
  std::string sid;
  connector::Errc code = connector::Errc::rejected;
  std::string text;              // for the sender
  std::chrono::seconds wait{0};
  bool alert = false;            // the account or its settings are at fault: a person must act
  int error_code = 0;            // Twilio's, for the log
};
Verdict judge(const net::HttpResponse& response, base::Time now);

// On an answer that is not 200 to a request that only reads. not_authorized: the credentials are refused.
connector::Error reading_failed(const net::HttpResponse& response, base::Time now);

// How far a message with this status has come; none for a word that says nothing about one of ours.
std::optional<connector::Stage> to_stage(std::string_view status);

// Later stages overtake earlier ones: accepted 0, failed 1, delivered 2, read 3.
int rank(connector::Stage stage);

// Why a message was not delivered, for its sender. `error_code` 0: none was given.
std::string explain(std::string_view status, int error_code);

// The Retry-After header: seconds or a date (RFC 9110 §10.2.3), at most a day; zero where there is none.
std::chrono::seconds retry_after(const net::HttpResponse& response, base::Time now);

}  // namespace wherry::sms::twilio
