#include "connectors/sms/connector.hpp"
#include "connectors/sms/text/face.hpp"

#include "connectors/sms/text/segments.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/fake_smsc.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::sms;
using connector::Errc;
using tests::FakeSmsc;

namespace {

struct FileInMemory final : connector::FileSink {
  boost::asio::awaitable<base::Result<void>> write(std::string piece) override {
    all += piece;
    co_return base::ok();
  }
  std::string all;
};

struct Sink final : connector::EventSink {
  explicit Sink(base::Signal& s) : signal(s) {}
  asio::awaitable<void> publish(connector::Event event, connector::Changes changes) override {
    for (auto& change : changes) written.push_back(std::move(change));
    events.push_back(std::move(event));
    signal.notify();
    co_return;
  }
  template <class E>
  std::vector<E> all() const {
    std::vector<E> found;
    for (const auto& e : events) {
      if (const auto* it = std::get_if<E>(&e)) found.push_back(*it);
    }
    return found;
  }
  base::Signal& signal;
  std::vector<connector::Event> events;
  connector::Changes written;
};

// Answers with what it is told, or with what is preset.
struct Typist final : connector::Dialogue {
  std::string answer;
  connector::Form form;
  asio::awaitable<connector::Result<connector::Answers>> ask(connector::Form f) override {
    form = std::move(f);
    connector::Answers answers;
    answers["phone"] = answer.empty() ? form.fields.at(0).value : answer;
    co_return answers;
  }
};

struct Gateway {
  explicit Gateway(asio::io_context& loop)
      : executor(loop.get_executor()),
        storage(executor),
        http(executor),
        webhooks(executor),
        smsc(executor),
        tasks(executor),
        romeo(smsc.changed),
        juliet(smsc.changed) {
    configuration = nlohmann::json::parse(R"({"region":"US",
      "numbers":[{"number":"+15550001","carrier":"main","users":["romeo@x.test","juliet@x.test"]},{"number":"+15550002","carrier":"main","pool":true}],
      "carriers":[{"name":"main","type":"smpp","host":"127.0.0.1","system_id":"w","password":"p"}]})");
    configuration["carriers"][0]["port"] = smsc.port();
    connector::Services services{executor, http, webhooks, storage, clock};
    auto made = SmsConnector::make(configuration, services);
    if (!made) throw std::runtime_error(made.error().text);
    sms = std::move(*made);
  }
  void know(std::int64_t id, const std::string& user, const std::string& number, Sink& sink) {
    connector::Account account;
    account.id = {id};
    account.user = user;
    account.credentials["phone"] = number;
    sms->know_account(account, sink);
  }
  asio::awaitable<connector::Result<connector::Answers>> log_in(std::string user, Typist& typist) {
    connector::Applicant applicant;
    applicant.user = std::move(user);
    co_return co_await sms->log_in(std::move(applicant), typist);
  }
  asio::awaitable<connector::Result<connector::Receipt>> send(connector::Session& session, std::string to,
                                                              std::string text, std::string file = {}) {
    connector::SendMessage message;
    message.chat = connector::ContactId{std::move(to)};
    message.key = "k" + std::to_string(++keys);
    message.content.text = std::move(text);
    if (!file.empty()) message.content.files.push_back({std::move(file), "image/png", 5});
    connector::Action action = std::move(message);
    co_return co_await session.perform(std::move(action));
  }
  asio::awaitable<void> end() {
    tasks.cancel();
    co_await tasks.join();
    co_await smsc.stop();
  }

  asio::any_io_executor executor;
  base::SystemClock clock;
  tests::MemoryStorage storage;
  net::HttpClient http;
  net::HttpServer webhooks;
  FakeSmsc smsc;
  base::TaskGroup tasks;
  Sink romeo, juliet;
  nlohmann::json configuration;
  std::unique_ptr<connector::Connector> sms;
  int keys = 0;
};

