#include "connectors/sms/text/segments.hpp"
#include "tests/unit/sms/smpp_host.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::sms;
using connector::Errc;
using connector::Stage;
using smpp::Status;
using tests::FakeSmsc;
using tests::Host;
using tests::outcome;

namespace {

SMPP_TEST("A text is sent, its receipt comes, and nothing stays behind (SMPP 3.4 §4.4, Appendix B)", sends) {
  host.start();
  co_await host.up();
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  REQUIRE(host.smsc.submitted.size() == 1);
  const auto& m = host.smsc.submitted[0].message;
  CHECK(m.text == "hello");
  CHECK(m.source == smpp::NetworkAddress{1, 1, "15550001"});
  CHECK(m.destination == smpp::NetworkAddress{1, 1, "15550100"});
  CHECK(m.registered_delivery == 1);
  CHECK(host.storage.count("main/m/") == 1);
  const auto sequence = co_await host.smsc.deliver_receipt(host.smsc.submitted[0].id, "DELIVRD");
  UNTIL(!host.smsc.answers.empty());
  CHECK(host.smsc.answers[0] == std::pair(sequence, Status::ok));
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:k");
  CHECK(host.reports[0].stage == Stage::delivered);
  CHECK(host.storage.entries.empty());
  co_await host.end();
  CHECK(host.smsc.unbinds == 1);
}

SMPP_TEST("A text, its receipt and a text that comes in take no write to the store of their own, and no look into it",
          writes_nothing) {
  host.smsc.id_begins = "text-";  // in no notation but its own
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("good morning");  // by its answer the link has read what an earlier run left
  UNTIL(host.smsc.answers.size() == 1);
  host.storage.writes = host.storage.reads = 0;
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  co_await host.smsc.deliver_receipt(host.smsc.submitted[0].id, "DELIVRD");
  UNTIL(host.smsc.answers.size() == 2);
  co_await host.smsc.deliver_text("hello back");
  UNTIL(host.smsc.answers.size() == 3);
  CHECK(host.texts.size() == 2);
  CHECK(host.storage.writes == 0);
  CHECK(host.storage.reads == 0);
  CHECK(host.storage.count("main/d/") == 2);
  co_await host.end();
}

SMPP_TEST("After a crash before the gateway wrote that a text is sent, nothing is left of it in the store",
          not_settled) {
  host.start();
  co_await host.up();
  OutgoingText text{
      "1:k", {Address::Type::international, "+15550001"}, {Address::Type::international, "+15550100"}, "hello", {}};
  const auto changes = co_await host.carrier->send(std::move(text));
  REQUIRE(changes.has_value());
  CHECK(changes->size() == 2);
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A receipt whose event could not be stored comes again, and is told then", told_at_the_second_time) {
  host.start();
  co_await host.up();
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  const auto stored = host.storage.entries;
  host.storage.lost = true;
  std::string id = host.smsc.submitted[0].id;
  co_await host.smsc.deliver_receipt(id, "DELIVRD");
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.smsc.answers[0].second == Status::temporary_failure);
  CHECK(host.reports.empty());
  CHECK(host.storage.entries == stored);
  host.storage.lost = false;
  co_await host.smsc.deliver_receipt(std::move(id), "DELIVRD");
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.smsc.answers[1].second == Status::ok);
  CHECK(host.reports.size() == 1);
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A text of which an earlier release has noted an id in JSON gets its receipt", json_of_before) {
  host.storage.entries["main/m/1:k"] =
      R"({"key":"1:k","from":"+15550001","to":"+15550100","begun":1,"expires":9000000000000,"segments":[{"state":"sent","id":"AB12"}]})";
  host.storage.entries["main/i/ab12/1:k/000"] = R"({"key":"1:k","segment":0,"id":"AB12"})";
  host.storage.entries["main/d/11"] = R"({"digest":"d","at":1})";
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_receipt("AB12", "DELIVRD");
  UNTIL(host.smsc.answers.size() == 1);
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:k");
  CHECK(host.storage.count("main/m/") + host.storage.count("main/i/") == 0);
  co_await host.end();
}

