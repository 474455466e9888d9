// The connector "msn": accounts of one MSN-like network.
#pragma once

#include "connectors/msn/login/login.hpp"
#include "connectors/msn/session.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>

namespace wherry::msn {

class MsnConnector final : public connector::Connector {
 public:
  static connector::Result<std::unique_ptr<connector::Connector>> make(const nlohmann::json& configuration,
                                                                       connector::Services services);
  MsnConnector(Settings settings, connector::Services services);

  connector::Network describe() const override;
  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user) override;
  asio::awaitable<connector::Result<connector::Form>> login_form(connector::Applicant applicant) override;
  void know_account(const connector::Account& account, connector::EventSink& events) override;
  void forget_account(connector::AccountId account) override;
  std::unique_ptr<connector::Session> open(connector::AccountId account) override;
  asio::awaitable<connector::Result<connector::ContactId>> parse_contact(std::string typed,
                                                                         connector::AccountId account) const override;
  asio::awaitable<std::vector<connector::Trial>> try_network() override;

 private:
  asio::awaitable<connector::Result<void>> prove(Credentials credentials);

  connector::Services services_;
  Upstream upstream_;
  struct Known {
    Credentials credentials;
    connector::EventSink* events = nullptr;
    std::shared_ptr<Persona> persona;
  };
  std::map<connector::AccountId, Known> accounts_;
  connector::Changes forgotten_;  // to be erased
  base::Signal has_forgotten_;
};

}  // namespace wherry::msn
