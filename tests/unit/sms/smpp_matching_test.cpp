// Every receipt goes to its own message, also where the SMS centre numbers them 1, 2, 3 … and so each id is, in the
// other notation, also the id of another message.
#include "connectors/sms/smpp/matching.hpp"

#include "tests/unit/sms/smpp_host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace wherry;
using namespace wherry::sms;
using connector::Stage;
using smpp::Command;
using smpp::Status;
using tests::FakeSmsc;
using tests::Host;
using tests::outcome;

namespace {

enum class Arrival { same_read, before, after, any };

struct Plan {
  bool hex_given = false, hex_receipts = false;
  bool one_number = false;
  Arrival arrival = Arrival::same_read;
  std::size_t outstanding = 50;
  unsigned first = 1;
};

std::string written(std::size_t number, bool hex) {
  return hex ? fmt::format("{:X}", number) : fmt::format("{}", number);
}

std::string number_of(const Plan& plan, std::size_t message) {
  return plan.one_number ? "+15550100" : fmt::format("+1555{:04}", 1000 + message);
}

// One text of a test, its fate, and what comes of it.
struct Text {
  std::size_t submission = 0;
  bool delivered = false;
  connector::Result<void> result;
};

// Sends `count` texts over a window of `plan.outstanding`; the SMS centre numbers them in the order of their arrival,
// answers those of a window in any order, and reports on each what its fate is.
asio::awaitable<void> exchange(Host* host, Plan plan, std::size_t count) {
  std::minstd_rand random(20260101);
  co_await host->up();
  host->smsc.silent = true;
  std::vector<Text> texts(count);
  std::uint32_t sequence = 0;
  for (std::size_t begun = 0; begun < count; begun += plan.outstanding) {
    const std::size_t end = std::min(count, begun + plan.outstanding);
    for (std::size_t i = begun; i < end; ++i) {
      texts[i].delivered = random() % 2 == 0;
      host->begin(fmt::format("1:{}", i), fmt::format("text {}", i), &texts[i].result, number_of(plan, i));
    }
    auto submitted = [&] { return host->smsc.submitted.size() >= end; };
    co_await host->smsc.until(std::move(submitted));
    for (std::size_t s = begun; s < end; ++s)
      texts.at(std::stoul(host->smsc.submitted[s].message.text.substr(5))).submission = s;

    std::vector<std::size_t> order(end - begun);
    std::iota(order.begin(), order.end(), begun);
    std::shuffle(order.begin(), order.end(), random);
    std::vector<std::string> answers, receipts, all;
    for (const std::size_t i : order) {
      const FakeSmsc::Submitted& s = host->smsc.submitted[texts[i].submission];
      const std::size_t id = plan.first + texts[i].submission;
      answers.push_back(encode(smpp::response_to(Command::submit_sm), Status::ok, s.sequence,
                               smpp::encode_c_string(written(id, plan.hex_given))));
      auto m = FakeSmsc::message(fmt::format("id:{} stat:{} err:000 text:", written(id, plan.hex_receipts),
                                             texts[i].delivered ? "DELIVRD" : "UNDELIV"),
                                 4);
      m.source.digits = number_of(plan, i).substr(1);
      receipts.push_back(encode(Command::deliver_sm, Status::ok, ++sequence, encode_body(m, Command::deliver_sm)));
      all.push_back(answers.back());
      all.push_back(receipts.back());
    }
    if (plan.arrival == Arrival::before || plan.arrival == Arrival::after) {
      std::shuffle(receipts.begin(), receipts.end(), random);
      const bool before = plan.arrival == Arrival::before;
      all = before ? receipts : answers;
      all.insert(all.end(), before ? answers.begin() : receipts.begin(), before ? answers.end() : receipts.end());
    } else if (plan.arrival == Arrival::any) {
      std::shuffle(all.begin(), all.end(), random);
    }
    co_await host->smsc.write_raw(std::accumulate(all.begin(), all.end(), std::string()));
    auto answered = [&] { return host->smsc.answers.size() >= end; };
    co_await host->smsc.until(std::move(answered));
  }
  auto reported = [&] { return host->reports.size() >= count; };
  co_await host->smsc.until(std::move(reported));
  for (const auto& text : texts) CHECK(outcome(text.result) == "sent");
  std::vector<int> told(count, 0);
  for (const auto& report : host->reports) {
    const std::size_t i = std::stoul(report.key.substr(2));
    CHECK(++told.at(i) == 1);
    if ((report.stage == Stage::delivered) != texts[i].delivered) FAIL_CHECK("text " << i << " was told a lie");
  }
  CHECK(host->storage.count("main/r/") == 0);
  co_await host->end();
}

void try_plan(const Plan& plan, std::size_t count) {
  INFO("given in ", std::string(plan.hex_given ? "hex" : "decimal"), ", receipts in ",
       std::string(plan.hex_receipts ? "hex" : "decimal"), ", arrival ", static_cast<int>(plan.arrival), ", at once ",
       plan.outstanding, std::string(plan.one_number ? ", one number" : ", many"));
  asio::io_context loop;
  Host host(loop);
  host.start({{"window", plan.outstanding}});
  tests::run(loop, exchange(&host, plan, count));
}

// Waits until the SMS centre has it, which does not answer.
asio::awaitable<void> submit(Host* host, std::string key, connector::Result<void>* result) {
  host->smsc.silent = true;
  const std::size_t before = host->smsc.submitted.size();
  host->begin(std::move(key), "hello", result);
  auto submitted = [&] { return host->smsc.submitted.size() > before; };
  co_await host->smsc.until(std::move(submitted));
}

// To the newest text.
asio::awaitable<void> answer(Host* host, std::string id) {
  co_await host->smsc.write_raw(encode(smpp::response_to(Command::submit_sm), Status::ok,
                                       host->smsc.submitted.back().sequence, smpp::encode_c_string(id)));
}

// Waits until it is sent, under this id.
asio::awaitable<void> send_as(Host* host, std::string key, std::string id) {
  connector::Result<void> result;
  co_await submit(host, std::move(key), &result);
  co_await answer(host, std::move(id));
  auto sent = [&] { return outcome(result) != "unsupported"; };
  co_await host->smsc.until(std::move(sent));
  CHECK(outcome(result) == "sent");
}

// Its fate is not known, and the link is there again.
asio::awaitable<void> lose(Host* host, std::string key) {
  connector::Result<void> result;
  co_await submit(host, std::move(key), &result);
  host->smsc.drop();
  auto uncertain = [&] { return outcome(result) == "uncertain"; };
  co_await host->smsc.until(std::move(uncertain));
  co_await host->up();
}

asio::awaitable<void> receive(Host* host, std::string id, std::string stat = "DELIVRD") {
  const std::size_t before = host->smsc.answers.size();
  co_await host->smsc.deliver_receipt(std::move(id), std::move(stat));
  auto answered = [&] { return host->smsc.answers.size() > before; };
  co_await host->smsc.until(std::move(answered));
}

asio::awaitable<void> restart(Host* host) {
  co_await host->stop();
  host->smsc.answers.clear();
  host->start();
  co_await host->up();
}

}  // namespace