#define UNTIL(condition)                    \
  do {                                      \
    auto done = [&] { return condition; };  \
    co_await g.smsc.until(std::move(done)); \
  } while (false)

#define SMS_TEST(name, function)              \
  asio::awaitable<void> function(Gateway& g); \
  TEST_CASE(name) {                           \
    asio::io_context loop;                    \
    Gateway gateway(loop);                    \
    tests::run(loop, function(gateway));      \
  }                                           \
  asio::awaitable<void> function(Gateway& g)

bool online(const Sink& sink) {
  const auto states = sink.all<connector::AccountChanged>();
  return !states.empty() && states.back().online;
}

SMS_TEST("Registration offers the user's numbers and the free ones, and gives each of the pool once", registration) {
  Typist typist;
  typist.answer = "+15550002";
  const auto romeo = co_await g.log_in("romeo@x.test", typist);
  REQUIRE(romeo.has_value());
  CHECK(romeo->at("phone") == "+15550002");
  CHECK(typist.form.fields.at(0).choices == std::vector<std::string>{"+15550001", "+15550002"});
  CHECK(typist.form.fields.at(0).value.empty());
  g.know(1, "romeo@x.test", "+15550002", g.romeo);

  typist.answer.clear();  // one choice is preset
  const auto juliet = co_await g.log_in("juliet@x.test", typist);
  CHECK(juliet->at("phone") == "+15550001");
  const auto stranger = co_await g.log_in("tybalt@y.test", typist);
  CHECK(stranger.error().code == Errc::rejected);
  CHECK(stranger.error().text == "There is no number left for you here. Ask the operator of this service for one.");
  g.sms->forget_account({1});
  const auto again = co_await g.log_in("tybalt@y.test", typist);
  CHECK(again->at("phone") == "+15550002");
  co_await g.end();
}

SMS_TEST(
    "Numbers are taken over while it runs; who has lost one is told to register, and what waits for a restart is said",
    reloading) {
  g.know(1, "romeo@x.test", "+15550001", g.romeo);
  g.tasks.spawn("sms", g.sms->run());
  const auto session = g.sms->open({1});
  g.tasks.spawn("romeo", session->run());
  UNTIL(online(g.romeo));
  nlohmann::json now = g.configuration;
  now["numbers"][0]["users"] = {"juliet@x.test"};
  now["numbers"].push_back({{"number", "+15550003"}, {"carrier", "main"}, {"users", {"tybalt@y.test"}}});
  CHECK(g.sms->reload(now).empty());
  Typist typist;
  CHECK((co_await g.log_in("romeo@x.test", typist))->at("phone") == "+15550002");
  CHECK(typist.form.fields.at(0).choices == std::vector<std::string>{"+15550002"});
  UNTIL(g.romeo.all<connector::AccountChanged>().back().needs_login);

  now["region"] = "DE";
  now["carriers"].push_back({{"name", "new"}, {"type", "smpp"}, {"host", "h"}, {"system_id", "w"}, {"password", "p"}});
  now["numbers"][0]["carrier"] = "new";
  CHECK(g.sms->reload(now) == std::vector<std::string>{"region", "carriers", "numbers[0].carrier"});
  co_await g.end();
}

SMS_TEST("Each carrier is tried once, and what is wrong is said", trying) {
  auto trials = co_await g.sms->try_network();
  REQUIRE(trials.size() == 1);
  CHECK(trials[0].what == "carriers[0] (smpp main)");
  CHECK(trials[0].outcome.has_value());
  g.smsc.bind_status = wherry::sms::smpp::Status::invalid_password;
  trials = co_await g.sms->try_network();
  REQUIRE_FALSE(trials[0].outcome.has_value());
  CHECK(trials[0].outcome.error().code == Errc::bad_input);
  CHECK(trials[0].outcome.error().text.starts_with("the peer refuses the bind"));
  co_await g.end();
}

