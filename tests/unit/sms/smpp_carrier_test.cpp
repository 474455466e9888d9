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

std::string part(unsigned number, unsigned total, const std::string& text) {
  return make_header({Position::Kind::udh, 9, total, number}) + text;
}

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

SMPP_TEST("A deliver_sm is answered only after it is durable (SMPP 3.4 §4.6)", answers_late) {
  host.holding = true;
  host.start();
  co_await host.up();
  const auto sequence = co_await host.smsc.deliver_text("hello");
  co_await host.smsc.write_raw(smpp::encode(smpp::Command::enquire_link, Status::ok, 99));
  UNTIL(!host.smsc.answers.empty());
  CHECK(host.smsc.answers[0].first == 99);  // the link lives meanwhile
  CHECK(host.smsc.answers.size() == 1);
  host.holding = false;
  host.smsc.changed.notify();
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.smsc.answers[1] == std::pair(sequence, Status::ok));
  CHECK(host.texts[0].text == "hello");
  CHECK(host.texts[0].from == Address{Address::Type::international, "+15550100"});
  CHECK(host.texts[0].to == Address{Address::Type::international, "+15550001"});
  co_await host.end();
}

SMPP_TEST("A lost store is a temporary failure, a number that nobody has a permanent one (SMPP 3.4 §5.1.3)", failures) {
  host.start();
  co_await host.up();
  host.storage.lost = true;
  co_await host.smsc.deliver_text("hello");
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.smsc.answers[0].second == Status::temporary_failure);
  CHECK(host.texts.empty());
  host.storage.lost = false;
  co_await host.smsc.deliver_text("hello");
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.smsc.answers[1].second == Status::ok);
  CHECK(host.texts.size() == 1);
  host.known = false;
  co_await host.smsc.deliver_text("nobody");
  UNTIL(host.smsc.answers.size() == 3);
  CHECK(host.smsc.answers[2].second == Status::permanent_failure);
  co_await host.end();
}

SMPP_TEST("A text that comes again after a lost answer has its id again, and a second \"ok\" another (sms.md §4.1)",
          redelivers) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.texts[0].id != host.texts[1].id);
  host.smsc.drop();
  UNTIL(host.smsc.binds.size() == 2);
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.texts.size() == 3);
  CHECK((host.texts[2].id == host.texts[0].id || host.texts[2].id == host.texts[1].id));
  // A killed process: its successor has only the store.
  const auto left = host.storage.entries;
  co_await host.stop();
  host.storage.entries = left;
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.texts.size() == 4);
  CHECK((host.texts[3].id == host.texts[0].id || host.texts[3].id == host.texts[1].id));
  co_await host.end();
}

SMPP_TEST("An equal text after a break is another one where the peer has shown that it had our answer to the first",
          proves) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.smsc.answers.size() == 1);
  const auto result = co_await host.send("1:k", "hello");  // its answer comes from one who has read ours
  CHECK(outcome(result) == "sent");
  host.clock.time += std::chrono::seconds(5);
  host.smsc.drop();
  UNTIL(host.smsc.binds.size() == 2);
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.texts.size() == 2);
  CHECK(host.texts[0].id != host.texts[1].id);
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

SMPP_TEST("After a restart whose unbind was confirmed an equal text is another one", equal_after_restart) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.smsc.answers.size() == 1);
  co_await host.stop();
  host.clock.time += std::chrono::minutes(5);
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("ok");
  UNTIL(host.texts.size() == 2);
  CHECK(host.texts[0].id != host.texts[1].id);
  co_await host.end();
}

SMPP_TEST("A long text is put together over a restart, and its order is kept", reassembles) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver(FakeSmsc::message(part(3, 3, "c"), 0x40));
  co_await host.smsc.deliver(FakeSmsc::message(part(1, 3, "a"), 0x40));
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.texts.empty());
  co_await host.stop();
  host.start();
  co_await host.up();
  const std::string last = smpp::encode_body(FakeSmsc::message(part(2, 3, "b"), 0x40), smpp::Command::deliver_sm);
  const std::string next = smpp::encode_body(FakeSmsc::message("next", 0), smpp::Command::deliver_sm);
  co_await host.smsc.write_raw(smpp::encode(smpp::Command::deliver_sm, Status::ok, 501, last) +
                               smpp::encode(smpp::Command::deliver_sm, Status::ok, 502, next) +
                               smpp::encode(smpp::Command::deliver_sm, Status::ok, 503, last));
  UNTIL(host.smsc.answers.size() == 5);
  REQUIRE(host.texts.size() == 2);
  CHECK(host.texts[0].text == "abc");
  CHECK(host.texts[1].text == "next");
  co_await host.end();
}

