// The pages of a fake server of MSN over TLS, in this process: the login, and the letters that wait (OIM).
#pragma once

#include "connectors/msn/convert/percent.hpp"
#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "tests/unit/msn/self_signed.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wherry::tests {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class FakePages {
 public:
  using tcp = asio::ip::tcp;

  explicit FakePages(const asio::any_io_executor& executor)
      : changed(executor), tasks_(executor), pages_(executor, {asio::ip::address_v4::loopback(), 0}) {
    tasks_.spawn("fake.pages", accept_pages());
  }
  asio::awaitable<void> stop() {
    auto ending = tasks_.end();
    return ending;
  }
  static std::string password_of(const std::string& email) { return "secret-" + email; }

  // What is sent in place of the answer to a command ("MSG", or "MSG/2": to the second one of a connection), or of a
  // page's body; "{n}" is the command's number. "": nothing.
  std::map<std::string, std::string> instead;
  std::set<std::string> fetched, deleted;  // letters, by id
  std::vector<std::string> posted;         // bodies that were given to scripted pages
  base::Signal changed;

 protected:
  struct Letter {
    std::string from, text;
  };

  static std::string ticket_of(const std::string& email) { return "t=" + base::to_hex(email) + "&p="; }
  std::string login_page() const { return fmt::format("https://127.0.0.1:{}/login", pages_.local_endpoint().port()); }
  std::string authorities() const { return certificate_.path(); }

  std::map<std::string, Letter> letters_;  // by id
  base::TaskGroup tasks_;

 private:
  using Tls = asio::ssl::stream<tcp::socket>;

  asio::awaitable<void> accept_pages() {
    for (;;) {
      tcp::socket socket = co_await pages_.async_accept(asio::use_awaitable);
      const auto tls = std::make_shared<Tls>(std::move(socket), certificate_.context());
      tasks_.spawn("fake.page", serve_pages(tls));
    }
  }
  asio::awaitable<void> serve_pages(std::shared_ptr<Tls> tls) {
    try {
      co_await tls->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
      boost::beast::flat_buffer buffer;
      for (bool goes_on = true; goes_on;) {
        http::request<http::string_body> request;
        co_await http::async_read(*tls, buffer, request, asio::use_awaitable);
        http::response<http::string_body> response = answer_page(request);
        response.keep_alive(request.keep_alive());
        response.prepare_payload();
        goes_on = response.keep_alive();
        co_await http::async_write(*tls, response, asio::use_awaitable);
        changed.notify();
      }
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
    }
  }
  http::response<http::string_body> answer_page(const http::request<http::string_body>& request) {
    http::response<http::string_body> response(http::status::ok, 11);
    if (const auto fault = instead.find(std::string(request.target())); fault != instead.end()) {
      response.body() = fault->second;
      posted.push_back(request.body());
    } else if (request.target() == "/login") {
      const std::string header(request["authorization"]);
      const auto word = [&](const std::string& name) {
        const auto at = header.find(name + "=") + name.size() + 1;
        return msn::from_percent(header.substr(at, header.find(',', at) - at));
      };
      const std::string email = word("sign-in");
      if (word("pwd") != password_of(email)) response.result(http::status::unauthorized);
      else
        response.set("Authentication-Info",
                     fmt::format("Passport1.4 da-status=success,from-PP='{}'", ticket_of(email)));
    } else if (request.target() == "/rsi/rsi.asmx") {
      response.body() = answer_call(request.body());
      if (response.body().empty()) response.result(http::status::internal_server_error);
    } else {
      response.result(http::status::not_found);
    }
    return response;
  }
  std::string answer_call(const std::string& body) {
    const std::string id = msn::element_text(body, "messageId");
    const auto letter = letters_.find(id);
    if (letter == letters_.end()) return {};
    if (body.find("DeleteMessages") != body.npos) {
      deleted.insert(id);
      letters_.erase(letter);
      return "<DeleteMessagesResponse/>";
    }
    fetched.insert(id);
    const std::string mail = fmt::format(
        "From: <{}>\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        letter->second.from, base::to_base64(letter->second.text));
    return "<GetMessageResponse><GetMessageResult>" + msn::escape_xml(mail) +
           "</GetMessageResult></GetMessageResponse>";
  }

  SelfSigned certificate_;
  tcp::acceptor pages_;
};

}  // namespace wherry::tests
