// What comes in over an SMPP link: texts, their segments, and what comes again.
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

SMPP_TEST("What only looks like a receipt is a text", looks_like) {
  host.start();
  co_await host.up();
  co_await host.smsc.deliver_text("id:12345 stat:DELIVRD is what my phone says");
  UNTIL(host.smsc.answers.size() == 1);
  REQUIRE(host.texts.size() == 1);
  CHECK(host.texts[0].text == "id:12345 stat:DELIVRD is what my phone says");
  co_await host.end();
}

}  // namespace
