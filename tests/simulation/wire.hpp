// The connection between a carrier and its SMS centre, in memory. `smpp::connect` is defined here, in place of
// connectors/sms/smpp/wire/stream.cpp, which the simulation does not link: so no source of the connector knows.
#pragma once

#include "gateway/base/signal.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace wherry::simulation {

namespace asio = boost::asio;

// Both ends see what the other does at once: delays are the centre's.
struct Wire {
  explicit Wire(asio::any_io_executor executor) : ears(std::make_unique<base::Signal>(std::move(executor))) {}

  std::string arrived;  // for the carrier, who has not read it
  bool is_cut = false;
  std::unique_ptr<base::Signal> ears;             // the carrier's; none: it has closed its end
  std::function<void(std::string_view)> wrote{};  // the carrier, these octets
  std::function<void()> closed{};                 // … its end: once

  void say(std::string_view octets) {
    if (is_cut || !ears) return;
    arrived += octets;
    ears->notify();
  }
  void cut() {
    is_cut = true;
    if (ears) ears->notify();
  }
  // The carrier's process was killed: its loop is not to be touched again.
  void orphan() {
    static_cast<void>(ears.release());
    if (auto tell = std::exchange(closed, {})) tell();
  }
};

// Where carriers find their centres: a wire, or none where nobody listens.
using Listen = std::function<std::shared_ptr<Wire>(const std::string& host, asio::any_io_executor executor)>;
void listen_for_carriers(Listen listen);

}  // namespace wherry::simulation
