// From an address and a password to a notification server that waits for the ticket, and the ticket: what a session and
// a registration have in common. A registration stops there, so that it ends no session of the same account.
#pragma once

#include "connectors/msn/link/notification_link.hpp"
#include "connectors/msn/login/passport.hpp"
#include "connectors/msn/settings.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/net/login_pace.hpp"

#include <memory>
#include <string>

namespace wherry::msn {

// The server's own: what all accounts share.
struct Upstream {
  Upstream(Settings s, asio::any_io_executor e, net::HttpClient& h)
      : settings(std::move(s)),
        executor(std::move(e)),
        http(h),
        pace(net::LoginPace::of(settings.host + ":" + std::to_string(settings.port), settings.logins_per_minute,
                                executor)),
        passport(settings, http) {}
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  const Settings settings;
  asio::any_io_executor executor;
  net::HttpClient& http;
  const std::shared_ptr<net::LoginPace> pace;
  Passport passport;
};

struct Credentials {
  std::string email, password;
};

struct Admission {
  std::shared_ptr<NotificationLink> link;  // its socket is served by a task of the group, which ends with the link
  std::string ticket;
};

// Begins at `server` ("": the configured one) and follows five redirections at most. not_authorized: the password is
// wrong. Else unavailable, with a sentence. The pace is not kept here.
asio::awaitable<base::Result<Admission>> ask_admission(Upstream& upstream, base::TaskGroup& connections,
                                                       Credentials credentials, std::string server);
inline constexpr int most_redirections = 5;

// Why a session with a notification server is over, for the user.
std::string describe_end(const Notification& machine);

// A socket, within the limit; the error is a sentence.
asio::awaitable<base::Result<asio::ip::tcp::socket>> dial_server(std::string host, std::uint16_t port);

}  // namespace wherry::msn
