#include "connectors/oscar/client/link.hpp"

#include "gateway/base/within.hpp"
#include "gateway/net/dial.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace wherry::oscar {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds last_words{2};  // to a peer that does not read
constexpr std::size_t most_at_once = 4096;     // octets of one read: thousands of accounts have such a buffer

}  // namespace

Link::Link(asio::ip::tcp::socket socket)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor(), asio::steady_timer::time_point::max()),
      woken_(socket_.get_executor()) {}

asio::awaitable<std::unique_ptr<Link>> Link::connect(std::string host, std::uint16_t port, std::chrono::seconds limit) {
  auto dialling = net::dial(std::move(host), port);
  auto socket = co_await base::within(limit, std::move(dialling));
  socket.set_option(asio::ip::tcp::no_delay(true));
  co_return std::unique_ptr<Link>(new Link(std::move(socket)));
}

void Link::wake() {
  woken_.notify();
  timer_.cancel();  // it may be due earlier now
}

// write() ends by an exception once everything is out, which ends the other two.
asio::awaitable<void> Link::run(Machine& machine, std::function<void()> after, std::function<bool()> is_full) {
  bool is_cancelled = false;
  try {
    auto reading = read(machine, after, is_full), writing = write(machine), timing = keep_time(machine, after);
    auto moving = base::together(std::move(writing), std::move(timing));
    co_await base::together(std::move(reading), std::move(moving));
  } catch (const boost::system::system_error& e) {
    is_cancelled = e.code() == asio::error::operation_aborted && !machine.ended();
  }
  if (is_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  machine.closed();
  after();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Link::read(Machine& machine, const std::function<void()>& after,
                                 const std::function<bool()>& is_full) {
  std::array<char, most_at_once> buffer;
  const asio::mutable_buffer space(buffer.data(), buffer.size());
  while (!machine.ended()) {
    if (is_full()) {
      co_await woken_.wait();
      continue;
    }
    boost::system::error_code error;
    const std::size_t count = co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) machine.closed();
    else machine.feed(std::string_view(buffer.data(), count), steady_clock::now());
    after();
    wake();
  }
}

asio::awaitable<void> Link::write(Machine& machine) {
  while (!machine.ended() || machine.has_output()) {
    if (!machine.has_output()) {
      co_await woken_.wait();
      continue;
    }
    const std::string output = machine.take_output();
    const asio::const_buffer octets(output.data(), output.size());
    co_await asio::async_write(socket_, octets, asio::use_awaitable);
  }
  throw boost::system::system_error(asio::error::eof);
}

asio::awaitable<void> Link::keep_time(Machine& machine, const std::function<void()>& after) {
  while (!machine.ended()) {
    timer_.expires_at(machine.next_tick());
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (woken) co_await asio::post(timer_.get_executor(), asio::use_awaitable);  // throws where we are cancelled
    machine.tick(steady_clock::now());
    after();
    woken_.notify();
  }
  co_await base::sleep(last_words);
  throw boost::system::system_error(asio::error::eof);
}

}  // namespace wherry::oscar