TEST_CASE("Of a counter in any notation every receipt goes to its own message, to many numbers or to one") {
  for (const bool one_number : {true, false}) {
    for (const bool hex_given : {false, true}) {
      for (const bool hex_receipts : {false, true}) {
        for (const Arrival arrival : {Arrival::same_read, Arrival::before, Arrival::after, Arrival::any}) {
          try_plan({hex_given, hex_receipts, one_number, arrival}, 200);
        }
      }
    }
  }
}

TEST_CASE("So it is with a thousand to one number at once") {
  for (const bool hex_given : {false, true}) {
    for (const bool hex_receipts : {false, true}) {
      for (const Arrival arrival : {Arrival::before, Arrival::after})
        try_plan({hex_given, hex_receipts, true, arrival, 1000}, 1000);
    }
  }
}

SMPP_TEST("A receipt that comes again after a restart is nobody else's, though it could be converted", repeats) {
  host.start();
  co_await host.up();
  for (int id = 1; id <= 80; ++id) co_await send_as(&host, fmt::format("1:{}", id), fmt::format("{}", id));
  for (int id = 1; id < 80; ++id) co_await receive(&host, fmt::format("{}", id));
  CHECK(host.reports.size() == 79);
  co_await restart(&host);
  for (const char* id : {"50", "128"}) co_await receive(&host, id);  // of 80 in the two other readings
  CHECK(host.reports.size() == 79);
  co_await receive(&host, "80");
  REQUIRE(host.reports.size() == 80);
  CHECK(host.reports.back().key == "1:80");
  co_await host.end();
}

