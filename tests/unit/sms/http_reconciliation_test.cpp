// Whether a text of unknown outcome was sent.
#include "connectors/sms/http/reconciliation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms::http;
using namespace std::chrono_literals;

namespace {

const base::Time begun_at = base::Time(std::chrono::seconds(1795400000));

Sought sought() { return {"+15550001", "+15550100", digest_of("ok"), begun_at, "abc"}; }

Message listed(std::string id, std::chrono::seconds after) {
  Message m;
  m.id = std::move(id);
  m.from = "+15550001";
  m.to = "+15550100";
  m.text = "ok";
  m.created = begun_at + after;
  return m;
}

bool nobody(const std::string&) { return false; }
Found found(const Message& one) { return pick(sought(), {one}, nobody).found; }
std::string id_of(const std::vector<Message>& messages) { return pick(sought(), messages, nobody).id; }

}  // namespace

TEST_CASE("pick finds the message with the same ends, text and time") {
  CHECK(id_of({listed("SM1", 1s)}) == "SM1");
  CHECK(pick(sought(), {}, nobody).found == Found::absent);
}

TEST_CASE("pick goes by our reference where the list has it, whatever else the list shows") {
  auto rewritten = listed("SM1", 3h);
  rewritten.text = "okay";
  rewritten.ref = "abc";
  CHECK(id_of({rewritten}) == "SM1");
  auto equal = listed("SM2", 1s);
  equal.ref = "abd";
  CHECK(found(equal) == Found::absent);
}

TEST_CASE("pick passes over other ends, incoming ones, and other texts from before the attempt") {
  auto other = listed("SM1", 1s);
  other.to = "+15550101";
  CHECK(found(other) == Found::absent);
  other = listed("SM1", 1s);
  other.from = "+15550002";
  CHECK(found(other) == Found::absent);
  other = listed("SM1", 1s);
  other.is_inbound = true;
  CHECK(found(other) == Found::absent);
  other = listed("SM1", -121s);
  other.text = "okay";
  CHECK(found(other) == Found::absent);
}

TEST_CASE(
    "pick is unsure where the list hides or rewrites texts, numbers or times: another attempt could be a second "
    "message") {
  auto other = listed("SM1", 1s);
  other.text = "okay";
  CHECK(found(other) == Found::unsure);
  other.text.clear();  // redacted
  CHECK(found(other) == Found::unsure);
  other.to = "+1555XXXX";
  CHECK(found(other) == Found::unsure);
  other.to = "+1666XXXX";
  CHECK(found(other) == Found::absent);
  CHECK(found(listed("SM1", -121s)) == Found::unsure);
  CHECK(id_of({listed("SM1", -119s)}) == "SM1");  // clocks differ
}

TEST_CASE("pick takes no message for the text that was made an hour after its request") {
  CHECK(id_of({listed("SM1", 59min)}) == "SM1");
  CHECK(found(listed("SM1", 61min)) == Found::unsure);
}

TEST_CASE("pick reckons with the service's clock") {
  CHECK(pick(sought(), {listed("SM1", -600s)}, nobody, -600s).id == "SM1");
  CHECK(pick(sought(), {listed("SM1", 7200s)}, nobody, 7200s).id == "SM1");
}

TEST_CASE("pick never takes a message that is another text's: who writes \"ok\" twice has sent two") {
  const auto taken = [](const std::string& id) { return id == "SM1"; };
  CHECK(pick(sought(), {listed("SM1", -5s)}, taken).found == Found::absent);
  CHECK(pick(sought(), {listed("SM2", 3s), listed("SM1", -5s)}, taken).id == "SM2");
}

TEST_CASE("pick takes the earliest of several") { CHECK(id_of({listed("SM3", 9s), listed("SM2", 4s)}) == "SM2"); }

TEST_CASE("pick knows a message that has no sender yet, where the provider chooses it") {
  auto waiting = listed("SM1", 1s);
  waiting.from.clear();
  CHECK(id_of({waiting}) == "SM1");
}

TEST_CASE("is_redacted knows numbers with hidden digits, and no others") {
  CHECK(is_redacted("+1415555XXXX"));
  for (const char* other : {"+14155550100", "", "XXXX", "+X-ray", "ACME"}) CHECK_FALSE(is_redacted(other));
}

TEST_CASE("digest_of passes over spaces around a text") {
  CHECK(digest_of(" ok\n") == digest_of("ok"));
  CHECK(digest_of("ok") != digest_of("OK"));
}

TEST_CASE("until_next_look proves absence only by a look that begins after the service's patience") {
  CHECK(until_next_look(begun_at, begun_at, 20s) == 20s);
  CHECK(until_next_look(begun_at, begun_at + 15s, 20s) == 5s);
  CHECK(until_next_look(begun_at, begun_at + 20s, 20s) == 0s);
  CHECK(until_next_look(begun_at, begun_at + 1h, 20s) == 0s);
  CHECK(until_next_look(begun_at, begun_at - 1h, 20s) == 20s);  // the clock was set back
}

TEST_CASE("rightful takes a cursor back that is ahead of the service's clock") {
  CHECK(rightful(begun_at - 5s, begun_at, 0s) == begun_at - 5s);
  CHECK(rightful(begun_at + 60s, begun_at, 0s) == begun_at + 60s);  // clocks are not the same
  // It was set half an hour ago, by our clock, which is a day ahead.
  CHECK(rightful(begun_at + 24h - 30min, begun_at, -24h) == begun_at - 30min);
  // Ours has been set right since, or it is another error altogether.
  CHECK(rightful(begun_at + 24h, begun_at, 0s) == begun_at - 1h);
  CHECK(rightful(begun_at + 24h * 365, begun_at, -24h) == begun_at - 1h);
}

TEST_CASE("advance follows the latest text, never backwards, never into the future") {
  const base::Time now = begun_at + 10h;
  CHECK(advance(now - 10min, now - 5min, now) == now - 5min);
  CHECK(advance(now - 10min, now - 50min, now) == now - 10min);
  CHECK(advance(now - 10min, now + 99h, now) == now);
  CHECK(advance(now - 5h, std::nullopt, now) == now - 1h);
  CHECK(listing_start(now) == now - 10min);
}
