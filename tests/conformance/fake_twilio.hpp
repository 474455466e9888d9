// Twilio's Messages resource (2010-04-01) on loopback, as far as the suite needs one: it takes texts, lists them, and
// signs the webhooks that it sends. What the carrier makes of its faults is tried in tests/integration/twilio.
#pragma once

#include "gateway/base/text.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace wherry::tests {

namespace asio = boost::asio;

class FakeTwilio {
 public:
  static constexpr const char* account = "AC00000000000000000000000000000001";
  static constexpr const char* token = "secret-token";

  FakeTwilio(const asio::any_io_executor& executor, net::HttpClient& client) : client_(client), server_(executor) {
    server_.listen({asio::ip::address_v4::loopback(), 0});
    server_.open();
    server_.route(messages_path() + ".json", [this](net::ServerRequest request) { return answer(std::move(request)); });
    server_.route(messages_path() + "/", [this](net::ServerRequest request) { return answer(std::move(request)); });
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_.endpoint().port()); }
  asio::awaitable<void> stop() { return server_.stop(); }

  struct Message {
    std::string sid, direction, from, to, body, status, callback;
  };
  std::vector<Message> messages;  // the oldest first

  // A text for `to` of that sid, which is listed from now on; true where its webhook is answered with a 2xx.
  asio::awaitable<bool> bring(std::string webhook, Message message) {
    const bool is_new =
        std::none_of(messages.begin(), messages.end(), [&](const Message& m) { return m.sid == message.sid; });
    if (is_new) messages.push_back(message);
    net::FormFields fields = {{"MessageSid", message.sid}, {"AccountSid", account}, {"From", message.from},
                              {"To", message.to},          {"Body", message.body},  {"NumMedia", "0"},
                              {"SmsStatus", "received"}};
    return post(std::move(webhook), std::move(fields));
  }
  asio::awaitable<bool> report(Message message, std::string status) {
    net::FormFields fields = {{"MessageSid", message.sid},
                              {"AccountSid", account},
                              {"From", message.from},
                              {"To", message.to},
                              {"MessageStatus", std::move(status)}};
    return post(std::move(message.callback), std::move(fields));
  }

 private:
  static std::string messages_path() { return fmt::format("/2010-04-01/Accounts/{}/Messages", account); }

  // Twilio, "Webhooks Security": HMAC-SHA1 over the URL and the sorted fields.
  static std::string sign(const std::string& url, const net::FormFields& fields) {
    std::string text = url;
    for (const auto& [name, value] : std::map<std::string, std::string>(fields.begin(), fields.end()))
      text += name + value;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned length = 0;
    HMAC(EVP_sha1(), token, static_cast<int>(std::string_view(token).size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data(), &length);
    return base::to_base64(std::string_view(reinterpret_cast<const char*>(hash.data()), length));
  }
  asio::awaitable<bool> post(std::string url, net::FormFields fields) {
    net::HttpRequest request;
    request.method = "POST";
    request.headers = {"Content-Type: application/x-www-form-urlencoded", "X-Twilio-Signature: " + sign(url, fields)};
    request.url = std::move(url);
    request.body = net::to_form(fields);
    const auto answered = co_await client_.send(std::move(request));
    co_return answered && answered->status / 100 == 2;
  }

  static net::ServerResponse response(int status, const nlohmann::json& body) {
    return {status, "application/json", body.dump()};
  }
  static nlohmann::json describe(const Message& m) {
    return {{"sid", m.sid},   {"direction", m.direction}, {"from", m.from},  {"to", m.to},
            {"body", m.body}, {"status", m.status},       {"num_media", "0"}};
  }
  asio::awaitable<net::ServerResponse> answer(net::ServerRequest request) {
    const std::string expected = "Basic " + base::to_base64(fmt::format("{}:{}", account, token));
    if (request.header("authorization") != expected) co_return response(401, {{"code", 20003}});
    const auto mark = request.target.find('?');
    const std::string path = request.target.substr(0, mark),
                      query = mark == std::string::npos ? std::string() : request.target.substr(mark + 1);
    if (request.method == "POST") co_return take(request.body);
    if (path == messages_path() + ".json") co_return list(query);
    for (const Message& m : messages) {
      if (path == fmt::format("{}/{}.json", messages_path(), m.sid)) co_return response(200, describe(m));
    }
    co_return response(404, {{"code", 20404}});
  }
  net::ServerResponse take(const std::string& body) {
    const auto fields = net::parse_form(body).value();
    std::map<std::string, std::string> form(fields.begin(), fields.end());
    messages.push_back({fmt::format("SM{:032x}", messages.size()), "outbound-api", form["From"], form["To"],
                        form["Body"], "queued", form["StatusCallback"]});
    return response(201, describe(messages.back()));
  }
  net::ServerResponse list(const std::string& query) const {
    const auto fields = net::parse_form(query).value();
    std::map<std::string, std::string> filter(fields.begin(), fields.end());
    nlohmann::json listed = nlohmann::json::array();
    for (auto m = messages.rbegin(); m != messages.rend(); ++m) {  // the newest first
      const bool fits =
          (filter["To"].empty() || filter["To"] == m->to) && (filter["From"].empty() || filter["From"] == m->from);
      if (fits) listed.push_back(describe(*m));
    }
    return response(200, {{"messages", listed}, {"next_page_uri", nullptr}});
  }

  net::HttpClient& client_;
  net::HttpServer server_;
};

}  // namespace wherry::tests
