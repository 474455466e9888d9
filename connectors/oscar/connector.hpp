// The connector "oscar": ICQ and AIM.
#pragma once

#include "connectors/oscar/server.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/connector/contract.hpp"

#include <deque>
#include <map>
#include <memory>

namespace wherry::oscar {

class OscarConnector final : public connector::Connector {
 public:
  static connector::Result<std::unique_ptr<connector::Connector>> make(const nlohmann::json& configuration,
                                                                       connector::Services services);

  connector::Network describe() const override;
  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user) override;
  void know_account(const connector::Account& account, connector::EventSink& events) override;
  void forget_account(connector::AccountId account) override;
  std::unique_ptr<connector::Session> open(connector::AccountId account) override;
  asio::awaitable<connector::Result<connector::ContactId>> parse_contact(std::string typed,
                                                                         connector::AccountId account) const override;
  asio::awaitable<std::vector<connector::Trial>> try_network() override;

 private:
  OscarConnector(Settings settings, connector::Services services);

  const connector::Services services_;
  Server server_;
  struct Known {
    connector::Account account;
    connector::EventSink* events = nullptr;
  };
  std::map<connector::AccountId, Known> accounts_;

  asio::awaitable<void> erase(std::string prefix);
  std::deque<std::string> forgotten_;  // whose rows in the storage are to be erased: how their keys begin
  base::Signal has_forgotten_;
};

}  // namespace wherry::oscar
