// What the engine makes of texts, for providers that can list messages and that cannot. More of the first is tried in
// tests/integration/twilio.
#include "tests/unit/sms/http_world.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::tests;

namespace {

HTTP_TEST(
    "Without a list and without a key a text of unknown outcome stays uncertain until a report tells "
    "(Idempotency::none)",
    uncertain, Idempotency::none) {
  co_await world.up();
  world.status = 500;
  for (int i = 0; i < 2; ++i) {
    const std::string outcome = co_await world.send();
    CHECK(outcome == "uncertain");
  }
  CHECK(world.refs.size() == 1);
  std::string body = "delivered " + world.refs.at(0), key = "bad";
  int status = co_await world.webhook(body, key);
  CHECK(status == 403);
  CHECK(world.stages.empty());
  key = "good";
  status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  const std::string outcome = co_await world.send();  // it is known by now
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

HTTP_TEST("The id of a text is written in the commit that says that it is sent", one_commit, Idempotency::none) {
  co_await world.up();
  const int writes = world.storage.writes;
  std::string text = "hi";
  auto sent = co_await world.give(std::move(text));
  REQUIRE(sent.has_value());
  CHECK(world.storage.writes == writes + 1);  // before the request
  CHECK(world.stored_id().empty());
  world.storage.apply(std::move(*sent));
  CHECK(world.stored_id() == "1");
  CHECK(world.storage.writes == writes + 1);
  co_await world.end();
}

// What send() gave back is lost with the process.
HTTP_TEST("A text whose process ended before that commit is looked for in the list, and not sent again", killed,
          Idempotency::queryable) {
  co_await world.up();
  std::string text = "hi";
  const auto sent = co_await world.give(std::move(text));
  CHECK(sent.has_value());
  co_await world.restart();
  world.listed = "+15550100|hi";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  CHECK(world.stored_id() == "1");
  co_await world.end();
}

HTTP_TEST("The id that a report brings is written in the report's commit", one_commit_of_report, Idempotency::none) {
  co_await world.up();
  world.status = 500;
  const std::string outcome = co_await world.send();
  CHECK(outcome == "uncertain");
  const int writes = world.storage.writes;
  std::string body = "delivered " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(std::move(body), std::move(key));
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(world.stored_id() == "1");
  CHECK(world.storage.writes == writes);
  co_await world.end();
}

HTTP_TEST("A text is not sent again where the list hides or rewrites what it has (Idempotency::queryable)", hidden,
          Idempotency::queryable) {
  co_await world.up();
  world.status = 500;
  for (const char* listed : {"+15550100|", "+1555XXXX|", "+15550100|hi (rewritten)"}) {
    world.listed = listed;
    const std::string outcome = co_await world.send();
    CHECK(outcome == "uncertain");
    CHECK(world.refs.size() == 1);  // it was not sent again
  }
  world.listed = "+15550100|hi";
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

HTTP_TEST("A text that the list proves absent is sent again (Idempotency::queryable)", absent, Idempotency::queryable) {
  co_await world.up();
  world.status = 500;
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");
  world.status = 200;
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 2);
  co_await world.end();
}

HTTP_TEST("A provider that drops doubles is asked again with the same reference (Idempotency::by_key)", repeated,
          Idempotency::by_key) {
  co_await world.up();
  for (const int status : {500, 429}) {  // too many now: that says nothing about the first
    world.status = status;
    const std::string unknown = co_await world.send();
    CHECK(unknown == "uncertain");
  }
  world.status = 200;
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  REQUIRE(world.refs.size() == 3);
  CHECK(world.refs[0] == world.refs[1]);
  CHECK(world.refs[0] == world.refs[2]);
  outcome = co_await world.send();  // nothing needs to be asked any more
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 3);
  co_await world.end();
}

HTTP_TEST("A text that was taken without an id is known by our reference", taken_without_id, Idempotency::none) {
  world.id.clear();
  co_await world.up();
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  outcome = co_await world.send();  // it is known by now
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

HTTP_TEST("A list that has our references says for certain which text is there (Idempotency::queryable)",
          found_by_reference, Idempotency::queryable) {
  co_await world.up();
  world.status = 500;
  world.listed = "+15550100|rewritten|another";
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");  // the list has another text, and so it proves that this one is not there
  world.listed = "+15550100|rewritten|" + world.refs.at(0);
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  co_await world.end();
}

HTTP_TEST("A token is asked for once, and again when it counts no more (RFC 6749 §4.4)", tokens, Idempotency::none) {
  world.provider->wants_token = true;
  world.token_status = 400;
  co_await world.up();
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");
  world.token_status = 200;
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.tokens == 2);
  world.refs.clear();
  ++world.tokens;  // the service forgets the token that it gave
  OutgoingText text{
      "7:l", {Address::Type::international, "+15550001"}, {Address::Type::international, "+15550100"}, "another", {}};
  const auto sent = co_await world.carrier->send(std::move(text));
  CHECK(sent.has_value());
  CHECK(world.tokens == 4);
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

HTTP_TEST("What a service must hear first is said before the carrier is up, and again after an outage", greeted,
          Idempotency::none, false) {
  world.provider->says_hello = true;
  world.greeting_status = 500;
  bool is_down = false;
  try {
    co_await world.carrier->run();
  } catch (const LinkDown&) {
    is_down = true;
  }
  CHECK(is_down);
  CHECK_FALSE(world.carrier->is_up());
  world.greeting_status = 201;
  world.tasks.spawn("carrier", world.carrier->run());
  co_await world.up();
  CHECK(world.greetings == 2);
  co_await world.end();
}

HTTP_TEST("A text that is too long for the provider is refused here", too_long, Idempotency::none) {
  co_await world.up();
  std::string text = "a text of 21 letters.";
  std::string outcome = co_await world.send(text);
  CHECK(outcome == "bad_input");
  text.pop_back();
  outcome = co_await world.send(text);
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  text = "ж";
  const auto refused = co_await world.give(std::move(text));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text == "There is no room for that.");
  co_await world.end();
}

HTTP_TEST("A list with a row that cannot be read does not prove that a text is absent (Idempotency::queryable)", hole,
          Idempotency::queryable) {
  co_await world.up();
  world.status = 500;
  world.listed = "?";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "uncertain");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

}  // namespace
