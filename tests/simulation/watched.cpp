#include "tests/simulation/watched.hpp"

#include <list>
#include <map>

namespace wherry::simulation {

namespace asio = boost::asio;

namespace {

class WatchedSink final : public connector::EventSink {
 public:
  WatchedSink(connector::EventSink& inner, Watcher& watcher, std::string user)
      : inner_(inner), watcher_(watcher), user_(std::move(user)) {}
  asio::awaitable<void> publish(connector::Event event, connector::Changes changes) override {
    const connector::Event said = event;
    std::exception_ptr failure;
    try {
      auto publishing = inner_.publish(std::move(event), std::move(changes));
      co_await std::move(publishing);
    } catch (...) {
      failure = std::current_exception();
    }
    watcher_.published(user_, said, failure == nullptr);
    if (failure) std::rethrow_exception(failure);
  }

 private:
  connector::EventSink& inner_;
  Watcher& watcher_;
  std::string user_;
};

class WatchedSession final : public connector::Session {
 public:
  WatchedSession(std::unique_ptr<connector::Session> inner, Watcher& watcher, std::string user)
      : inner_(std::move(inner)), watcher_(watcher), user_(std::move(user)) {}
  asio::awaitable<void> run() override { return inner_->run(); }
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override {
    const connector::Action asked = action;
    watcher_.performing(user_, asked);
    auto performing = inner_->perform(std::move(action));
    auto receipt = co_await std::move(performing);
    if (receipt) watcher_.performed(user_, asked);
    co_return receipt;
  }
  connector::Capabilities capabilities(const connector::ChatId& chat) const override {
    return inner_->capabilities(chat);
  }
  asio::awaitable<connector::Result<connector::Answer>> query(connector::Query query) override {
    return inner_->query(std::move(query));
  }
  asio::awaitable<connector::Result<void>> fetch(std::string handle, connector::FileSink& sink) override {
    return inner_->fetch(std::move(handle), sink);
  }
  asio::awaitable<connector::Result<void>> probe() override { return inner_->probe(); }

 private:
  std::unique_ptr<connector::Session> inner_;
  Watcher& watcher_;
  std::string user_;
};

class WatchedConnector final : public connector::Connector {
 public:
  WatchedConnector(std::unique_ptr<connector::Connector> inner, Watcher& watcher)
      : inner_(std::move(inner)), watcher_(watcher) {}
  connector::Network describe() const override { return inner_->describe(); }
  asio::awaitable<void> run() override { return inner_->run(); }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user) override {
    return inner_->log_in(std::move(applicant), user);
  }
  void know_account(const connector::Account& account, connector::EventSink& events) override {
    users_[account.id] = watcher_.person_of(account);
    sinks_.emplace_back(events, watcher_, users_[account.id]);
    inner_->know_account(account, sinks_.back());
  }
  void forget_account(connector::AccountId account) override { inner_->forget_account(account); }
  std::unique_ptr<connector::Session> open(connector::AccountId account) override {
    return std::make_unique<WatchedSession>(inner_->open(account), watcher_, users_[account]);
  }
  asio::awaitable<connector::Result<connector::ContactId>> parse_contact(std::string typed,
                                                                         connector::AccountId account) const override {
    return inner_->parse_contact(std::move(typed), account);
  }

 private:
  std::list<WatchedSink> sinks_;  // one for each telling: the inner connector may keep an older one for a while
  std::unique_ptr<connector::Connector> inner_;
  Watcher& watcher_;
  std::map<connector::AccountId, std::string> users_;
};

}  // namespace

std::unique_ptr<connector::Connector> watch(std::unique_ptr<connector::Connector> inner, Watcher& watcher) {
  return std::make_unique<WatchedConnector>(std::move(inner), watcher);
}

}  // namespace wherry::simulation
