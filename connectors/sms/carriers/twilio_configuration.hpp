// The settings of one Twilio account.
#pragma once

#include "connectors/sms/carriers/make.hpp"
#include "gateway/base/secret.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wherry::sms::twilio {

struct Setting {
  std::string name;
  std::string account_sid;
  std::string user;       // of requests: the account, or an API key
  base::Secret password;  // the account's token, or the API key's secret
  std::string base_url;   // without a final '/'
  std::string messaging_service_sid;  // or empty
  std::vector<std::string> numbers;   // ours

  base::Secret signing_key;      // of webhooks: the account's token, unless the service has another key
  std::string signature_header;  // in lower case
  std::string public_url;        // as the outside names our HTTP server
  std::string webhook_path;

  double rate = 1;  // texts a second from one number; 0: no limit of ours
  std::chrono::seconds validity{0};        // after which a text that still waits is given up; 0: the service's own
  std::chrono::seconds poll{300};          // between looks for what no webhook told
  std::chrono::seconds look_again{20};     // after a lost answer, until a text that is not listed counts as not sent
  std::chrono::seconds request_limit{30};

  std::string webhook_url() const { return public_url + webhook_path; }
};

// `public_url`: HttpServer's. bad_input with the offending key's path.
base::Result<Setting> parse_setting(const CarrierSetting& source, const std::string& public_url);

}  // namespace wherry::sms::twilio