SMPP_TEST("Damaged rows are passed over, and what they speak of is never sent again", damaged) {
  for (const char* key :
       {"main/p/group/5/001", "main/p/group/done", "main/d/1", "main/r/1", "main/m/1:x", "main/i/a1000/1:x/000"}) {
    for (const char* value : {"not json", "{\"segments\":5}", "{\"id\":5,\"source\":[],\"destination\":7}"}) {
      host.storage.entries[std::string(key) + (key[5] == 'm' || key[5] == 'i' ? "" : value)] = value;
    }
  }
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("hello");
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.smsc.answers[0].second == Status::ok);
  const auto known = co_await host.send("1:x", "hello");
  CHECK(outcome(known) == "uncertain");
  CHECK(host.smsc.submitted.empty());
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
  std::string id = host.smsc.submitted[0].id;  // which a damaged row has, too
  co_await host.smsc.deliver_receipt(std::move(id), "DELIVRD");
  UNTIL(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:k");
  co_await host.end();
}

SMPP_TEST("Two equal long texts under one reference arrive, and one that comes again after a break does not",
          equal_long) {
  host.start();
  co_await host.up();
  for (int text = 0; text < 2; ++text) {
    co_await host.smsc.deliver(FakeSmsc::message(part(1, 2, "ALERT "), 0x40));
    co_await host.smsc.deliver(FakeSmsc::message(part(2, 2, "is down"), 0x40));
  }
  UNTIL(host.smsc.answers.size() == 4);
  REQUIRE(host.texts.size() == 2);
  CHECK(host.texts[0].text == "ALERT is down");
  CHECK(host.texts[1].text == "ALERT is down");
  CHECK(host.texts[0].id != host.texts[1].id);
  host.smsc.drop();
  UNTIL(host.smsc.binds.size() == 2);
  co_await host.up();
  co_await host.smsc.deliver(FakeSmsc::message(part(1, 2, "ALERT "), 0x40));
  co_await host.smsc.deliver(FakeSmsc::message(part(2, 2, "is down"), 0x40));
  UNTIL(host.smsc.answers.size() == 6);
  CHECK(host.texts.size() == 2);
  co_await host.end();
}

SMPP_TEST("A text to our number in national form, with a parameter that is cut off, arrives", national_form) {
  host.start();
  co_await host.up();
  auto m = FakeSmsc::message("hello", 0);
  m.destination = {2, 1, "5550001"};
  m.source = {1, 1, "05550100123"};
  const std::string body = smpp::encode_body(m, smpp::Command::deliver_sm) + std::string("\x00\x1E\xFF\xFF", 4);
  co_await host.smsc.write_raw(smpp::encode(smpp::Command::deliver_sm, Status::ok, 7, body));
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.smsc.answers[0] == std::pair(7U, Status::ok));
  REQUIRE(host.texts.size() == 1);
  CHECK(host.texts[0].to.text == "+15550001");
  CHECK(host.texts[0].from.text == "05550100123");
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

SMPP_TEST("Malformed PDUs are answered and the bind goes on; lost framing ends it and it comes again (SMPP 3.4 §4.3)",
          malformed) {
  host.start();
  co_await host.up();
  co_await host.smsc.write_raw(smpp::encode(smpp::Command::deliver_sm, Status::ok, 7, "no end"));
  co_await host.smsc.write_raw(smpp::encode(static_cast<smpp::Command>(0x777), Status::ok, 8));
  UNTIL(host.smsc.answers.size() == 2);
  CHECK(host.smsc.answers[0] == std::pair(7U, Status::invalid_message_length));
  CHECK(host.smsc.answers[1] == std::pair(8U, Status::invalid_command));
  co_await host.smsc.write_raw(std::string(16, '\xFF'));
  UNTIL(host.smsc.binds.size() == 2);
  co_await host.up();
  const auto result = co_await host.send("1:k", "hello");
  CHECK(outcome(result) == "sent");
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

SMPP_TEST("What only looks like a receipt is a text", looks_like) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("id:12345 stat:DELIVRD is what my phone says");
  UNTIL(host.smsc.answers.size() == 1);
  REQUIRE(host.texts.size() == 1);
  CHECK(host.texts[0].text == "id:12345 stat:DELIVRD is what my phone says");
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
