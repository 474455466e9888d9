// How addresses become ids, and how many questions may be open. With a connector that answers when the test wants it.
#include "gateway/accounts/contact_resolver.hpp"

#include "gateway/base/signal.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <optional>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::accounts;

namespace {

class Network final : public connector::Connector {
 public:
  explicit Network(asio::any_io_executor executor) : answered_(executor) {}

  void answer(base::Result<base::ContactId> answer) {
    answer_ = std::move(answer);
    answered_.notify();
  }

  connector::Network describe() const override { return {}; }
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant, connector::Dialogue&) override {
    co_return connector::Answers();
  }
  void know_account(const connector::Account&, connector::EventSink&) override {}
  void forget_account(base::AccountId) override {}
  std::unique_ptr<connector::Session> open(base::AccountId) override { return nullptr; }
  asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string, base::AccountId) const override {
    while (!answer_) co_await answered_.wait();
    co_return *answer_;
  }

 private:
  mutable base::Signal answered_;
  std::optional<base::Result<base::ContactId>> answer_;
};

struct Fixture {
  Fixture() { resolver.use(network); }
  void resolve(std::string local, std::int64_t account = 1) {
    resolver.resolve(convert::read(xmpp::Jid::make(local, "net.test").value()).value(), account == 1 ? &first : &second,
                     [this](const Resolved& found) {
                       if (found) ++known;
                       else errors.push_back(found.error());
                     });
  }
  void turn() {
    loop.restart();
    loop.poll();
  }

  asio::io_context loop;
  Network network{loop.get_executor()};
  ContactResolver resolver{loop.get_executor()};
  LiveAccount first{account(1, "romeo@x.test", "net.test")}, second{account(2, "juliet@x.test", "net.test")};
  int known = 0;
  std::vector<xmpp::StanzaError> errors;
};

}  // namespace

TEST_CASE_FIXTURE(
    Fixture,
    "What waits for addresses that are looked up is bounded for each account, and the rest is refused at once") {
  for (int i = 0; i < 1000; ++i) resolve("c" + std::to_string(i % 500));
  turn();
  CHECK(errors.empty());
  resolve("one-more");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].type == "wait");
  CHECK(errors[0].condition == "resource-constraint");
  resolve("one-more", 2);
  CHECK(errors.size() == 1);
  network.answer(base::ContactId{"c"});
  turn();
  CHECK(known == 1001);
  resolve("one-more");
  turn();
  CHECK(known == 1002);
}

TEST_CASE_FIXTURE(Fixture,
                  "A look-up that was not answered in time is nothing of uncertain fate: it may be tried again") {
  resolve("c");
  network.answer(base::Error{base::Errc::uncertain, ""});
  turn();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].type == "wait");
  CHECK(errors[0].text == "The network did not look up the address in time; please try again.");
}

TEST_CASE_FIXTURE(Fixture,
                  "Who is not registered may ask one question at a time, twenty of them together, and a user ten") {
  const auto user = xmpp::Jid::parse("romeo@x.test/orchard").value();
  std::vector<Quota::Place> places;
  for (int i = 0; i < 10; ++i) places.push_back(*resolver.place_for(user, {1}));
  CHECK_FALSE(resolver.place_for(user, {1}));
  for (int i = 0; i < 20; ++i)
    places.push_back(*resolver.place_for(xmpp::Jid::make("u" + std::to_string(i), "evil.test").value(), {}));
  CHECK_FALSE(resolver.place_for(xmpp::Jid::parse("mercutio@y.test").value(), {}));
}

TEST_CASE_FIXTURE(
    Fixture, "Once the gateway stops nobody waits for the network: who waited and who comes is told to try again") {
  resolve("waiting");
  turn();
  resolver.cancel();
  resolve("late");
  turn();
  REQUIRE(errors.size() == 2);
  for (const xmpp::StanzaError& error : errors) CHECK(error.type == "wait");
}

TEST_CASE_FIXTURE(
    Fixture,
    "Who is in the user's list is known by their own address while the connector does not answer, and nobody else is") {
  for (const char* id : {"c", "Nurse", "o'neill"}) first.contacts[base::ContactId{id}] = {};
  resolve("c");
  resolve("\\4eurse");
  resolve("o\\27neill");
  CHECK(known == 3);
  resolve("c", 2);
  resolve("nurse");
  CHECK(known == 3);
}
