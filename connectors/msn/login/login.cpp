#include "connectors/msn/login/login.hpp"

#include "connectors/msn/refusals.hpp"
#include "gateway/base/within.hpp"
#include "gateway/net/dial.hpp"

#include <fmt/format.h>

#include <utility>

namespace wherry::msn {

using asio::ip::tcp;
using base::Errc;
using base::Error;
using base::Result;

namespace {

// What the server of one hop says.
struct Hop {
  std::string ticket, next_server;
};

// `hop`: waits until it wants a ticket, and gets one.
asio::awaitable<Result<Hop>> visit(Upstream& upstream, std::shared_ptr<NotificationLink> link,
                                   Credentials credentials) {
  for (;;) {
    auto event = co_await link->next();
    if (!event) break;
    Hop hop;
    if (const auto* redirected = std::get_if<Redirected>(&*event)) {
      hop.next_server = redirected->server;
      co_return hop;
    }
    const auto* asked = std::get_if<TicketAsked>(&*event);
    if (!asked) continue;
    auto ticket = co_await upstream.passport.get_ticket(credentials.email, credentials.password, asked->policy);
    if (!ticket) co_return ticket.error();
    hop.ticket = std::move(*ticket);
    co_return hop;
  }
  const int refusal = link->machine().refusal();
  if (is_about_password(refusal)) co_return Error{Errc::not_authorized, describe_refused_login(refusal)};
  co_return Error{Errc::unavailable, describe_end(link->machine())};
}

}  // namespace

std::string describe_end(const Notification& machine) {
  switch (machine.protocol().how_ended()) {
    case End::elsewhere:
      return "You have logged in to MSN with another program, so this connection was ended. Register again to have it "
             "back here.";
    case End::shutting_down: return "The MSN server is being shut down.";
    case End::silent: return "The MSN server does not answer.";
    case End::broken: return "The MSN server is not understood: " + machine.protocol().why() + ".";
    case End::refused: return describe_refused_login(machine.refusal());
    case End::lost: return "The connection to the MSN server is lost: " + machine.protocol().why() + ".";
    case End::closed: return "The connection to the MSN server was closed.";
  }
  return {};
}

asio::awaitable<Result<tcp::socket>> dial_server(std::string host, std::uint16_t port) {
  std::string why;
  try {
    auto dialling = net::dial(host, port);
    tcp::socket socket = co_await base::within(dial_limit, std::move(dialling));
    socket.set_option(tcp::no_delay(true));
    co_return std::move(socket);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    why = e.code().message();
  } catch (const base::TimedOut&) {
    why = "no answer";
  }
  co_return Error{Errc::unavailable, fmt::format("The MSN server cannot be reached: {}.", why)};
}

asio::awaitable<Result<Admission>> ask_admission(Upstream& upstream, base::TaskGroup& connections,
                                                 Credentials credentials, std::string server) {
  for (int hops = 0; hops <= most_redirections; ++hops) {
    auto [host, port] = split_server(server, upstream.settings.port);
    if (host.empty()) host = upstream.settings.host;
    auto socket = co_await dial_server(host, port);
    if (!socket) co_return socket.error();
    const auto link = std::make_shared<NotificationLink>(upstream.executor, credentials.email);
    connections.spawn("msn.notification", Speaker::converse(link, std::move(*socket)));
    auto hop = co_await visit(upstream, link, credentials);
    if (hop && !hop->ticket.empty()) co_return Admission{link, std::move(hop->ticket)};
    link->log_out();
    if (!hop) co_return hop.error();
    server = std::move(hop->next_server);
  }
  co_return Error{Errc::unavailable, "The MSN server sends us from server to server without an end."};
}

}  // namespace wherry::msn
