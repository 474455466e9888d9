// An SMS centre on loopback that does what a test tells it: the other side of the carrier's state, not of its codec
// (that is tried against independent implementations in tests/integration/smpp).
#pragma once

#include "connectors/sms/smpp/wire/pdu.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace wherry::tests {

namespace asio = boost::asio;
namespace smpp = sms::smpp;

class FakeSmsc {
 public:
  explicit FakeSmsc(asio::any_io_executor executor)
      : changed(executor), acceptor_(executor, {asio::ip::address_v4::loopback(), 0}), tasks_(executor) {
    tasks_.spawn("smsc.accept", accept());
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  // ---- the script ----
  std::deque<smpp::Status> statuses;  // of the next submit_sm; then ok
  smpp::Status bind_status = smpp::Status::ok;
  std::string id_begins = "A";  // a hexadecimal digit: what notation the ids have shows in time only
  bool silent = false;          // submit_sm is not answered
  bool receipt_first = false;   // a receipt before each answer
  bool mute_at_end = false;     // unbind is not answered: the connection is closed

  // ---- what happened ----
  struct Submitted {
    smpp::ShortMessage message;
    std::string id;
    std::uint32_t sequence;
  };
  std::vector<Submitted> submitted;
  std::vector<std::string> binds;                               // "transceiver", …
  std::vector<std::pair<std::uint32_t, smpp::Status>> answers;  // to our deliver_sm: sequence, status
  int unbinds = 0;
  base::Signal changed;

  // Waits until `done`, which a change of the above can bring about. Throws after twenty seconds.
  asio::awaitable<void> until(std::function<bool()> done) {
    auto waiting = wait(std::move(done));
    co_await base::within(std::chrono::seconds(20), std::move(waiting));
  }

  // Writes a deliver_sm on the newest connection that receives; its sequence number.
  asio::awaitable<std::uint32_t> deliver(smpp::ShortMessage message) {
    const std::uint32_t sequence = ++sequence_;
    const std::string pdu =
        encode(smpp::Command::deliver_sm, smpp::Status::ok, sequence, encode_body(message, smpp::Command::deliver_sm));
    co_await asio::async_write(*receiver_, asio::buffer(pdu), asio::use_awaitable);
    co_return sequence;
  }
  asio::awaitable<std::uint32_t> deliver_text(std::string text) { return deliver(message(std::move(text), 0)); }
  asio::awaitable<std::uint32_t> deliver_receipt(std::string id, std::string stat) {
    return deliver(message("id:" + id + " sub:001 dlvrd:001 stat:" + stat + " err:000 text:", 4));
  }
  static smpp::ShortMessage message(std::string text, std::uint8_t esm_class) {
    smpp::ShortMessage m;
    m.source = {1, 1, "15550100"};
    m.destination = {1, 1, "15550001"};
    m.esm_class = esm_class;
    m.text = std::move(text);
    return m;
  }
  asio::awaitable<void> write_raw(std::string octets) {
    co_await asio::async_write(*receiver_, asio::buffer(octets), asio::use_awaitable);
  }

  void drop() {
    for (auto& socket : sockets_) {
      boost::system::error_code ignored;
      socket.close(ignored);
    }
  }
  asio::awaitable<void> stop() {
    tasks_.cancel();
    co_await tasks_.join();
  }

 private:
  asio::awaitable<void> wait(std::function<bool()> done) {
    while (!done()) co_await changed.wait();
  }
  asio::awaitable<void> accept() {
    for (;;) {
      sockets_.push_back(co_await acceptor_.async_accept(asio::use_awaitable));
      tasks_.spawn("smsc.serve", serve(&sockets_.back()));
    }
  }
  asio::awaitable<void> serve(asio::ip::tcp::socket* socket) {
    try {
      for (;;) {
        std::string header(16, '\0');
        co_await asio::async_read(*socket, asio::buffer(header), asio::use_awaitable);
        const smpp::Header h = smpp::decode_header(header);
        std::string body(h.length - 16, '\0');
        co_await asio::async_read(*socket, asio::buffer(body), asio::use_awaitable);
        const std::string answer = handle(h, body, socket);
        if (!answer.empty()) co_await asio::async_write(*socket, asio::buffer(answer), asio::use_awaitable);
        changed.notify();
      }
    } catch (const boost::system::system_error&) {
      changed.notify();  // the other side went, or drop() or stop() was called
    }
  }
  std::string handle(const smpp::Header& h, const std::string& body, asio::ip::tcp::socket* socket) {
    using smpp::Command;
    if (h.command == smpp::response_to(Command::deliver_sm)) {
      answers.emplace_back(h.sequence, h.status);
      return {};
    }
    if (smpp::is_response(h.command)) {
      answers.emplace_back(h.sequence, h.status);
      return {};
    }
    switch (h.command) {
      case Command::bind_transceiver:
      case Command::bind_receiver:
      case Command::bind_transmitter:
        binds.push_back(h.command == Command::bind_transceiver ? "transceiver"
                        : h.command == Command::bind_receiver  ? "receiver"
                                                               : "transmitter");
        if (h.command != Command::bind_transmitter) receiver_ = socket;
        return encode(smpp::response_to(h.command), bind_status, h.sequence, smpp::encode_c_string("FAKE"));
      case Command::unbind:
        ++unbinds;
        if (mute_at_end) {
          socket->close();
          return {};
        }
        return encode(smpp::response_to(h.command), smpp::Status::ok, h.sequence);
      case Command::submit_sm: {
        const auto status = statuses.empty() ? smpp::Status::ok : statuses.front();
        if (!statuses.empty()) statuses.pop_front();
        const std::string id = id_begins + std::to_string(1000 + submitted.size());
        submitted.push_back({smpp::decode_short_message(h.command, body).message, id, h.sequence});
        if (silent) return {};
        std::string out;
        if (receipt_first) {
          const auto receipt = message("id:" + id + " stat:DELIVRD err:000 text:", 4);
          out = encode(Command::deliver_sm, smpp::Status::ok, ++sequence_, encode_body(receipt, Command::deliver_sm));
        }
        return out + encode(smpp::response_to(h.command), status, h.sequence,
                            status == smpp::Status::ok ? smpp::encode_c_string(id) : std::string());
      }
      default: return encode(smpp::response_to(h.command), smpp::Status::ok, h.sequence);
    }
  }

  asio::ip::tcp::acceptor acceptor_;
  std::list<asio::ip::tcp::socket> sockets_;
  asio::ip::tcp::socket* receiver_ = nullptr;
  std::uint32_t sequence_ = 0;
  base::TaskGroup tasks_;
};

}  // namespace wherry::tests