SMPP_TEST("Every segment asks for a receipt, and theirs fold into one (sms.md §0.4)", folds) {
  host.start();
  co_await host.up();
  const std::string text(400, 'x');
  const auto result = co_await host.send("1:k", text);
  CHECK(outcome(result) == "sent");
  REQUIRE(host.smsc.submitted.size() == 3);
  std::string joined;
  for (const auto& s : host.smsc.submitted) {
    CHECK(s.message.esm_class == 0x40);
    CHECK(s.message.registered_delivery == 1);
    CHECK(s.message.text.substr(0, 4) == host.smsc.submitted[0].message.text.substr(0, 4));  // one reference
    joined += s.message.text.substr(6);
  }
  CHECK(joined == text);
  for (const int i : {2, 0}) {
    std::string id = host.smsc.submitted[static_cast<std::size_t>(i)].id;
    co_await host.smsc.deliver_receipt(std::move(id), "DELIVRD");
  }
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.reports.empty());
  std::string last = host.smsc.submitted[1].id;
  co_await host.smsc.deliver_receipt(std::move(last), "UNDELIV");
  UNTIL(host.smsc.answers.size() == 3);
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].stage == Stage::failed);
  CHECK(host.reports[0].text == "The network could not deliver the message.");
  last = host.smsc.submitted[1].id;
  co_await host.smsc.deliver_receipt(std::move(last), "DELIVRD");  // delivered after failed
  UNTIL(host.reports.size() == 2);
  CHECK(host.reports[1].stage == Stage::delivered);
  co_await host.end();
}

SMPP_TEST("Without reports nothing is remembered of a text that is out, but of one that is out in part",
          without_reports) {
  host.smsc.statuses = {Status::ok, Status::ok, Status::queue_full};
  host.start({{"delivery_reports", false}, {"window", 1}});
  co_await host.up();
  const auto single = co_await host.send("1:a", "hello");
  CHECK(outcome(single) == "sent");
  CHECK(host.smsc.submitted[0].message.registered_delivery == 0);
  CHECK(host.storage.entries.empty());
  const std::string text(200, 'x');
  const auto part = co_await host.send("1:b", text);
  CHECK(outcome(part) == "unavailable");
  CHECK(host.storage.count("main/m/") == 1);
  co_await host.stop();
  host.start({{"delivery_reports", false}, {"window", 1}});
  co_await host.up();
  const auto rest = co_await host.send("1:b", text);
  CHECK(outcome(rest) == "sent");
  CHECK(host.smsc.submitted.size() == 4);
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A receipt that overtakes its submit_sm_resp is kept and counts (sms.md §0.2)", overtakes) {
  host.smsc.receipt_first = true;
  host.start();
  co_await host.up();
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  UNTIL(host.reports.size() == 1);
  CHECK(host.reports[0].stage == Stage::delivered);
  UNTIL(!host.smsc.answers.empty());
  co_await host.end();
  CHECK(host.storage.entries.empty());
}

SMPP_TEST("An overtaking receipt waits in the store, also over a restart, and ids differ in notation (sms.md §1.9)",
          parks) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_receipt("659712", "DELIVRD");  // 0xA1100
  UNTIL(!host.smsc.answers.empty());
  CHECK(host.storage.count("main/r/") == 1);
  co_await host.stop();
  host.start();
  co_await host.up();
  host.smsc.submitted.resize(100);  // so that the next id is A1100
  const auto result = co_await host.send("1:a", "one");
  CHECK(outcome(result) == "sent");
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:a");
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A throttled segment is sent again, before the others (SMPP 3.4 §5.1.3, ESME_RTHROTTLED)", throttles) {
  host.smsc.statuses = {Status::ok, Status::throttled};
  host.start({{"window", 1}});
  co_await host.up();
  const auto result = co_await host.send("1:k", std::string(400, 'x'));
  CHECK(outcome(result) == "sent");
  REQUIRE(host.smsc.submitted.size() == 4);
  CHECK(host.smsc.submitted[1].message.text == host.smsc.submitted[2].message.text);
  CHECK(host.smsc.submitted[2].message.text[5] == 2);
  CHECK(host.smsc.submitted[3].message.text[5] == 3);
  co_await host.end();
}

