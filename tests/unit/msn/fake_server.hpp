// A server of MSNP12 in this process, that does what a test tells it: notification server and switchboards, and its
// pages. What a server is like is tried with tests/simulators/msnp.
#pragma once

#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "tests/unit/msn/fake_pages.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wherry::tests {

class FakeMsn : public FakePages {
 public:
  using Words = std::vector<std::string>;

  explicit FakeMsn(const asio::any_io_executor& executor)
      : FakePages(executor),
        notification_(executor, {asio::ip::address_v4::loopback(), 0}),
        switchboard_(executor, {asio::ip::address_v4::loopback(), 0}) {
    tasks_.spawn("fake.notification", accept_lines(&notification_, true));
    tasks_.spawn("fake.switchboard", accept_lines(&switchboard_, false));
  }

  nlohmann::json configuration() const {
    return {{"host", "127.0.0.1"},
            {"port", notification_.local_endpoint().port()},
            {"login_url", login_page()},
            {"ca_file", authorities()},
            {"logins_per_minute", 10000}};
  }

  // ---- the script ----
  std::string behind_login;             // sent once the account is in
  bool joins = true;                    // who is called comes
  std::set<std::string> without_lists;  // that cannot be changed

  // ---- what happened ----
  struct Text {
    std::string from, to, text;
  };
  std::vector<Text> taken;
  std::vector<Words> commands;                     // of all notification sessions
  std::size_t boards_open = 0, boards_opened = 0;  // connections to the switchboard

  bool is_there(const std::string& email) const { return sessions_.contains(email); }
  // Invites the account into a conversation.
  void ring(const std::string& email) {
    say(email, fmt::format("RNG s {} CKI key friend@x.test F\r\n", switchboard()));
  }
  std::string switchboard() const { return fmt::format("127.0.0.1:{}", switchboard_.local_endpoint().port()); }
  // Sends that on the account's notification session.
  void say(const std::string& email, const std::string& bytes) {
    const auto found = sessions_.find(email);
    if (found == sessions_.end()) return;
    if (const auto link = found->second.lock()) write(*link, bytes);
  }

  // A letter that is announced. True once it is deleted; false where it stays though it was fetched, and another one
  // that was announced behind it is gone.
  asio::awaitable<bool> bring(std::string to, std::string from, std::string id, std::string text) {
    fetched.erase(id);
    deleted.erase(id);
    letters_[id] = {from, text};
    announce(to, id, from);
    auto taking = wait_fetched(id);
    co_await base::within(std::chrono::seconds(60), std::move(taking));
    bool is_deleted = false;
    try {
      auto deleting = wait_deleted(id, id);
      co_await base::within(std::chrono::milliseconds(100), std::move(deleting));
      is_deleted = true;
    } catch (const base::TimedOut&) {}
    if (is_deleted) co_return true;
    const std::string marker = fmt::format("marker {}", ++last_marker_);
    letters_[marker] = {from, ""};
    announce(to, marker, from);
    auto deciding = wait_deleted(id, marker);
    co_await base::within(std::chrono::seconds(60), std::move(deciding));
    co_return deleted.contains(id);
  }

 private:
  struct Link {
    explicit Link(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::string input, email, called;
    std::map<std::string, int> said;  // how often each command
  };

  asio::awaitable<void> wait_fetched(std::string id) {
    while (!fetched.contains(id)) co_await changed.wait();
  }
  asio::awaitable<void> wait_deleted(std::string a, std::string b) {
    while (!deleted.contains(a) && !deleted.contains(b)) co_await changed.wait();
  }

  // Small pieces, which the kernel takes at once.
  static void write(Link& link, const std::string& bytes) {
    boost::system::error_code ignored;
    asio::write(link.socket, asio::buffer(bytes), ignored);
  }
  void announce(const std::string& to, const std::string& id, const std::string& from) {
    const std::string notice = fmt::format(
        "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsoimnotification; charset=UTF-8\r\n\r\nMail-Data: "
        "<MD><M><T>11</T><E>{}</E><I>{}</I></M></MD>\r\n",
        from, id);
    say(to, fmt::format("MSG Hotmail Hotmail {}\r\n{}", notice.size(), notice));
  }

  // ---- Lines ----

