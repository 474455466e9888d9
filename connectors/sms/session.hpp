// One account of the connector "sms": a number that a user sends and receives with. Links are the carriers'.
#pragma once

#include "gateway/connector/contract.hpp"

namespace wherry::sms {

namespace asio = boost::asio;

class SmsConnector;

class SmsSession final : public connector::Session {
 public:
  SmsSession(SmsConnector& connector, connector::AccountId account) : connector_(connector), account_(account) {}
  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override;
  asio::awaitable<connector::Result<connector::Answer>> query(connector::Query query) override;
  asio::awaitable<connector::Result<void>> fetch(std::string handle, connector::FileSink& sink) override;
  connector::Capabilities capabilities(const connector::ChatId& chat) const override;

 private:
  asio::awaitable<connector::Result<connector::Receipt>> send(connector::SendMessage message);
  asio::awaitable<connector::Result<connector::Receipt>> add(connector::AddContact action);

  SmsConnector& connector_;
  connector::AccountId account_;
};

}  // namespace wherry::sms
