// What the configuration of every HTTP provider has.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/connector/settings.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::http {

struct Setting {
  std::string name;
  std::string path;                  // of the carrier in the configuration: errors begin with it
  std::vector<std::string> numbers;  // ours
  std::string base_url;              // of the API, without a final '/'
  std::string public_url;            // as the outside names our HTTP server
  std::string webhook_path;
  base::Secret webhook_secret;  // the end of the path of webhooks that nobody signs
  bool takes_webhooks = true;   // false: nothing reaches us, and all is looked for

  double rate = 1;                      // texts a second from one number; 0: no limit of ours
  std::chrono::seconds poll{300};       // between looks for what no webhook told
  std::chrono::seconds look_again{20};  // after a lost answer, until a text that is not listed counts as not sent
  std::chrono::seconds request_limit{30};

  std::string webhook_url() const { return public_url + secret_path(); }
  // The path that webhooks come to.
  std::string secret_path() const {
    return webhook_secret.empty() ? webhook_path : webhook_path + "/" + webhook_secret.reveal();
  }
  // Where a text's status is to be reported to: our reference comes back in it (ref_in, values.hpp).
  std::string report_url(std::string_view ref) const { return webhook_url() + "?key=" + std::string(ref); }
  // "https://host:port" of the base URL.
  std::string origin() const { return base_url.substr(0, base_url.find('/', base_url.find("://") + 3)); }
};

// Reads the keys above. `type` is the provider's in the configuration; `public_url` HttpServer's.
Setting read_setting(connector::Fields& in, const CarrierSetting& source, std::string_view type, std::string base_url,
                     std::string public_url);

// Reads `webhook_secret`, which a provider that signs nothing must have.
void read_webhook_secret(connector::Fields& in, Setting& setting);
// Whether a request came to secret_path(). Compares in constant time.
bool knows_secret(const Setting& setting, std::string_view target);

// Fields::finish(), and that we can be reached. Call it last.
base::Result<void> finish(connector::Fields& in, const Setting& setting, std::string_view type);

// Whether every character is a letter, a digit (of ASCII) or one of `more`.
bool consists_of(std::string_view text, std::string_view more);

}  // namespace wherry::sms::http