SMPP_TEST("Which notation a link's receipts have is still known after a restart", remembers) {
  host.start();
  co_await host.up();
  for (unsigned id = 1; id <= 0x80; ++id) co_await send_as(&host, fmt::format("1:{}", id), fmt::format("{:x}", id));
  for (unsigned id = 1; id <= 40; ++id) co_await receive(&host, fmt::format("{}", id));
  co_await send_as(&host, "1:last", "81");  // its record holds what is known by now
  co_await restart(&host);
  const auto before = host.reports.size();
  co_await receive(&host, "80", "UNDELIV");  // of 0x50; by the letter it would be 0x80's
  REQUIRE(host.reports.size() == before + 1);
  CHECK(host.reports.back().key == "1:80");
  co_await receive(&host, "40");  // once more
  CHECK(host.reports.size() == before + 1);
  co_await host.end();
}

SMPP_TEST("While a receipt can be read in two ways, it is nobody's; once it cannot, it is brought home", ambiguous) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "50");
  co_await send_as(&host, "1:b", "80");
  co_await receive(&host, "80");
  CHECK(host.reports.empty());
  CHECK(host.storage.count("main/r/") == 1);
  co_await send_as(&host, "1:c", "A0");
  co_await receive(&host, "a0");  // hexadecimal here too: by the letter
  REQUIRE(host.reports.size() == 2);
  CHECK(host.reports[0].key == "1:c");
  CHECK(host.reports[1].key == "1:b");
  CHECK(host.storage.count("main/r/") == 0);
  co_await host.end();
}

SMPP_TEST("A receipt whose own text has no answer yet waits for it, rather than to be another's in the other notation",
          waits) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "A");
  connector::Result<void> result;
  co_await submit(&host, "1:b", &result);
  co_await receive(&host, "10");  // 0xA, or what is still to be answered
  CHECK(host.reports.empty());
  co_await answer(&host, "B");
  UNTIL(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:a");
  co_await host.end();
}

SMPP_TEST("A conversion is not believed where a text of unknown outcome fits as well", doubts) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "A");
  co_await lose(&host, "1:b");
  co_await receive(&host, "10");
  CHECK(host.reports.empty());
  CHECK(host.storage.count("main/r/") == 1);
  co_await host.end();
}