SMS_TEST("A session follows its carrier's link, and a shared number's texts reach everybody who has it", sharing) {
  g.know(1, "romeo@x.test", "+15550001", g.romeo);
  g.know(2, "juliet@x.test", "+15550001", g.juliet);
  const auto one = g.sms->open({1}), two = g.sms->open({2});
  g.tasks.spawn("one", one->run());
  g.tasks.spawn("two", two->run());
  UNTIL(!g.romeo.events.empty());
  CHECK_FALSE(online(g.romeo));
  g.tasks.spawn("connector", g.sms->run());
  UNTIL(online(g.romeo) && online(g.juliet));
  co_await g.smsc.deliver_text("hello");
  UNTIL(!g.smsc.answers.empty());
  for (const Sink* sink : {&g.romeo, &g.juliet}) {
    const auto messages = sink->all<connector::MessageReceived>();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].content.text == "hello");
    CHECK(messages[0].sender.value == "+15550100");
    CHECK(messages[0].chat == connector::ChatId(messages[0].sender));
    CHECK_FALSE(messages[0].id.value.empty());
  }
  g.smsc.drop();
  UNTIL(!online(g.romeo));
  CHECK(g.romeo.all<connector::AccountChanged>().back().text.find("cannot be reached") != std::string::npos);
  UNTIL(online(g.romeo));
  co_await g.end();
}

SMS_TEST("By what a shared text is known again is written with the first message of it, its segments go with the last",
         shared_changes) {
  g.know(1, "romeo@x.test", "+15550001", g.romeo);
  g.know(2, "juliet@x.test", "+15550001", g.juliet);
  const auto session = g.sms->open({1});
  g.tasks.spawn("session", session->run());
  g.tasks.spawn("connector", g.sms->run());
  UNTIL(online(g.romeo));
  co_await g.smsc.deliver_text("hello");
  UNTIL(g.smsc.answers.size() == 1);
  REQUIRE(g.romeo.written.size() == 1);
  CHECK(g.romeo.written[0].key.starts_with("main/d/"));
  CHECK(g.juliet.written.empty());
  for (const unsigned part : {1U, 2U}) {
    const std::string header = make_header({Position::Kind::udh, 9, 2, part});
    co_await g.smsc.deliver(FakeSmsc::message(header + "x", 0x40));
  }
  UNTIL(g.smsc.answers.size() == 3);
  CHECK(g.romeo.written.size() == 1);
  REQUIRE(g.juliet.written.size() == 3);  // two segments, and a marker in their place
  for (const auto& change : g.juliet.written) CHECK(change.key.starts_with("main/p/"));
  co_await g.end();
}

SMS_TEST("A message goes out from the account's number and its report comes back to the account", sending) {
  g.know(1, "romeo@x.test", "+15550001", g.romeo);
  const auto session = g.sms->open({1});
  g.tasks.spawn("session", session->run());
  g.tasks.spawn("connector", g.sms->run());
  UNTIL(online(g.romeo));
  const auto sent = co_await g.send(*session, "+15550100", "look", "https://x.test/a.png");
  REQUIRE(sent.has_value());
  CHECK(g.smsc.submitted[0].message.text == "look\nhttps://x.test/a.png");
  CHECK(g.smsc.submitted[0].message.source.digits == "15550001");
  std::string id = g.smsc.submitted[0].id;
  co_await g.smsc.deliver_receipt(std::move(id), "EXPIRED");
  UNTIL(!g.romeo.all<connector::MessageProgressed>().empty());
  const auto progress = g.romeo.all<connector::MessageProgressed>()[0];
  CHECK(progress.id.value == "k1");
  CHECK(progress.stage == connector::Stage::failed);
  CHECK(progress.text == "The phone could not be reached in time.");

  const auto short_code = co_await g.send(*session, "72404", "INFO");
  CHECK(short_code.has_value());
  CHECK(g.smsc.submitted[1].message.destination == smpp::NetworkAddress{0, 1, "72404"});
  const auto name = co_await g.send(*session, "alpha.acme", "hello");
  CHECK(name.error().text == "This sender has a name instead of a number and cannot be answered.");
  const auto emergency = co_await g.send(*session, "911", "help");
  CHECK(emergency.error().code == Errc::bad_input);
  const auto empty = co_await g.send(*session, "+15550100", "");
  CHECK(empty.error().code == Errc::bad_input);
  CHECK(g.smsc.submitted.size() == 2);
  co_await g.end();
}

