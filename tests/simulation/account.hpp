// A simulated account at a provider with Twilio's Messages API: takes texts and lists them, and tells of texts and
// statuses by webhook. How its list is untrue, and which webhooks fail, is drawn.
#pragma once

#include "tests/simulation/http.hpp"
#include "tests/simulation/sms_network.hpp"

#include <boost/asio/io_context.hpp>

#include <optional>
#include <string>
#include <vector>

namespace wherry::simulation {

class Account final : public TextCarrier {
 public:
  Account(asio::io_context& loop, int index, SmsNetwork& network);

  std::string name() const override;
  nlohmann::json configuration() const override;
  void bring(const std::string& tag, int user, int contact) override;
  void report_nonsense(int user) override;
  void break_links() override {}
  void process_died() override {}
  Exchange request(net::HttpRequest request);
  bool has(const net::HttpRequest& request) const;

 private:
  struct Message {
    std::string sid;
    bool is_inbound = false;
    std::string from, to, body, status, callback;
    Microseconds created = 0, listed = 0;  // from when on it is in the list
  };
  std::optional<net::HttpResponse> answer(const net::HttpRequest& request);
  net::HttpResponse take(const net::HttpRequest& request);
  net::HttpResponse list(const std::string& query) const;
  net::HttpResponse respond(int status, const nlohmann::json& body) const;
  nlohmann::json describe(const Message& message, bool is_listed) const;
  void report(std::size_t message, std::shared_ptr<PhoneText> text, const Part& part);
  void tell(std::size_t message, std::string status, std::function<void(int)> answered);
  void bring_again(std::size_t message, const std::string& tag, int attempts);
  void post(const std::string& target, net::FormFields fields, const std::string& token,
            std::function<void(int)> answered) const;

  std::string date(Microseconds time) const;
  const CarrierTraits& traits() const;
  Microseconds delay(std::string_view purpose, std::uint64_t a = 0) const;
  bool fails(std::string_view purpose, std::uint64_t a = 0) const;
  void later(Microseconds due, std::function<void()> then) const;

  asio::io_context& loop_;
  int index_;
  SmsNetwork& network_;
  Recorder& recorder_;
  std::vector<Message> messages_;  // the oldest first
  std::uint64_t events_ = 0;
};

}  // namespace wherry::simulation
