#include "connectors/sms/http/api/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::sms::http {

namespace {

constexpr std::size_t shortest_secret = 16, longest_secret = 100;

bool is_url(std::string_view text) {
  const bool scheme = text.starts_with("https://") || text.starts_with("http://");
  return scheme && text.size() > text.find("://") + 3 && consists_of(text, ":/.-_~[]");
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

bool consists_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || more.find(c) != more.npos;
  });
}

Setting read_setting(connector::Fields& in, const CarrierSetting& source, std::string_view type, std::string base_url,
                     std::string public_url) {
  Setting s;
  s.name = source.name;
  s.path = source.path;
  s.numbers = source.numbers;
  s.public_url = without_slash(std::move(public_url));
  const std::string example = base_url;
  s.base_url = without_slash(in.text("base_url", std::move(base_url)));
  if (!is_url(s.base_url)) in.wrong("base_url", fmt::format("must be like \"{}\"", example));
  s.webhook_path = in.text("webhook_path", fmt::format("/{}/{}", type, source.name));
  if (!s.webhook_path.starts_with('/') || s.webhook_path.ends_with('/') || !consists_of(s.webhook_path, "/-._~")) {
    in.wrong("webhook_path",
             fmt::format("must be a path like \"/{}/main\", of letters, digits and / - . _ ~, without a '/' at its end",
                         type));
  }
  s.takes_webhooks = in.flag("webhooks");
  s.rate = in.decimal("rate");
  s.poll = std::chrono::seconds(in.number("poll_seconds"));
  s.look_again = std::chrono::seconds(in.number("look_again_seconds"));
  s.request_limit = std::chrono::seconds(in.number("request_limit_seconds"));
  return s;
}

void read_webhook_secret(connector::Fields& in, Setting& setting) {
  setting.webhook_secret = in.secret("webhook_secret");
  const std::string& secret = setting.webhook_secret.reveal();
  if (secret.size() < shortest_secret || secret.size() > longest_secret || !consists_of(secret, "-_"))
    in.wrong("webhook_secret",
             "must be 16 to 100 letters, digits, '-' and '_': whoever knows it can write as anybody. `openssl rand "
             "-hex 16` makes one");
}

bool knows_secret(const Setting& setting, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return base::equal_in_constant_time(path, setting.secret_path()) && !setting.webhook_secret.empty();
}

base::Result<void> finish(connector::Fields& in, const Setting& setting, std::string_view type) {
  connector::Mistakes mistakes;
  mistakes.add(in.finish());
  if (setting.takes_webhooks && !is_url(setting.public_url))
    mistakes.add(
        fmt::format("{}: {} brings texts and delivery reports by webhooks, so http.public_url must be set to "
                    "the address under which it reaches this gateway, like \"https://sms.example.org\"",
                    in.path_of("type"), type));
  if (!mistakes.empty()) return mistakes.error();
  return base::ok();
}

}  // namespace wherry::sms::http