asio::awaitable<void> run_to_end(connector::Session* session, bool* over, base::Signal* changed) {
  co_await session->run();
  *over = true;
  changed->notify();
}

SMS_TEST("A registration wakes no session but the account's own, and one whose account is gone ends", waking) {
  std::vector<std::unique_ptr<connector::Session>> sessions;
  const auto open = [&](std::int64_t id) {
    g.know(id, "romeo@x.test", "+15550001", g.romeo);
    sessions.push_back(g.sms->open({id}));
    g.tasks.spawn("session", sessions.back()->run());
  };
  for (std::int64_t id = 1; id <= 50; ++id) open(id);
  UNTIL(g.romeo.events.size() == 50);
  const auto& sms = static_cast<SmsConnector&>(*g.sms);
  const std::uint64_t before = sms.steps();
  open(51);
  UNTIL(g.romeo.events.size() == 51);
  CHECK(sms.steps() - before <= 2);

  bool over = false;
  g.know(52, "juliet@x.test", "+15550001", g.juliet);
  const auto juliets = g.sms->open({52});
  g.tasks.spawn("juliet", run_to_end(juliets.get(), &over, &g.smsc.changed));
  UNTIL(!g.juliet.events.empty());
  g.sms->forget_account({52});
  UNTIL(over);
  co_await g.end();
}

SMS_TEST("A contact is anything that can be a number, in the country of the account's own", contacts) {
  g.know(1, "romeo@x.test", "+15550001", g.romeo);
  const base::AccountId romeo{1}, nobody_registered;
  const auto typed = co_await g.sms->parse_contact("(415) 555-0132", romeo);
  CHECK(typed->value == "+14155550132");
  const auto nobody = co_await g.sms->parse_contact("juliet", nobody_registered);
  CHECK(nobody.error().code == Errc::bad_input);
  const auto session = g.sms->open({1});
  connector::Action add = connector::AddContact{{"+14155550132"}};
  const auto added = co_await session->perform(std::move(add));
  CHECK(added.has_value());
  REQUIRE(g.romeo.all<connector::ContactAnswered>().size() == 1);
  CHECK(g.romeo.all<connector::ContactAnswered>()[0].accepted);
  const auto looks = g.romeo.all<connector::ContactChanged>();
  REQUIRE(looks.size() == 1);
  CHECK(looks[0].name == "+1 415-555-0132");
  connector::Query face = connector::AvatarQuery{looks[0].avatar};
  const auto picture = co_await session->query(std::move(face));
  REQUIRE(picture.has_value());
  FileInMemory octets;
  const auto fetched = co_await session->fetch(std::get<connector::File>(*picture).handle, octets);
  CHECK(fetched.has_value());
  CHECK(octets.all == sms::face_of("+14155550132"));
  connector::Query other = connector::AvatarQuery{"another"};
  const auto none = co_await session->query(std::move(other));
  CHECK(none.error().code == Errc::not_found);
  connector::Action presence = connector::SetPresence();
  const auto set = co_await session->perform(std::move(presence));
  CHECK(set.has_value());
  CHECK(session->capabilities(connector::ContactId{"+14155550132"}).files == connector::Support::fall_back);
  CHECK(g.sms->describe().disco_type == "sms");
  CHECK(g.sms->describe().client_type == "sms");  // as disco shows a contact (XEP-0030, registry of categories)
  CHECK(g.sms->describe().idempotency == connector::Idempotency::none);
  CHECK(g.sms->describe().reports_delivery);
  co_await g.end();
}

