// The login over HTTPS that a notification server wants to see a ticket of ("Passport 1.4"): the nexus names the login
// page, the login page gives the ticket.
#pragma once

#include "connectors/msn/settings.hpp"
#include "gateway/net/http_client.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>

namespace wherry::msn {

namespace asio = boost::asio;

// The login page's address in the header PassportURLs; it begins with https:// then. Nothing where there is none.
std::optional<std::string> parse_login_url(std::string_view passport_urls);
// What is between the quotes of from-PP='…' in Authentication-Info.
std::optional<std::string> parse_ticket(std::string_view authentication_info);
std::string to_authorization(const std::string& email, const std::string& password, const std::string& policy);

class Passport {
 public:
  Passport(const Settings& settings, net::HttpClient& http) : settings_(settings), http_(http) {}

  // not_authorized: the password is wrong. unavailable: anything else, also where it may have arrived: to ask again
  // does no harm.
  asio::awaitable<base::Result<std::string>> get_ticket(std::string email, std::string password, std::string policy);
  // The login page's address, as the nexus has it.
  asio::awaitable<base::Result<std::string>> find_login_page();

 private:
  asio::awaitable<base::Result<net::HttpResponse>> get(std::string url, std::string authorization);

  const Settings& settings_;
  net::HttpClient& http_;
  std::string login_page_;  // as the nexus said last
};

}  // namespace wherry::msn
