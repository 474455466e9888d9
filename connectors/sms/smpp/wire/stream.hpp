// The connection below an SMPP session: TCP, or TLS from the first octet (SMPP has no STARTTLS).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace wherry::sms::smpp {

namespace asio = boost::asio;

struct TlsSetting {
  std::string ca_file;                     // empty: the system's authorities
  std::string certificate_file, key_file;  // ours, where the peer asks for one
  std::string server_name;                 // in SNI and expected in the certificate; empty: the host
  bool verify = true;
};
struct Endpoint {
  std::string host;
  std::uint16_t port = 2775;
  std::string local_address;  // empty: any
  std::optional<TlsSetting> tls;
  std::chrono::seconds connect_limit{10};
  unsigned attempt = 0;  // which one this is: each begins with another of the host's addresses
};

// One reader and one writer at a time. Failures are boost::system::system_error.
struct Stream {
  virtual ~Stream() = default;
  virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) = 0;  // 0: the peer closed
  virtual asio::awaitable<void> write(std::string_view octets) = 0;
  virtual void close() = 0;
};

// Throws system_error or base::TimedOut.
asio::awaitable<std::unique_ptr<Stream>> connect(Endpoint endpoint);

}  // namespace wherry::sms::smpp