SMPP_TEST(
    "What has a receipt's words only is one where the addresses agree with the text's; bits or parameters make one of "
    "any (SMPP 3.4 §5.2.12, §5.3.2.12)",
    looks) {
  struct Form {
    std::string source, destination;
    std::uint8_t esm_class;
    bool parameter;
    bool counts;
  };
  const std::string us = "15550001", recipient = "15550100", stranger = "15559999";
  const std::vector<Form> forms = {
      {stranger, us, 0, false, false},    {stranger, recipient, 0, false, false}, {us, stranger, 0, false, false},
      {recipient, us, 0, false, true},    {"005550100", us, 0, false, true},  // a national form
      {recipient, "777", 0, false, true},                                     // the sender as the centre rewrote it
      {us, recipient, 0, false, true},                                        // swapped
      {stranger, us, 4, false, true},     {stranger, us, 0, true, true},      // no handset writes this parameter
  };
  host.start();
  co_await host.up();
  std::size_t texts = 0, reports = 0;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    CAPTURE(i);
    const std::string id = fmt::format("G{}", i);
    co_await send_as(&host, fmt::format("1:{}", i), id);
    auto m = FakeSmsc::message("id:" + id + " stat:DELIVRD err:000", forms[i].esm_class);
    m.source.digits = forms[i].source;
    m.destination.digits = forms[i].destination;
    if (forms[i].parameter) m.tlvs = {{smpp::tag::receipted_message_id, smpp::encode_c_string(id)}};
    co_await host.smsc.deliver(std::move(m));
    ++(forms[i].counts ? reports : texts);
    UNTIL(host.texts.size() + host.reports.size() == texts + reports);
    CHECK(host.texts.size() == texts);
    CHECK(host.reports.size() == reports);
  }
  co_await host.end();
}

SMPP_TEST("An id that is converted counts with swapped addresses, too, and not with a stranger's", swapped) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "1F");
  auto m = FakeSmsc::message("id:31 stat:DELIVRD err:000", 4);
  m.source.digits = "15559999";
  co_await host.smsc.deliver(m);
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.reports.empty());
  m.source.digits = "15550001";
  m.destination.digits = "15550100";
  co_await host.smsc.deliver(m);
  UNTIL(host.smsc.answers.size() == 2);
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:a");
  co_await host.end();
}

SMPP_TEST("An id that two texts have is the one's whose recipient the receipt comes from (SMPP 3.4 §2.11)", shared_id) {
  host.start();
  co_await host.up();
  connector::Result<void> results[2];
  host.smsc.silent = true;
  for (int i = 0; i < 2; ++i) {
    host.begin(fmt::format("1:{}", i), "hello", &results[i], i == 0 ? "+15550140" : "+15550141");
    auto submitted = [&] { return host.smsc.submitted.size() > static_cast<std::size_t>(i); };
    co_await host.smsc.until(std::move(submitted));
    co_await answer(&host, "1");
    auto sent = [&] { return outcome(results[i]) == "sent"; };
    co_await host.smsc.until(std::move(sent));
  }
  for (const bool restarted : {false, true}) {
    if (restarted) co_await restart(&host);
    auto m = FakeSmsc::message(fmt::format("id:1 stat:{} err:000", restarted ? "UNDELIV" : "DELIVRD"), 4);
    m.source.digits = restarted ? "15550141" : "15550140";
    co_await host.smsc.deliver(std::move(m));
    UNTIL(host.reports.size() == (restarted ? 2U : 1U));
  }
  CHECK(host.reports[0].key == "1:0");
  CHECK(host.reports[0].stage == Stage::delivered);
  CHECK(host.reports[1].key == "1:1");
  CHECK(host.reports[1].stage == Stage::failed);
  co_await host.end();
}

SMPP_TEST("Of two texts with one id and neither's recipient the receipt is nobody's", nobodys_id) {
  host.start();
  co_await host.up();
  for (const char* key : {"1:a", "1:b"}) co_await send_as(&host, key, "X1");
  auto m = FakeSmsc::message("id:X1 stat:DELIVRD err:000", 4);
  m.source.digits = "15559999";
  co_await host.smsc.deliver(std::move(m));
  UNTIL(host.smsc.answers.size() == 1);
  CHECK(host.reports.empty());
  co_await receive(&host, "X1");  // of their recipient: the newest, then the other
  co_await receive(&host, "X1");
  REQUIRE(host.reports.size() == 2);
  co_await host.end();
}

