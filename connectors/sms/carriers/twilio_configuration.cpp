#include "connectors/sms/carriers/twilio_configuration.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::sms::twilio {

namespace {

constexpr std::size_t kMostSid = 64;

bool is_one_of(char c, std::string_view more) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || more.find(c) != more.npos;
}
bool consists_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_one_of(c, more); });
}

bool is_url(std::string_view text) {
  const bool scheme = text.starts_with("https://") || text.starts_with("http://");
  return scheme && text.size() > text.find("://") + 3 && consists_of(text, ":/.-_~[]");
}

bool has_secret(const nlohmann::json& settings, const std::string& key) {
  return settings.is_object() && (settings.contains(key) || settings.contains(key + "_file"));
}

}  // namespace

base::Result<Setting> parse_setting(const CarrierSetting& source, const std::string& public_url) {
  Fields in(source.settings, source.path);
  Setting s;
  s.name = source.name;
  s.numbers = source.numbers;

  s.account_sid = in.required_text("account_sid");
  // It becomes part of a path. Twilio's have 34 characters; those of compatible services are UUIDs.
  if (s.account_sid.size() > kMostSid || !consists_of(s.account_sid, "-_")) in.wrong("account_sid", "must be letters, digits and '-'");
  const base::Secret token = in.secret("auth_token");
  s.user = in.text("api_key", {});
  if (s.user.empty()) {
    s.user = s.account_sid;
    s.password = token;
    if (has_secret(source.settings, "api_key_secret")) in.wrong("api_key", "is missing; api_key_secret belongs to one");
  } else {
    s.password = in.secret("api_key_secret");
  }
  s.base_url = in.text("base_url", "https://api.twilio.com");
  while (s.base_url.ends_with('/')) s.base_url.pop_back();
  if (!is_url(s.base_url)) in.wrong("base_url", "must be like \"https://api.twilio.com\"");
  s.messaging_service_sid = in.text("messaging_service_sid", {});

  s.signing_key = has_secret(source.settings, "signing_key") ? in.secret("signing_key") : token;
  s.signature_header = base::to_lower_ascii(in.text("signature_header", "X-Twilio-Signature"));
  if (s.signature_header.empty() || !consists_of(s.signature_header, "-")) in.wrong("signature_header", "must be the name of an HTTP header");
  s.webhook_path = in.text("webhook_path", "/twilio/" + source.name);
  if (!s.webhook_path.starts_with('/') || s.webhook_path.ends_with('/') || !consists_of(s.webhook_path, "/-._~")) {
    in.wrong("webhook_path", "must be a path like \"/twilio/main\", of letters, digits and / - . _ ~, without a '/' at its end");
  }

  s.rate = in.decimal("rate", 1, 0, 10000);
  s.validity = std::chrono::seconds(in.number("validity_seconds", 0, 0, 36000));
  s.poll = std::chrono::seconds(in.number("poll_seconds", 300, 1, 86400));
  s.look_again = std::chrono::seconds(in.number("look_again_seconds", 20, 1, 600));
  s.request_limit = std::chrono::seconds(in.number("request_limit_seconds", 30, 1, 600));
  if (auto done = in.finish(); !done) return done.error();

  s.public_url = public_url;
  while (s.public_url.ends_with('/')) s.public_url.pop_back();
  if (!is_url(s.public_url)) {
    return base::Error{base::Errc::bad_input,
                       fmt::format("{}.type: twilio brings texts and delivery reports by webhooks, so http.public_url must be set to the address "
                                   "under which it reaches this gateway, like \"https://sms.example.org\"", source.path)};
  }
  return s;
}

}  // namespace wherry::sms::twilio
