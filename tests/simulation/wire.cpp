#include "tests/simulation/wire.hpp"

#include "connectors/sms/smpp/wire/stream.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstring>

namespace wherry::simulation {

namespace {

Listen& listener() {
  static Listen listen;
  return listen;
}

class WireStream final : public sms::smpp::Stream {
 public:
  explicit WireStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~WireStream() override {
    close();
    wire_->ears.reset();
  }

  asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
    const auto wire = wire_;
    while (wire->arrived.empty() && !wire->is_cut && !is_closed_) co_await wire->ears->wait();
    const std::size_t count = std::min(buffer.size(), wire->arrived.size());
    std::memcpy(buffer.data(), wire->arrived.data(), count);
    wire->arrived.erase(0, count);
    co_return count;
  }
  asio::awaitable<void> write(std::string_view octets) override {
    if (wire_->is_cut || is_closed_) throw boost::system::system_error(asio::error::broken_pipe);
    wire_->wrote(octets);
    co_return;
  }
  void close() override {
    if (std::exchange(is_closed_, true)) return;
    if (wire_->ears) wire_->ears->notify();
    if (auto tell = std::exchange(wire_->closed, {})) tell();
  }

 private:
  std::shared_ptr<Wire> wire_;
  bool is_closed_ = false;
};

}  // namespace

void listen_for_carriers(Listen listen) { listener() = std::move(listen); }

}  // namespace wherry::simulation

namespace wherry::sms::smpp {

asio::awaitable<std::unique_ptr<Stream>> connect(Endpoint endpoint) {
  const auto executor = co_await asio::this_coro::executor;
  co_await base::sleep(std::chrono::milliseconds(1));
  auto wire = simulation::listener()(endpoint.host, executor);
  if (!wire) throw boost::system::system_error(asio::error::connection_refused);
  co_return std::make_unique<simulation::WireStream>(std::move(wire));
}

}  // namespace wherry::sms::smpp