SMPP_TEST("An id that all segments of a text have is that text's, and each receipt another segment's", segments_share) {
  host.start();
  co_await host.up();
  connector::Result<void> result;
  host.smsc.silent = true;
  host.begin("1:k", std::string(200, 'x'), &result);
  UNTIL(host.smsc.submitted.size() == 2);
  for (const auto& submitted : host.smsc.submitted) {
    co_await host.smsc.write_raw(encode(smpp::response_to(Command::submit_sm), Status::ok, submitted.sequence,
                                        smpp::encode_c_string("83120669")));
  }
  UNTIL(outcome(result) == "sent");
  co_await receive(&host, "83120669");
  CHECK(host.reports.empty());
  co_await restart(&host);
  co_await receive(&host, "83120669");
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].stage == Stage::delivered);
  CHECK(host.storage.count("main/i/") == 0);
  co_await host.end();
}

SMPP_TEST("Where all segments have one id, a receipt before its segment's answer is not the one's that has had its own",
          segments_share_early) {
  host.start();
  co_await host.up();
  connector::Result<void> result;
  host.smsc.silent = true;
  host.begin("1:k", std::string(200, 'x'), &result);
  UNTIL(host.smsc.submitted.size() == 2);
  const auto answer_to = [&](std::size_t segment) {
    return encode(smpp::response_to(Command::submit_sm), Status::ok, host.smsc.submitted[segment].sequence,
                  smpp::encode_c_string("83120669"));
  };
  co_await host.smsc.write_raw(answer_to(0));
  co_await receive(&host, "83120669");
  co_await receive(&host, "83120669");
  CHECK(host.reports.empty());
  CHECK(host.storage.count("main/r/") >= 1);  // the first one may have come before its answer, too
  co_await host.smsc.write_raw(answer_to(1));
  UNTIL(outcome(result) == "sent" && host.reports.size() == 1);
  CHECK(host.reports[0].stage == Stage::delivered);
  CHECK(host.storage.count("main/r/") == 0);
  CHECK(host.storage.count("main/i/") == 0);
  co_await host.end();
}

SMPP_TEST("When an old text is forgotten, a newer one with its id keeps its own entry", id_comes_again) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "A1000");
  host.clock.time += std::chrono::hours(100);
  co_await send_as(&host, "1:b", "A1000");
  host.clock.time += std::chrono::hours(45);  // the first one's record is swept at the start
  co_await restart(&host);
  co_await receive(&host, "A1000");
  REQUIRE(host.reports.size() == 1);
  CHECK(host.reports[0].key == "1:b");
  CHECK(host.storage.entries.empty());
  co_await host.end();
}

SMPP_TEST("A receipt whose parameter names nobody's text is its text's, and hyphens of an id may get lost", two_ids) {
  host.start();
  co_await host.up();
  co_await send_as(&host, "1:a", "5f878c79");
  auto m = FakeSmsc::message("id:5f878c79 stat:DELIVRD err:000", 4);
  m.tlvs = {{smpp::tag::receipted_message_id, smpp::encode_c_string("99887766")},
            smpp::number_tlv(smpp::tag::message_state, 2, 1)};
  co_await host.smsc.deliver(m);
  UNTIL(host.reports.size() == 1);
  co_await send_as(&host, "1:b", "b036c3b7-6120-4ced-bdbe-cc1d8e684958");
  co_await receive(&host, "B036C3B761204CEDBDBECC1D8E684958");
  REQUIRE(host.reports.size() == 2);
  CHECK(host.reports[1].key == "1:b");
  // So it is where the receipt waits for the answer.
  m.text = "id:later-1 stat:DELIVRD err:000";
  co_await host.smsc.deliver(m);
  UNTIL(host.smsc.answers.size() == 3);
  CHECK(host.storage.count("main/r/") == 1);
  co_await send_as(&host, "1:c", "later-1");
  UNTIL(host.reports.size() == 3);
  CHECK(host.reports[2].key == "1:c");
  CHECK(host.storage.count("main/r/") == 0);
  co_await host.end();
}

SMPP_TEST("What has a receipt's words only is not held for a text of unknown outcome", guesses) {
  host.start();
  co_await host.up();
  co_await lose(&host, "1:a");
  co_await host.smsc.deliver_text("id:7 stat:DELIVRD");
  UNTIL(host.texts.size() + host.reports.size() == 1);
  CHECK(host.reports.empty());
  co_await host.end();
}

