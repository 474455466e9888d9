// What the engine makes of webhooks, and of the files that they name.
#include "connectors/sms/http/media/media.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/unit/sms/http_world.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::tests;

namespace {

HTTP_TEST("A byte order mark at the start of a webhook's body is passed over", marked, Idempotency::none) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  std::string body =
                  "\xEF\xBB\xBF"
                  "delivered " +
                  world.refs.at(0),
              key = "good";
  const int status = co_await world.webhook(std::move(body), std::move(key));
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  co_await world.end();
}

HTTP_TEST("A picture that only the gateway may fetch is opened by whoever got it, under an address of the gateway's",
          pictures, Idempotency::none) {
  co_await world.up();
  const std::string body = "picture https://the-service/AC1/MM1", key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].text.empty());
  REQUIRE(world.texts[0].files.size() == 1);
  std::string url = world.texts[0].files[0].url;
  CHECK(url.starts_with(world.server.public_url + "/simple/media/"));
  CHECK(url.find("AC1") == std::string::npos);
  const auto file = co_await world.open_file(url);
  CHECK(file.status == 200);
  CHECK(file.body == "a picture");
  CHECK(file.headers.at("content-type") == "image/jpeg");

  const std::string guessed = url + "2";
  auto refused = co_await world.open_file(guessed);
  CHECK(refused.status == 404);
  world.files_status = 404;
  refused = co_await world.open_file(url);
  CHECK(refused.status == 404);
  CHECK(refused.body == "The SMS service no longer has this file.\n");
  world.files_status = 500;
  refused = co_await world.open_file(url);
  CHECK(refused.status == 503);
  co_await world.end();
}

// What the gateway does between its start and the carrier's, and after the carrier's end.
HTTP_TEST(
    "A webhook before its carrier runs, and after, is told to come again; without the carrier the path is nobody's",
    closed, Idempotency::none, false) {
  const std::string body = "delivered 1", key = "good";
  int status = co_await world.webhook(body, key);
  CHECK(status == 503);
  CHECK(world.retry_after == "5");
  world.tasks.spawn("carrier", world.carrier->run());
  co_await world.up();
  status = co_await world.webhook(body, key);
  CHECK(status == 200);
  world.tasks.cancel();
  co_await world.tasks.join();
  status = co_await world.webhook(body, key);
  CHECK(status == 503);
  world.carrier.reset();
  status = co_await world.webhook(body, key);
  CHECK(status == 404);
  co_await world.end();
}

HTTP_TEST("Forged webhooks do not flood the log", forged, Idempotency::none) {
  co_await world.up();
  const std::string body = "delivered 1", key = "bad";
  tests::LogCapture log;
  for (int i = 0; i < 100; ++i) {
    const int status = co_await world.webhook(body, key);
    CHECK(status == 403);
  }
  const auto refused = log.count("http_carrier.webhook_refused");
  CHECK(refused >= 20);
  CHECK(refused < 60);
  co_await world.end();
}

HTTP_TEST("A webhook that is not understood is logged by its form and by what it lacks, not by what it says",
          not_understood, Idempotency::none) {
  co_await world.up();
  const std::string body = "news of juliet", key = "good";
  tests::LogCapture log;
  const int status = co_await world.webhook(body, key);
  CHECK(status == 400);
  CHECK(log.count("http_carrier.webhook_not_understood") == 1);
  for (const std::string word : {"content_type=\"\"", "bytes=14", "to is not there"}) {
    CAPTURE(word);
    CHECK(log.count(word) == 1);
  }
  CHECK(log.count("juliet") == 0);
  co_await world.end();
}

HTTP_TEST("Two carriers with one webhook_path are refused: each would get what is the other's", two_of_one_path,
          Idempotency::none, false) {
  connector::Services services{world.executor, world.http, world.server, world.storage, world.clock};
  Setting setting = world.provider_setting;
  setting.name = "other";
  setting.path = "carriers[1]";
  const auto second = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::none), services, world);
  CHECK(second.error().text ==
        "carriers[1].webhook_path: /simple is another carrier's. Give each carrier a path of its own.");
  co_await world.end();
}

