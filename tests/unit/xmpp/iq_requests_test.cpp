#include "gateway/xmpp/iq_requests.hpp"

#include "tests/support/run.hpp"

#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

using namespace wherry;
using xmpp::IqRequests;

namespace {

xmpp::Element question(const char* to) {
  xmpp::Element iq("iq", xmpp::ns::component);
  iq.set("type", "get").set("to", to);
  iq.add("query", xmpp::ns::disco_info);
  return iq;
}

struct Asked {
  std::optional<xmpp::Stanza> answer;
  bool ended = false;
};
asio::awaitable<void> ask(IqRequests& requests, xmpp::Element iq, std::chrono::milliseconds limit, Asked& asked) {
  asked.answer = co_await requests.ask(std::move(iq), limit);
  asked.ended = true;
}

xmpp::Stanza answer_of(const xmpp::Element& asked, const char* from, const char* type) {
  xmpp::Element iq("iq", xmpp::ns::component);
  iq.set("type", type).set("id", asked.attribute("id")).set("from", from).set("to", asked.attribute("from"));
  return *xmpp::to_stanza(std::move(iq));
}

}  // namespace

TEST_CASE("A request is answered by the one who was asked, and by nobody else (RFC 6120 §8.2.3)") {
  asio::io_context loop;
  std::vector<xmpp::Element> sent;
  const auto keep = [&](const xmpp::Element& iq) { sent.push_back(iq); };
  IqRequests requests(loop.get_executor(), keep, "im.test", "q-");
  Asked first, second;
  asio::co_spawn(loop, ask(requests, question("romeo@x.test/orchard"), std::chrono::minutes(1), first), asio::detached);
  asio::co_spawn(loop, ask(requests, question("juliet@x.test"), std::chrono::minutes(1), second), asio::detached);
  loop.poll();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].attribute("from") == "im.test");
  CHECK(sent[0].attribute("id") != sent[1].attribute("id"));

  requests.answered(answer_of(sent[0], "mallory@y.test", "result"));
  requests.answered(answer_of(sent[0], "romeo@x.test", "result"));  // another address than the one asked
  loop.poll();
  CHECK_FALSE(first.ended);
  requests.answered(answer_of(sent[1], "juliet@x.test", "error"));
  requests.answered(answer_of(sent[0], "romeo@x.test/orchard", "result"));
  requests.answered(answer_of(sent[0], "romeo@x.test/orchard", "error"));  // once
  loop.poll();
  REQUIRE(first.answer);
  CHECK(first.answer->type() == "result");
  REQUIRE(second.answer);
  CHECK(second.answer->type() == "error");
}

TEST_CASE("A request that nobody answers ends with nothing") {
  asio::io_context loop;
  const auto drop = [](const xmpp::Element&) {};
  IqRequests requests(loop.get_executor(), drop, "im.test", "q-");
  Asked asked;
  tests::run(loop, ask(requests, question("romeo@x.test/orchard"), std::chrono::milliseconds(1), asked));
  CHECK(asked.ended);
  CHECK_FALSE(asked.answer);
}