namespace {

std::shared_ptr<smpp::Record> record_to(std::string key, std::string number) {
  auto record = std::make_shared<smpp::Record>();
  record->key = std::move(key);
  record->from = {Address::Type::international, "+15550001"};
  record->to = {Address::Type::international, std::move(number)};
  record->segments.push_back({smpp::SegmentState::written, {}, {}});
  return record;
}

smpp::ReportedReceipt receipt_from(std::string digits, std::string id) {
  smpp::ReportedReceipt receipt;
  receipt.receipt = {std::move(id), smpp::MessageState::delivered, "", "", ""};
  receipt.source = {1, 1, std::move(digits)};
  receipt.destination = {1, 1, "15550001"};
  return receipt;
}

}  // namespace

TEST_CASE("A receipt from another number waits for a text to that number whose answer is still to come") {
  smpp::Matching matching;
  const auto named = record_to("1:named", "+15550200"), unnamed = record_to("1:unnamed", "+15550100");
  const std::uint64_t number = matching.started(unnamed->to);
  smpp::ReportedReceipt receipt = receipt_from("15550100", "id-4");
  receipt.after = matching.last_started();
  matching.sent(named, 0, "id-4");
  CHECK_FALSE(matching.decide(receipt, {}));
  matching.ended(number, unnamed->to);
  matching.add_unknown(unnamed);  // no answer came
  CHECK(matching.conclude(receipt, {}).record == unnamed);
}

TEST_CASE("A receipt that comes again is the text's that had no id before it, and not another's with that id") {
  smpp::Matching matching;
  const auto unnamed = record_to("1:unnamed", "+15550100"), named = record_to("1:named", "+15550200");
  matching.add_unknown(unnamed);
  const smpp::ReportedReceipt receipt = receipt_from("15550100", "id-4");
  CHECK(matching.conclude(receipt, {}).record == unnamed);
  unnamed->segments[0].state = smpp::SegmentState::delivered;
  matching.erase_unknown(*unnamed);
  matching.sent(named, 0, "id-4");
  CHECK(matching.conclude(receipt, {}).record == unnamed);
}

TEST_CASE("A receipt from another number is not about a text that has had its own") {
  smpp::Matching matching;
  const auto named = record_to("1:named", "+15550200");
  matching.sent(named, 0, "id-4");
  named->segments[0].state = smpp::SegmentState::failed;
  CHECK_FALSE(matching.conclude(receipt_from("15550100", "id-4"), {}).record);
}

TEST_CASE("A receipt for a segment that has had its own waits for the answers to its text's other segments") {
  smpp::Matching matching;
  const auto text = record_to("1:k", "+15550100");
  text->segments.resize(2, {smpp::SegmentState::written, {}, {}});
  matching.ended(matching.started(text->to), text->to);
  const std::uint64_t second = matching.started(text->to);
  matching.sent(text, 0, "id-4");
  text->segments[0].state = smpp::SegmentState::delivered;
  smpp::ReportedReceipt receipt = receipt_from("15550100", "id-4");
  receipt.after = matching.last_started();
  CHECK_FALSE(matching.decide(receipt, {}));
  SUBCASE("the second one has another id: the receipt came again") {
    matching.ended(second, text->to);
    text->segments[1].state = smpp::SegmentState::sent;
    matching.sent(text, 1, "id-5");
    CHECK(matching.conclude(receipt, {}).segment == 0);
  }
  SUBCASE("the second one has the same id: it is its receipt") {
    matching.ended(second, text->to);
    text->segments[1].state = smpp::SegmentState::sent;
    matching.sent(text, 1, "id-4");
    CHECK(matching.conclude(receipt, {}).segment == 1);
  }
  SUBCASE("no answer came: nothing waits for ever") {
    matching.ended(second, text->to);
    CHECK(matching.conclude(receipt, {}).record == text);
  }
}
