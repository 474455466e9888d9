// Whether a text of unknown outcome was sent.
#include "connectors/sms/http/reconciliation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms::http;
using namespace std::chrono_literals;

namespace {

const base::Time begun_at = base::Time(std::chrono::seconds(1795400000));

Sought sought() { return {"+15550001", "+15550100", digest_of("ok"), begun_at}; }

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

}  // namespace

TEST_CASE("pick finds the message with the same ends, text and time") {
  CHECK(pick(sought(), {listed("SM1", 1s)}, nobody) == "SM1");
  CHECK_FALSE(pick(sought(), {}, nobody));
}

TEST_CASE("pick passes over other texts, other ends, incoming ones, and what is older than the attempt") {
  auto other = listed("SM1", 1s);
  other.text = "okay";
  CHECK_FALSE(pick(sought(), {other}, nobody));
  other = listed("SM1", 1s);
  other.to = "+15550101";
  CHECK_FALSE(pick(sought(), {other}, nobody));
  other = listed("SM1", 1s);
  other.from = "+15550002";
  CHECK_FALSE(pick(sought(), {other}, nobody));
  other = listed("SM1", 1s);
  other.is_inbound = true;
  CHECK_FALSE(pick(sought(), {other}, nobody));
  CHECK_FALSE(pick(sought(), {listed("SM1", -121s)}, nobody));
  CHECK(pick(sought(), {listed("SM1", -119s)}, nobody) == "SM1");  // clocks differ
}

TEST_CASE("pick never takes a message that is another text's: who writes \"ok\" twice has sent two") {
  const auto taken = [](const std::string& id) { return id == "SM1"; };
  CHECK_FALSE(pick(sought(), {listed("SM1", -5s)}, taken));
  CHECK(pick(sought(), {listed("SM2", 3s), listed("SM1", -5s)}, taken) == "SM2");
}

TEST_CASE("pick takes the earliest of several") {
  CHECK(pick(sought(), {listed("SM3", 9s), listed("SM2", 4s)}, nobody) == "SM2");
}

TEST_CASE("pick knows a message that has no sender yet, where the provider chooses it") {
  auto waiting = listed("SM1", 1s);
  waiting.from.clear();
  CHECK(pick(sought(), {waiting}, nobody) == "SM1");
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

TEST_CASE("advance follows the latest text, never backwards, never into the future") {
  const base::Time now = begun_at + 10h;
  CHECK(advance(now - 10min, now - 5min, now) == now - 5min);
  CHECK(advance(now - 10min, now - 50min, now) == now - 10min);
  CHECK(advance(now - 10min, now + 99h, now) == now);
  CHECK(advance(now - 5h, std::nullopt, now) == now - 1h);
  CHECK(listing_start(now) == now - 10min);
}
