// HTTP client: libcurl's multi interface on the event loop. Connections are kept and shared.
#pragma once

#include "gateway/base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::net {

namespace asio = boost::asio;

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   // http or https; nothing else is followed, also not by redirect
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::string user, password;              // basic authentication, where not empty
  std::chrono::milliseconds limit{30000};  // for the whole exchange
  std::size_t most_bytes = 1 << 20;        // of the answer's body; more is an error
  std::string ca_file = {};                // who may sign the server's certificate; empty: the system's authorities
  bool may_repeat = true;                  // false: never, as a POST, where a kept connection turns out to be closed
};
struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of a repeated header the last
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(asio::any_io_executor executor);
  ~HttpClient();

  // Any HTTP status is a response. bad_input where the request itself cannot be one. Otherwise an error is
  // Errc::unavailable when the request provably did not reach the server (name not resolved, connection refused, TLS
  // not established) and Errc::uncertain when it may have.
  asio::awaitable<base::Result<HttpResponse>> send(HttpRequest request);

 private:
  struct Impl;
  asio::any_io_executor executor_;
  // from the first request on: most networks make none, and libcurl and OpenSSL take memory
  std::shared_ptr<Impl> impl_;
};

// application/x-www-form-urlencoded (WHATWG URL §5), for queries and bodies.
using FormFields = std::vector<std::pair<std::string, std::string>>;
std::string to_form(const FormFields& fields);
// bad_input when a percent sign is not followed by two hexadecimal digits, or there are more than `most` fields
base::Result<FormFields> parse_form(std::string_view text, std::size_t most = 200);

}  // namespace wherry::net