SMS_TEST("An account whose number was given to somebody else is told so, reads nothing of it and sends nothing from it",
         withdrawn) {
  g.know(1, "mercutio@x.test", "+15550001", g.romeo);  // it lists Romeo and Juliet
  g.know(2, "juliet@x.test", "+15550001", g.juliet);
  const auto session = g.sms->open({1}), juliets = g.sms->open({2});
  co_await session->run();
  const auto states = g.romeo.all<connector::AccountChanged>();
  REQUIRE(states.size() == 1);
  CHECK(states[0].needs_login);
  CHECK(states[0].text == "The number +15550001 is no longer yours. Register again to choose another one.");
  g.tasks.spawn("juliet", juliets->run());
  g.tasks.spawn("connector", g.sms->run());
  UNTIL(online(g.juliet));
  const auto sent = co_await g.send(*session, "+15550100", "from the old owner");
  CHECK(sent.error().code == Errc::not_authorized);
  CHECK(g.smsc.submitted.empty());
  co_await g.smsc.deliver_text("for the new owner");
  UNTIL(!g.smsc.answers.empty());
  CHECK(g.juliet.all<connector::MessageReceived>().size() == 1);
  CHECK(g.romeo.all<connector::MessageReceived>().empty());
  co_await g.end();
}

SMS_TEST("An account whose number is no longer served is told so and ends", unserved) {
  g.know(1, "romeo@x.test", "+15550099", g.romeo);
  const auto session = g.sms->open({1});
  co_await session->run();
  const auto states = g.romeo.all<connector::AccountChanged>();
  REQUIRE(states.size() == 1);
  CHECK(states[0].needs_login);
  CHECK(states[0].text == "The number +15550099 is no longer served here. Register again to choose another one.");
  co_await g.end();
}

}  // namespace

TEST_CASE("An account whose carrier keeps a list may be asked again, beside one whose carrier keeps none") {
  asio::io_context loop;
  Gateway g(loop);
  g.webhooks.public_url = "https://sms.example.org";
  const auto configuration = nlohmann::json::parse(R"({"region":"US",
    "numbers":[{"number":"+14155550101","carrier":"main","pool":true},{"number":"+14155550102","carrier":"listed","pool":true}],
    "carriers":[{"name":"main","type":"smpp","host":"127.0.0.1","system_id":"w","password":"p"},
                {"name":"listed","type":"twilio","account_sid":"AC0123456789abcdef0123456789abcdef","auth_token":"t"}]})");
  connector::Services services{g.executor, g.http, g.webhooks, g.storage, g.clock};
  const auto made = SmsConnector::make(configuration, services);
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text));
  connector::Account account;
  const auto of = [&](const std::string& number) {
    account.credentials["phone"] = number;
    return (*made)->idempotency(account);
  };
  CHECK(of("+14155550101") == connector::Idempotency::none);
  CHECK(of("+14155550102") == connector::Idempotency::queryable);
  CHECK(of("+14155550103") == connector::Idempotency::none);
  CHECK((*made)->describe().idempotency == connector::Idempotency::none);
}

TEST_CASE("A number that nobody can have is warned of, with its key") {
  asio::io_context loop;
  tests::LogCapture log;
  Gateway gateway(loop);
  CHECK(log.count("sms.number_unusual") == 2);  // of seven digits
  CHECK(log.count("numbers[1].number") == 1);
  auto configuration = gateway.configuration;
  configuration["numbers"][0]["number"] = "+14155550100";
  configuration["numbers"][1]["number"] = "72404";
  const connector::Services services{gateway.executor, gateway.http, gateway.webhooks, gateway.storage, gateway.clock};
  CHECK(SmsConnector::make(configuration, services).has_value());
  CHECK(log.count("sms.number_unusual") == 2);
  tests::run(loop, gateway.end());
}
