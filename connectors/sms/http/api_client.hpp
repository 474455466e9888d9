// Requests to the service. Where it wants a token, that is kept here, and asked for again when it counts no more.
#pragma once

#include "connectors/sms/http/api/provider.hpp"
#include "gateway/connector/contract.hpp"

#include <boost/asio/awaitable.hpp>

namespace wherry::sms::http {

class ApiClient {
 public:
  ApiClient(const Provider& provider, connector::Services services) : provider_(provider), services_(services) {}

  // As HttpClient::send. unavailable also where no token is to be had: then the request was not made.
  asio::awaitable<base::Result<net::HttpResponse>> send(net::HttpRequest request);

 private:
  asio::awaitable<base::Result<void>> sign_in();

  const Provider& provider_;
  connector::Services services_;
  std::string token_;  // empty: none yet, or it counts no more
};

}  // namespace wherry::sms::http