HTTP_TEST("One webhook may bring several texts and reports", several_at_once, Idempotency::none) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string body = "picture https://open/1\ndelivered " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.texts.size() == 1);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  co_await world.end();
}

HTTP_TEST("A report without an id is on the text that its reference names, whatever id that has", known_by_reference,
          Idempotency::none) {
  co_await world.up();
  const std::string outcome = co_await world.send();  // under the id "1"
  CHECK(outcome == "sent");
  const std::string body = "failed " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::failed});
  co_await world.end();
}

HTTP_TEST("A text whose parts are reported one by one is delivered when all of them are", part_by_part,
          Idempotency::none) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string first = "part 1 " + world.refs.at(0), second = "part 2 " + world.refs.at(0), key = "good";
  tests::LogCapture log;
  for (int i = 0; i < 2; ++i) {
    const int status = co_await world.webhook(first, key);
    CHECK(status == 200);
    CHECK(world.stages.empty());
  }
  const int status = co_await world.webhook(second, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(log.count("http_carrier.sent_twice") == 0);
  co_await world.end();
}

HTTP_TEST("A webhook may come by GET, and be known by the secret at the end of its path", by_get, Idempotency::none) {
  tests::LogCapture log;
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string query = "?said=delivered+" + world.refs.at(0);
  for (const char* wrong : {"/simple", "/simple/", "/simple/a-secret-of-20-sign", "/simple/a-secret-of-20-signs/"}) {
    CAPTURE(wrong);
    const std::string target = wrong + query;
    const int status = co_await world.get_webhook(target);
    CHECK(status == 403);
  }
  CHECK(world.stages.empty());
  const std::string target = "/simple/a-secret-of-20-signs" + query;
  const int status = co_await world.get_webhook(target);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(log.count("http_carrier.webhook_opened") == 1);
  CHECK(log.count("a-secret-of-20-signs") == 0);
  co_await world.end();
}

HTTP_TEST("Without webhooks a carrier must have a list to look into", without_webhooks, Idempotency::none, false) {
  connector::Services services{world.executor, world.http, world.server, world.storage, world.clock};
  Setting setting = world.provider_setting;
  setting.path = "carriers[1]";
  setting.webhook_path = "/other";
  setting.takes_webhooks = false;
  const auto deaf = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::none), services, world);
  CHECK(deaf.error().text.starts_with("carriers[1].webhooks: must be true."));
  const auto looking = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::queryable), services, world);
  CHECK(looking.has_value());
  co_await world.end();
}

HTTP_TEST("A report that is faster than the answer that gives the id is brought home after that", early_report,
          Idempotency::none) {
  co_await world.up();
  world.id = "m-1";
  world.early = "early m-1";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.early_status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  const auto row = world.storage.entries.lower_bound("simple/m/");
  REQUIRE(row != world.storage.entries.end());
  CHECK(parse_record(row->second)->told == rank(Stage::delivered));
  co_await world.end();
}

HTTP_TEST("A text whose early report cannot be stored is sent all the same", early_report_is_lost, Idempotency::none) {
  co_await world.up();
  world.id = "m-1";
  world.early = "early m-1";
  world.refuses_reports = true;
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  co_await world.end();
}

HTTP_TEST("A report that comes while a text is being sent, and is about another, is none of its", early_of_another,
          Idempotency::none) {
  co_await world.up();
  world.id = "m-1";
  world.early = "early m-2";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.stages.empty());
  co_await world.end();
}

}  // namespace

TEST_CASE("shown_type lets nothing run in a browser") {
  CHECK(shown_type("image/jpeg; x=1") == "image/jpeg");
  CHECK(shown_type("Video/MP4") == "video/mp4");
  for (const char* other : {"", "text/html", "image/svg+xml", "image/\r\nx", "application/pdf"})
    CHECK(shown_type(other) == "application/octet-stream");
}