  asio::awaitable<void> accept_lines(tcp::acceptor* acceptor, bool is_notification) {
    for (;;) {
      tcp::socket socket = co_await acceptor->async_accept(asio::use_awaitable);
      const auto link = std::make_shared<Link>(std::move(socket));
      tasks_.spawn("fake.link", serve(link, is_notification));
    }
  }
  asio::awaitable<void> serve(std::shared_ptr<Link> link, bool is_notification) {
    boards_open += is_notification ? 0 : 1;
    boards_opened += is_notification ? 0 : 1;
    try {
      for (;;) {
        auto space = asio::dynamic_buffer(link->input);
        const std::size_t size = co_await asio::async_read_until(link->socket, space, "\r\n", asio::use_awaitable);
        const std::string line = link->input.substr(0, size - 2);
        link->input.erase(0, size);
        Words words;
        for (const auto word : base::split(line, ' ')) words.emplace_back(word);
        std::string payload;
        if (words[0] == "MSG" || words[0] == "UUX" || words[0] == "QRY") {
          const std::size_t bytes = std::stoul(words.back());
          auto rest = asio::dynamic_buffer(link->input);
          if (link->input.size() < bytes) {
            const auto enough = asio::transfer_exactly(bytes - link->input.size());
            co_await asio::async_read(link->socket, rest, enough, asio::use_awaitable);
          }
          payload = link->input.substr(0, bytes);
          link->input.erase(0, bytes);
        }
        if (words[0] == "OUT") break;
        if (is_notification) commands.push_back(words);
        const std::string answer = is_notification ? answer_line(link, words) : answer_board(*link, words, payload);
        const std::string which = fmt::format("{}/{}", words[0], ++link->said[words[0]]);
        const auto fault = instead.find(instead.contains(which) ? which : words[0]);
        write(*link, fault == instead.end() ? answer : fill_in(fault->second, words));
        changed.notify();
      }
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
    }
    boards_open -= is_notification ? 0 : 1;
    const auto session = sessions_.find(link->email);
    if (session != sessions_.end() && session->second.lock() == link) sessions_.erase(session);
    changed.notify();
  }
  static std::string fill_in(std::string text, const Words& words) {
    for (auto at = text.find("{n}"); at != text.npos; at = text.find("{n}"))
      text.replace(at, 3, words.size() > 1 ? words[1] : "0");
    return text;
  }

  std::string answer_line(const std::shared_ptr<Link>& link, const Words& words) {
    const std::string& name = words[0];
    const std::string number = words.size() > 1 ? words[1] : "0";
    if (name == "PNG") return "QNG 60\r\n";
    if (name == "VER") return fmt::format("VER {} MSNP12\r\n", number);
    if (name == "CVR") return fmt::format("CVR {} 7.5.0324 7.5.0324 7.5.0324 u u\r\n", number);
    if (name == "USR" && words[3] == "I") {
      link->email = words[4];
      return fmt::format("USR {} TWN S ct=1,rver=1\r\n", number);
    }
    if (name == "USR") {
      if (words[4] != ticket_of(link->email)) return fmt::format("911 {}\r\n", number);
      sessions_[link->email] = link;
      return fmt::format("USR {} OK {} 1 0\r\n", number, link->email);
    }
    if (name == "SYN") return fmt::format("SYN {} 0 0 0 0\r\nGTC A\r\nBLP AL\r\n{}", number, behind_login);
    if (name == "UUX") return fmt::format("UUX {} 0\r\n", number);
    if (name == "XFR") return fmt::format("XFR {} SB {} CKI key\r\n", number, switchboard());
    if ((name == "ADC" || name == "REM") && without_lists.contains(words[2])) return fmt::format("201 {}\r\n", number);
    if (name == "ADC" && words[2] == "FL") {
      const std::string email = words[3].substr(2);
      return fmt::format("ADC {} FL N={} F={} C=guid-{}\r\n", number, email, email, email);
    }
    std::string echo;
    for (const std::string& word : words) echo += (echo.empty() ? "" : " ") + word;
    return echo + "\r\n";
  }
  std::string answer_board(Link& link, const Words& words, const std::string& payload) {
    const std::string& number = words[1];
    if (words[0] == "USR") {
      link.email = words[2];
      return fmt::format("USR {0} OK {1} {1}\r\n", number, link.email);
    }
    if (words[0] == "CAL") {
      link.called = words[2];
      return fmt::format("CAL {0} RINGING s\r\n", number) +
             (joins ? fmt::format("JOI {0} {0} 0\r\n", link.called) : "");
    }
    if (words[0] != "MSG") return {};
    const auto body = payload.find("\r\n\r\n");
    std::string text = payload.substr(body + 4);
    for (auto at = text.find("\r\n"); at != text.npos; at = text.find("\r\n")) text.erase(at, 1);
    if (payload.find("text/plain") != payload.npos) taken.push_back({link.email, link.called, std::move(text)});
    return words[2] == "A" ? fmt::format("ACK {}\r\n", number) : std::string();
  }

  tcp::acceptor notification_, switchboard_;
  std::map<std::string, std::weak_ptr<Link>> sessions_;  // by address
  int last_marker_ = 0;
};

}  // namespace wherry::tests
