#include "connectors/sms/smpp/wire/stream.hpp"

#include "gateway/base/within.hpp"
#include "gateway/net/dial.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace wherry::sms::smpp {

namespace {

using asio::ip::tcp;

template <class Socket>
class SocketStream final : public Stream {
 public:
  // `context` is what a TLS socket was made from.
  explicit SocketStream(Socket socket, std::shared_ptr<asio::ssl::context> context = {})
      : context_(std::move(context)), socket_(std::move(socket)) {}

  asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
    boost::system::error_code error;
    const std::size_t count =
        co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) co_return 0;
    if (error) throw boost::system::system_error(error);
    co_return count;
  }
  asio::awaitable<void> write(std::string_view octets) override {
    const asio::const_buffer buffer(octets.data(), octets.size());
    co_await asio::async_write(socket_, buffer, asio::use_awaitable);
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.lowest_layer().close(ignored);
  }

 private:
  std::shared_ptr<asio::ssl::context> context_;
  Socket socket_;
};

using TlsSocket = asio::ssl::stream<tcp::socket>;

std::shared_ptr<asio::ssl::context> make_context(const TlsSetting& setting) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  if (setting.ca_file.empty()) context->set_default_verify_paths();
  else context->load_verify_file(setting.ca_file);
  if (!setting.certificate_file.empty()) {
    context->use_certificate_chain_file(setting.certificate_file);
    context->use_private_key_file(setting.key_file.empty() ? setting.certificate_file : setting.key_file,
                                  asio::ssl::context::pem);
  }
  return context;
}

asio::awaitable<std::unique_ptr<Stream>> connect_any(Endpoint endpoint) {
  tcp::socket socket = co_await net::dial_from(endpoint.local_address, endpoint.host, endpoint.port, endpoint.attempt);
  socket.set_option(tcp::no_delay(true));
  if (!endpoint.tls) co_return std::make_unique<SocketStream<tcp::socket>>(std::move(socket));

  auto context = make_context(*endpoint.tls);
  TlsSocket tls(std::move(socket), *context);
  const std::string name = endpoint.tls->server_name.empty() ? endpoint.host : endpoint.tls->server_name;
  boost::system::error_code is_address;
  asio::ip::make_address(name, is_address);
  if (is_address) SSL_set_tlsext_host_name(tls.native_handle(), name.c_str());  // RFC 6066 §3: names only
  if (endpoint.tls->verify) {
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.set_verify_callback(asio::ssl::host_name_verification(name));
  }
  co_await tls.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return std::make_unique<SocketStream<TlsSocket>>(std::move(tls), std::move(context));
}

}  // namespace

asio::awaitable<std::unique_ptr<Stream>> connect(Endpoint endpoint) {
  const auto limit = endpoint.connect_limit;
  auto connecting = connect_any(std::move(endpoint));
  co_return co_await base::within(limit, std::move(connecting));
}

}  // namespace wherry::sms::smpp
