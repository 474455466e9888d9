#include "connectors/msn/login/passport.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

namespace wherry::msn {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr int most_redirects = 5;
constexpr std::size_t most_ticket_bytes = 4096;
constexpr std::chrono::seconds page_limit{15};

// Within the Authorization header a comma and an equals sign have a meaning.
std::string quote_word(std::string_view word) {
  std::string quoted;
  for (const char c : word) {
    const bool is_plain_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain_letter || c == '-' || c == '_' || c == '.') quoted += c;
    else quoted += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return quoted;
}

Error trouble(std::string what) { return {Errc::unavailable, "The login server " + std::move(what), {}}; }

std::string header_of(const net::HttpResponse& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

}  // namespace

std::optional<std::string> parse_login_url(std::string_view passport_urls) {
  const std::string lower = base::to_lower_ascii(passport_urls);
  const auto at = lower.find("dalogin=");
  if (at == std::string::npos) return std::nullopt;
  std::string_view url = passport_urls.substr(at + 8);
  url = base::trim(url.substr(0, url.find(',')));
  if (url.empty()) return std::nullopt;
  if (base::to_lower_ascii(url.substr(0, 8)) == "https://") return std::string(url);
  if (url.find("://") != url.npos) return std::nullopt;  // a password travels over TLS or not at all
  return "https://" + std::string(url);
}

std::optional<std::string> parse_ticket(std::string_view authentication_info) {
  const auto at = authentication_info.find("from-PP='");
  if (at == authentication_info.npos) return std::nullopt;
  const std::string_view rest = authentication_info.substr(at + 9);
  const auto end = rest.find('\'');
  if (end == rest.npos || end == 0 || end > most_ticket_bytes) return std::nullopt;
  return std::string(rest.substr(0, end));
}

std::string to_authorization(const std::string& email, const std::string& password, const std::string& policy) {
  return fmt::format(
      "Authorization: Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in={},pwd={},{}",
      quote_word(email), quote_word(password), policy);
}

asio::awaitable<Result<net::HttpResponse>> Passport::get(std::string url, std::string authorization) {
  net::HttpRequest request;
  request.url = std::move(url);
  request.limit = page_limit;
  request.ca_file = settings_.ca_file;
  if (!authorization.empty()) request.headers.push_back(std::move(authorization));
  auto response = co_await http_.send(std::move(request));
  if (!response) co_return trouble("cannot be reached: " + response.error().text + ".");
  co_return response;
}

asio::awaitable<Result<std::string>> Passport::find_login_page() {
  if (!settings_.login_url.empty()) co_return settings_.login_url;
  if (!login_page_.empty()) co_return login_page_;
  auto response = co_await get(settings_.nexus_url, std::string());
  if (!response) co_return response.error();
  const auto page = parse_login_url(header_of(*response, "passporturls"));
  if (!page) co_return trouble(fmt::format("does not say where to log in (HTTP {}).", response->status));
  login_page_ = *page;
  co_return login_page_;
}

asio::awaitable<Result<std::string>> Passport::get_ticket(std::string email, std::string password, std::string policy) {
  auto page = co_await find_login_page();
  if (!page) co_return page.error();
  std::string url = std::move(*page);
  for (int hop = 0; hop <= most_redirects; ++hop) {
    std::string authorization = to_authorization(email, password, policy);
    auto response = co_await get(url, std::move(authorization));
    if (!response) {
      login_page_.clear();  // it may have moved
      co_return response.error();
    }
    const int status = response->status;
    if (status == 200) {
      auto ticket = parse_ticket(header_of(*response, "authentication-info"));
      if (!ticket) co_return trouble("gives no ticket.");
      co_return std::move(*ticket);
    }
    if (status == 401) co_return Error{Errc::not_authorized, "The address or the password is wrong."};
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
      login_page_.clear();
      co_return trouble(fmt::format("answers with HTTP {}.", status));
    }
    url = header_of(*response, "location");
    if (!url.starts_with("https://")) co_return trouble("sends us to a page that is not https://.");
  }
  co_return trouble("sends us from page to page without an end.");
}

}  // namespace wherry::msn
