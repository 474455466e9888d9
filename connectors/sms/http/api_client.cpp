#include "connectors/sms/http/api_client.hpp"

#include "gateway/base/log.hpp"
#include "gateway/net/http_client.hpp"

#include <fmt/format.h>

namespace wherry::sms::http {

using connector::Errc;
using connector::Error;

asio::awaitable<base::Result<net::HttpResponse>> ApiClient::send(net::HttpRequest request) {
  if (!provider_.sign_in()) co_return co_await services_.http.send(std::move(request));
  for (;;) {
    const bool is_new = token_.empty();
    if (is_new) {
      const auto signed_in = co_await sign_in();
      if (!signed_in) co_return signed_in.error();
    }
    const std::string token = token_;
    net::HttpRequest attempt = request;
    attempt.headers.push_back("Authorization: Bearer " + token);
    auto answer = co_await services_.http.send(std::move(attempt));
    // Refused before anything was done (RFC 9110 §15.5.2). Another request may have a new token already.
    const bool has_ended = answer && answer->status == 401;
    if (has_ended && token_ == token) token_.clear();
    if (!has_ended || is_new) co_return answer;
  }
}

asio::awaitable<base::Result<void>> ApiClient::sign_in() {
  net::HttpRequest request = *provider_.sign_in();
  const auto answer = co_await services_.http.send(std::move(request));
  std::string token = answer && answer->status == 200 ? provider_.read_token(*answer) : std::string();
  if (!token.empty()) {
    token_ = std::move(token);
    co_return base::ok();
  }
  const std::string why = answer ? fmt::format("HTTP {}", answer->status) : answer.error().text;
  log::error("http_carrier.sign_in_failed", {{"carrier", provider_.setting.name}, {"error", why}});
  co_return Error{Errc::unavailable, "the service gives no token: " + why};
}

}  // namespace wherry::sms::http
