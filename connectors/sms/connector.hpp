// The connector "sms": numbers, users and sessions above the carriers.
#pragma once

#include "connectors/sms/carriers/make.hpp"
#include "connectors/sms/routes.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/signal.hpp"

#include <cstdint>
#include <map>
#include <memory>

namespace wherry::sms {

class SmsConnector final : public connector::Connector, private CarrierEvents {
 public:
  static connector::Result<std::unique_ptr<connector::Connector>> make(const nlohmann::json& configuration,
                                                                       connector::Services services);

  connector::Network describe() const override;
  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user) override;
  connector::Idempotency idempotency(const connector::Account& account) const override;
  void know_account(const connector::Account& account, connector::EventSink& events) override;
  void forget_account(connector::AccountId account) override;
  std::unique_ptr<connector::Session> open(connector::AccountId account) override;
  asio::awaitable<connector::Result<connector::ContactId>> parse_contact(std::string typed,
                                                                         connector::AccountId account) const override;
  asio::awaitable<std::vector<connector::Trial>> try_network() override;
  std::vector<std::string> reload(const nlohmann::json& configuration) override;

  // Accounts looked up so far. For tests.
  std::uint64_t steps() const { return steps_; }

 private:
  friend class SmsSession;
  SmsConnector(Configuration configuration, connector::Services services);

  asio::awaitable<bool> received(IncomingText text) override;
  asio::awaitable<void> progressed(TextProgress progress) override;
  void link_changed() override;

  asio::awaitable<void> run_carrier(Carrier* carrier);
  struct Known {
    connector::Account account;
    connector::EventSink* events = nullptr;
    std::string number;
    std::string region;         // that national numbers are read in
    bool is_withdrawn = false;  // the configuration gives the number to others
    // The account's number or its carrier is another, or a carrier went up or down. Each account has its own, so that a
    // registration wakes nobody else.
    std::shared_ptr<base::Signal> changed;
  };
  void warn_of_idle_numbers() const;
  void claim_number(connector::AccountId id, Known& known);
  const Known* find(connector::AccountId account) const;
  // Null where the number is not ours any more, or not this account's.
  Carrier* carrier_of(const Known& known) const;

  Configuration configuration_;
  connector::Services services_;
  Routes routes_;
  ContactNumbers numbers_;
  std::map<std::string, std::unique_ptr<Carrier>, std::less<>> carriers_;
  std::map<connector::AccountId, Known> accounts_;
  mutable std::uint64_t steps_ = 0;
};

}  // namespace wherry::sms