SMPP_TEST("Refusals are final or not, as the table says (sms.md §1.4)", refusals) {
  host.smsc.statuses = {Status::invalid_destination, Status::queue_full, Status::system_error, Status::system_error,
                        Status::system_error};
  host.start();
  co_await host.up();
  const auto gone = co_await host.send("1:a", "hello");
  CHECK(outcome(gone) == "not_found");
  CHECK(gone.error().text == "The number does not exist or cannot be reached.");
  const auto later = co_await host.send("1:b", "hello");
  CHECK(outcome(later) == "unavailable");
  CHECK(later.error().retry_after == std::chrono::seconds(60));
  for (int i = 0; i < 2; ++i) {
    const auto put_off = co_await host.send("1:c", "hello");
    CHECK(outcome(put_off) == "unavailable");
  }
  const auto enough = co_await host.send("1:c", "hello");
  CHECK(outcome(enough) == "rejected");
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST(
    "A long text that is put off is tried as often as a short one, whatever the number of its segments (SMPP 3.4 "
    "§5.1.3)",
    put_off) {
  host.start();
  co_await host.up();
  struct Row {
    Status status;
    unsigned tries;
  };
  for (const Row& row :
       {Row{Status::system_error, 3}, Row{static_cast<Status>(0x45), 3}, Row{Status::unknown_error, 2}}) {
    for (const std::size_t segments : {1U, 2U, 3U}) {
      const std::string key = "1:" + to_string(row.status) + std::to_string(segments),
                        text(segments == 1 ? 10 : segments * 140, 'x');
      for (unsigned attempt = 1; attempt <= row.tries; ++attempt) {
        CAPTURE(key);
        CAPTURE(attempt);
        host.smsc.statuses.assign(segments, row.status);
        const auto result = co_await host.send(key, text);
        CHECK(outcome(result) == (attempt < row.tries ? "unavailable" : "rejected"));
      }
    }
  }
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST(
    "A peer that does not hold us for bound is left once the rest of the window is answered (SMPP 3.4 §5.1.3, "
    "ESME_RINVBNDSTS)",
    unbound) {
  host.smsc.silent = true;
  host.start();
  co_await host.up();
  connector::Result<void> refused, next, last, late;
  host.begin("1:a", "one", &refused);
  UNTIL(host.smsc.submitted.size() == 1);
  host.begin("1:b", "two", &next);
  UNTIL(host.smsc.submitted.size() == 2);
  host.begin("1:c", "three", &last);
  UNTIL(host.smsc.submitted.size() == 3);
  const auto answer = [&](std::size_t which, Status status, const char* id) {
    return host.smsc.write_raw(smpp::encode(smpp::response_to(smpp::Command::submit_sm), status,
                                            host.smsc.submitted[which].sequence, smpp::encode_c_string(id)));
  };
  co_await answer(0, Status::wrong_bind_state, "");
  UNTIL(outcome(refused) != "unsupported");
  CHECK(outcome(refused) == "unavailable");
  host.begin("1:d", "four", &late);
  UNTIL(outcome(late) != "unsupported");
  CHECK(outcome(late) == "unavailable");
  CHECK(host.smsc.submitted.size() == 3);
  co_await answer(1, Status::wrong_bind_state, "");
  co_await answer(2, Status::ok, "A1");
  UNTIL(host.smsc.binds.size() == 2);
  CHECK(outcome(next) == "unavailable");
  CHECK(outcome(last) == "sent");
  co_await host.end();
}

SMPP_TEST("An unanswered submit_sm is uncertain and never sent again; a receipt tells that it was sent (sms.md §0.1)",
          uncertain) {
  host.smsc.silent = true;
  host.start();
  co_await host.up();
  connector::Result<void> result;
  host.begin("1:k", "hello", &result);
  UNTIL(host.smsc.submitted.size() == 1);
  host.smsc.drop();
  UNTIL(outcome(result) != "unsupported");
  CHECK(outcome(result) == "uncertain");
  host.smsc.silent = false;
  co_await host.up();
  const auto again = co_await host.send("1:k", "hello");
  CHECK(outcome(again) == "uncertain");
  CHECK(host.smsc.submitted.size() == 1);
  co_await host.smsc.deliver_receipt("NEVER-SEEN", "DELIVRD");
  UNTIL(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:k");
  CHECK(host.reports[0].stage == Stage::delivered);
  co_await host.end();
}

SMPP_TEST("Without a link nothing is sent, and that is sure", unavailable) {
  host.smsc.bind_status = Status::invalid_password;
  host.start();
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "unavailable");
  UNTIL(!host.down.empty());
  CHECK(host.down[0] == "the peer refuses the bind: ESME_RINVPASWD");
  CHECK(host.at_least == std::chrono::seconds(300));  // hammering locks accounts
  co_await host.end();
}

SMPP_TEST("A long text that was interrupted goes on with its first unsent segment, also after a restart (sms.md §1.11)",
          resumes) {
  host.smsc.statuses = {Status::ok, Status::queue_full};
  host.start({{"window", 1}});
  co_await host.up();
  const std::string text(400, 'x');
  const auto first = co_await host.send("1:k", text);
  CHECK(outcome(first) == "unavailable");
  CHECK(host.smsc.submitted.size() == 2);
  co_await host.stop();
  host.start();
  co_await host.up();
  const auto second = co_await host.send("1:k", text);
  CHECK(outcome(second) == "sent");
  REQUIRE(host.smsc.submitted.size() == 4);
  CHECK(host.smsc.submitted[2].message.text[5] == 2);
  CHECK(host.smsc.submitted[3].message.text[5] == 3);
  CHECK(host.smsc.submitted[3].message.text[3] == host.smsc.submitted[0].message.text[3]);  // one reference
  const auto third = co_await host.send("1:k", text);
  CHECK(outcome(third) == "sent");
  CHECK(host.smsc.submitted.size() == 4);
  for (const int i : {0, 2, 3}) {
    std::string id = host.smsc.submitted[static_cast<std::size_t>(i)].id;
    co_await host.smsc.deliver_receipt(std::move(id), "DELIVRD");
  }
  UNTIL(host.smsc.answers.size() == 3);
  CHECK(host.reports.size() == 1);
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A packed text of more than 140 octets goes as payload, and one message fits the least of segments",
          payload_packed) {
  host.start({{"alphabet", "gsm7_packed"}, {"concatenation", "payload"}, {"most_segments", 2}});
  co_await host.up();
  const connector::Result<void> sent = co_await host.send("1:a", std::string(175, 'a'));
  CHECK(outcome(sent) == "sent");
  CHECK(host.smsc.submitted.at(0).message.text.empty());
  co_await host.stop();
  host.start({{"most_segments", 1}});
  CHECK(host.carrier->most_text_bytes() >= 320);
  co_await host.end();
}

SMPP_TEST("Of ten thousand receipts of nobody the oldest go, from the store, too; after an hour all are gone",
          nobodys) {
  host.start();
  co_await host.up();
  const int count = 10'200;
  for (int i = 0; i < count; ++i) {
    co_await host.smsc.deliver_receipt("N-" + std::to_string(i), "DELIVRD");
    if (i % 1000 == 999) UNTIL(host.smsc.answers.size() == static_cast<std::size_t>(i) + 1);
  }
  UNTIL(host.smsc.answers.size() == static_cast<std::size_t>(count));
  CHECK(host.storage.count("main/r/") == 10'000);
  co_await host.stop();
  host.clock.time += std::chrono::hours(2);
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("hello");
  UNTIL(host.texts.size() == 1);
  CHECK(host.storage.count("main/r/") == 0);
  co_await host.end();
}

SMPP_TEST("Two binds are one link: texts go on the transmitter and come on the receiver (SMPP 3.4 §2.2)", two_binds) {
  host.start({{"bind", "transmitter_receiver"}});
  co_await host.up();
  CHECK(host.smsc.binds == std::vector<std::string>{"transmitter", "receiver"});
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  std::string id = host.smsc.submitted[0].id;
  co_await host.smsc.deliver_receipt(std::move(id), "DELIVRD");
  UNTIL(host.reports.size() == 1);
  UNTIL(host.smsc.answers.size() == 1);
  co_await host.end();
  CHECK(host.smsc.unbinds == 2);
}

SMPP_TEST("A receipt in a form of its own is about the text to its sender that a word of it names", own_form) {
  host.smsc.id_begins = "we00-";
  host.start();
  co_await host.up();
  for (const char* key : {"1:a", "1:b", "1:c"}) {
    const auto sent = co_await host.send(key, "hello");
    CHECK(outcome(sent) == "sent");
  }
  const std::string first = host.smsc.submitted[0].id, second = host.smsc.submitted[1].id,
                    third = host.smsc.submitted[2].id;
  const auto own_form = [](const std::string& text) { return FakeSmsc::message(text, 4); };
  auto stranger = own_form("00,DELIVERED," + first);
  stranger.source.digits = "15550199";
  const std::vector<smpp::ShortMessage> receipts = {
      own_form("I00,2611260101,," + first + ",x"),  // no state
      stranger,
      own_form("00,DELIVERED," + first + "," + second),  // either's
      own_form("00,2611260101,DELIVERED,15550100," + second),
      own_form("00,UNDELIVERABLE:" + third),
  };
  for (const auto& receipt : receipts) co_await host.smsc.deliver(receipt);
  UNTIL(host.smsc.answers.size() == receipts.size());
  for (const auto& [sequence, status] : host.smsc.answers) CHECK(status == Status::ok);
  REQUIRE(host.reports.size() == 2);
  for (const TextProgress& report : host.reports)
    CHECK(report.stage == (report.key == "1:b" ? Stage::delivered : Stage::failed));
  CHECK(host.texts.empty());
  CHECK(host.storage.count("main/r/") == 0);
  CHECK(host.storage.count("main/m/1:a") == 1);
  co_await host.end();
}

SMPP_TEST("At the end what is under way is answered before the unbind (sms.md §1.4)", drains) {
  host.smsc.silent = true;
  host.start();
  co_await host.up();
  connector::Result<void> result;
  host.begin("1:k", "hello", &result);
  UNTIL(host.smsc.submitted.size() == 1);
  host.tasks.cancel();
  co_await host.smsc.write_raw(smpp::encode(smpp::response_to(smpp::Command::submit_sm), Status::ok,
                                            host.smsc.submitted[0].sequence, smpp::encode_c_string("A1")));
  co_await host.tasks.join();
  CHECK(outcome(result) == "sent");
  co_await host.end();
  CHECK(host.smsc.unbinds == 1);
}

SMPP_TEST("An SMS centre that closes instead of answering our unbind holds up no end (SMPP 3.4 §4.2)", mute_at_end) {
  host.smsc.mute_at_end = true;
  host.start();
  co_await host.up();
  co_await host.end();
  CHECK(host.smsc.unbinds == 1);
}

}  // namespace
