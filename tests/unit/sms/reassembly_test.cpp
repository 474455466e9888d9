#include "connectors/sms/text/reassembly.hpp"
#include "connectors/sms/parts/redelivery.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace wherry;
using namespace wherry::sms;
using namespace std::chrono_literals;
using Outcome = Reassembly::Outcome;

namespace {

const base::Time start_time = base::from_milliseconds(1'795'000'000'000);

Piece piece(unsigned part, std::string octets, unsigned total = 3, base::Time at = start_time,
            Alphabet alphabet = Alphabet::gsm7) {
  return {"+15550100|+15550001|0|7|" + std::to_string(total), total, part, alphabet, {}, std::move(octets), at};
}

// Our answer to the same octets may be lost.
Piece again(Piece piece) {
  piece.again = true;
  return piece;
}

// A store that a restart reads again.
struct Store {
  std::map<std::string, std::string> entries;
  void write(const std::vector<connector::Entry>& changes) {
    for (const auto& e : changes) {
      if (e.value.empty()) entries.erase(e.key);
      else entries[e.key] = e.value;
    }
  }
  Reassembly restart(base::Time now) const {
    Reassembly again(30min);
    for (const auto& [key, value] : entries) again.restore({key, value}, now);
    return again;
  }
};

}  // namespace

TEST_CASE("A long text is put together whatever the order of its segments") {
  std::vector<unsigned> order = {1, 2, 3, 4};
  do {
    Reassembly reassembly(30min);
    std::string text;
    for (const unsigned part : order) {
      auto added = reassembly.add(piece(part, std::string(1, static_cast<char>('a' + part)), 4));
      CHECK((added.outcome == Outcome::complete) == (part == order.back()));
      if (added.joined) text = added.joined->text;
    }
    CHECK(text == "bcde");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("A segment that comes twice counts once, before and after the text is whole") {
  Reassembly reassembly(30min);
  CHECK(reassembly.add(piece(1, "a")).outcome == Outcome::waiting);
  CHECK(reassembly.add(piece(1, "a")).outcome == Outcome::repeated);
  CHECK(reassembly.add(piece(3, "c")).outcome == Outcome::waiting);
  CHECK(reassembly.add(piece(2, "b")).joined->text == "abc");
  CHECK(reassembly.add(again(piece(2, "b", 3, start_time + 10min))).outcome == Outcome::repeated);
  CHECK(reassembly.add(again(piece(1, "a", 3, start_time + 10min))).outcome == Outcome::repeated);
}

TEST_CASE("Two equal long texts under one reference are two texts, and so are two with an equal beginning") {
  Reassembly reassembly(30min);
  std::set<std::string> ids;
  for (const char* end : {"is down", "is down", "is up again"}) {
    CHECK(reassembly.add(piece(1, "ALERT ", 2, start_time + 1min)).outcome == Outcome::waiting);
    const auto added = reassembly.add(piece(2, end, 2, start_time + 1min));
    REQUIRE(added.joined);
    CHECK(added.joined->text == std::string("ALERT ") + end);
    ids.insert(added.joined->id);
  }
  CHECK(ids.size() == 3);
  CHECK(reassembly.expire(start_time + 30min).empty());
}

TEST_CASE("However many texts were finished, those under way are not given up") {
  Reassembly reassembly(30min);
  const auto of = [](const std::string& sender, unsigned part, std::string octets) {
    Piece p = piece(part, std::move(octets), 2);
    p.group = sender;
    return p;
  };
  reassembly.add(of("alice", 1, "hello "));
  std::size_t forgotten = 0;
  for (std::size_t i = 0; i < Reassembly::most_finished + 100; ++i) {
    const std::string sender = "s" + std::to_string(i);
    CHECK_FALSE(reassembly.add(of(sender, 1, "a")).overtaken);
    const auto added = reassembly.add(of(sender, 2, "b"));
    forgotten += static_cast<std::size_t>(
        std::count_if(added.store.begin(), added.store.end(), [](const auto& e) { return e.key.ends_with("/done"); }));
  }
  CHECK(forgotten == 100);  // the memory of them is bounded, in the store, too
  CHECK(reassembly.add(of("alice", 2, "there")).joined->text == "hello there");
}

TEST_CASE("Of too many unfinished texts the oldest is given up, and it alone") {
  Reassembly reassembly(30min);
  for (std::size_t i = 0; i < Reassembly::most_unfinished; ++i) {
    Piece p = piece(1, "text " + std::to_string(i), 2, start_time + std::chrono::milliseconds(i));
    p.group = "s" + std::to_string(i);
    CHECK_FALSE(reassembly.add(std::move(p)).overtaken);
  }
  Piece one_more = piece(1, "more", 2, start_time + 1min);
  const auto added = reassembly.add(std::move(one_more));
  REQUIRE(added.overtaken);
  CHECK(added.overtaken->group == "s0");
}

TEST_CASE("A clock that is put back makes no text wait longer") {
  Reassembly reassembly(30min);
  reassembly.add(piece(1, "a", 2, start_time + 24h));
  CHECK(reassembly.expire(start_time).empty());
  REQUIRE(reassembly.expire(start_time + 30min).size() == 1);
  CHECK(reassembly.expire(start_time + 59min).empty());
  CHECK(reassembly.expire(start_time + 60min).size() == 1);  // the memory of it
}

TEST_CASE("A text that another had overtaken before a crash is delivered after it, and the other goes on") {
  Store store;
  Reassembly before(30min);
  store.write(before.add(piece(1, "old", 2)).store);
  store.write(before.add(piece(1, "new ", 2, start_time + 1min)).store);  // killed before the old one was delivered
  Reassembly after = store.restart(start_time + 2min);
  auto remains = after.expire(start_time + 2min);
  REQUIRE(remains.size() == 1);
  CHECK(remains[0].text.starts_with("old"));
  store.write(remains[0].forget);
  CHECK(store.entries.size() == 1);
  CHECK(after.add(piece(2, "text", 2, start_time + 2min)).joined->text == "new text");
}

TEST_CASE("Each segment of a text may have a byte order mark, or the first alone (RFC 2781 §3.2)") {
  const auto text = [](const char* one, const char* two) {
    Reassembly reassembly(30min);
    reassembly.add(piece(1, *base::from_hex(one), 2, start_time, Alphabet::ucs2));
    return reassembly.add(piece(2, *base::from_hex(two), 2, start_time, Alphabet::ucs2)).joined->text;
  };
  CHECK(text("fffe1404", "fffe3e04") == "До");
  CHECK(text("fffe1404", "3e04") == "До");
  CHECK(text("feff0414", "feff043e") == "До");
  CHECK(text("feff0414", "fffe3e04") == "До");
  CHECK(text("0414", "043e") == "До");
}

TEST_CASE("Reassembly survives a restart after any segment, with the same id") {
  Store store;
  Reassembly before(30min);
  store.write(before.add(piece(2, "b")).store);
  Reassembly after = store.restart(start_time + 1min);
  store.write(after.add(piece(1, "a", 3, start_time + 1min)).store);
  // Killed between publishing the text and storing that it was: the last segment comes again.
  auto first = store.restart(start_time + 2min).add(piece(3, "c", 3, start_time + 2min));
  auto second = store.restart(start_time + 3min).add(piece(3, "c", 3, start_time + 3min));
  REQUIRE(first.joined);
  REQUIRE(second.joined);
  CHECK(first.joined->text == "abc");
  CHECK(first.joined->id == second.joined->id);
  // Killed after the last segment was stored and before the text was published: it is whole at the start.
  store.write(second.store);
  auto whole = store.restart(start_time + 4min).expire(start_time + 4min);
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].text == "abc");
  CHECK(whole[0].id == first.joined->id);
  // And once it is done, a repetition is known for one, also after a restart.
  store.write(whole[0].forget);
  CHECK(store.entries.size() == 1);
  CHECK(store.restart(start_time + 5min).add(again(piece(2, "b", 3, start_time + 5min))).outcome == Outcome::repeated);
}

TEST_CASE("An unfinished text is delivered as it is, marked, and its late segment after it: nothing is dropped") {
  Store store;
  Reassembly reassembly(30min);
  store.write(reassembly.add(piece(1, "one ", 4)).store);
  store.write(reassembly.add(piece(4, "four", 4)).store);
  CHECK(reassembly.expire(start_time + 29min).empty());
  auto given_up = reassembly.expire(start_time + 30min);
  REQUIRE(given_up.size() == 1);
  CHECK(given_up[0].text == "one  […] four\n[Incomplete: part 2, 3 of 4 did not arrive.]");
  CHECK(reassembly.expire(start_time + 31min).empty());
  store.write(given_up[0].forget);
  auto late = reassembly.add(piece(2, "two", 4, start_time + 40min));
  CHECK(late.outcome == Outcome::late);
  CHECK(late.joined->text == "[Part 2 of 4 of an earlier text:] two");
  CHECK(reassembly.add(again(piece(2, "two", 4, start_time + 41min))).outcome == Outcome::repeated);
  // The memory of it ends as well.
  auto forgotten = reassembly.expire(start_time + 61min);
  REQUIRE(forgotten.size() == 1);
  CHECK(forgotten[0].is_nothing());
  store.write(forgotten[0].forget);
  CHECK(store.entries.empty());
}

TEST_CASE("Another text under the same reference begins anew, and the first one's remains are delivered") {
  Store store;
  Reassembly reassembly(30min);
  store.write(reassembly.add(piece(1, "old", 2)).store);
  auto added = reassembly.add(piece(1, "new ", 2));
  REQUIRE(added.overtaken);
  CHECK(added.overtaken->text == "old […] \n[Incomplete: part 2 of 2 did not arrive.]");
  store.write(added.store);
  auto last = reassembly.add(piece(2, "text", 2));
  CHECK(last.joined->text == "new text");
  store.write(last.store);
  store.write(added.overtaken->forget);  // also in this order
  store.write(last.joined->forget);
  CHECK(store.entries.size() == 1);
  // The reference has come round after the text was whole.
  auto third = reassembly.add(piece(1, "third", 2));
  CHECK(third.outcome == Outcome::waiting);
  CHECK_FALSE(third.overtaken);
}

TEST_CASE("A character that the sender cut in two is whole again (RFC 2781)") {
  Reassembly reassembly(30min);
  reassembly.add(piece(1, std::string("\x00\x61\xD8\x3D", 4), 2, start_time, Alphabet::ucs2));
  CHECK(reassembly.add(piece(2, std::string("\xDE\x00", 2), 2, start_time, Alphabet::ucs2)).joined->text == "a😀");
  Reassembly escape(30min);
  escape.add(piece(1, "a\x1B", 2));
  CHECK(escape.add(piece(2, "\x65", 2)).joined->text == "a€");
  Reassembly mixed(30min);
  mixed.add(piece(1, "gsm ", 2));
  CHECK(mixed.add(piece(2, std::string("\x04\x20", 2), 2, start_time, Alphabet::ucs2)).joined->text == "gsm Р");
}

TEST_CASE("Entries that cannot be read are passed over at the start") {
  Reassembly reassembly(30min);
  for (const auto& [key, value] : {std::pair("group/5/001", "not json"),
                                   {"nothing", "{}"},
                                   {"group/five/001", R"({"total":2,"part":1})"},
                                   {"group/5/001", R"({"total":"two","part":1})"},
                                   {"group/5/001", R"({"total":2,"part":3})"},
                                   {"group/99999999999999999999/001", R"({"total":2,"part":1})"},
                                   {"group/done", R"({"done":{"x":"y"}})"},
                                   {"group/done", R"({"done":{"1":5}})"},
                                   {"group/done", R"({"done":{}})"},
                                   {"group/done", "{}"},
                                   {"group/5/001", "1/2/1/0/gsm7//0/0"},
                                   {"group/5/001", "1/2/1/0/gsm7//0/0/4"},
                                   {"group/5/001", "1/2/3/0/gsm7//0/0/41"},
                                   {"group/5/001", "1/two/1/0/gsm7//0/0/41"},
                                   {"group/5/001", "2/2/1/0/gsm7//0/0/41"},
                                   {"group/done", "1/2"},
                                   {"group/done", "1/2/1"},
                                   {"group/done", "1/2/x/digest"}}) {
    CAPTURE(value);
    CHECK_FALSE(reassembly.restore({key, value}, start_time));
  }
  CHECK(reassembly.expire(start_time + 24h).empty());
}

TEST_CASE("Segments are stored as short text; those of an earlier release, which wrote JSON, are read") {
  Reassembly reassembly(30min);
  Piece first = piece(1, "a/b", 2);
  first.charset = "EUC-KR";
  first.shifts = {1, 2};
  const auto added = reassembly.add(first);
  const std::string began = std::to_string(base::to_milliseconds(start_time));
  REQUIRE(added.store.size() == 1);
  CHECK(added.store[0].value == "1/2/1/" + began + "/gsm7/EUC-KR/1/2/612f62");
  const auto whole = Reassembly(30min).add(piece(1, "a", 1));
  REQUIRE(whole.joined);
  CHECK(whole.joined->forget.back().value.starts_with("1/1/1/"));

  Store store;
  store.entries["+15550100|+15550001|0|7|2/" + began + "/001"] =
      R"({"charset":"","total":2,"part":1,"alphabet":"gsm7","single":0,"locking":0,"data":"4865","at":)" + began + "}";
  store.entries["other/done"] = R"({"total":2,"done":{"1":"abc"}})";
  Reassembly restarted = store.restart(start_time);
  CHECK(restarted.add(piece(2, "llo", 2)).joined->text == "Hello");
}

TEST_CASE("A text is told apart in as many steps behind ten thousand others as before them, equal ones or not") {
  for (const bool alike : {false, true}) {
    CAPTURE(alike);
    Redeliveries r(10min);
    int taken = 0;
    const auto take = [&](int count) {
      const std::uint64_t before = r.steps();
      for (int i = 0; i < count; ++i) {
        const auto arrival = r.arrived(alike ? "ok" : "text " + std::to_string(++taken), start_time);
        CHECK_FALSE(arrival.again);
        r.answered(arrival.id, start_time);
        r.proved(arrival.id);
        CHECK(r.take_forgotten(start_time).empty());
      }
      return r.steps() - before;
    };
    const auto first = take(100);
    take(10'000);
    CHECK(take(100) == first);
    const auto before = r.steps();
    CHECK(r.take_forgotten(start_time + 5s).size() == 10'200);
    CHECK(r.steps() - before == 10'200);  // each once
  }
}

TEST_CASE("Two equal texts in one session are two texts") {
  Redeliveries r(10min);
  const auto first = r.arrived("ok", start_time);
  r.answered(first.id, start_time);
  const auto second = r.arrived("ok", start_time + 1s);
  CHECK_FALSE(second.again);
  CHECK(second.id != first.id);
  CHECK_FALSE(r.arrived("ok", start_time + 1s).again);  // in one window, unanswered
}

TEST_CASE("A text that a broken session left unanswered keeps its id when it comes again, once per copy") {
  Redeliveries r(10min);
  const auto one = r.arrived("ok", start_time), two = r.arrived("ok", start_time);
  r.session_ended(start_time + 1s, false);
  const auto again = r.arrived("ok", start_time + 5s), again_two = r.arrived("ok", start_time + 5s);
  CHECK(again.again);
  CHECK(again_two.again);
  CHECK(again.id != again_two.id);
  CHECK((again.id == one.id || again.id == two.id));
  CHECK_FALSE(r.arrived("ok", start_time + 6s).again);  // a third one is a text of its own
}

TEST_CASE("An answer shortly before the break may be lost, one long before it not") {
  Redeliveries r(10min);
  const auto old = r.arrived("ok", start_time);
  r.answered(old.id, start_time);
  const auto young = r.arrived("yes", start_time + 100s);
  r.answered(young.id, start_time + 100s);
  r.session_ended(start_time + 120s, false);
  CHECK_FALSE(r.arrived("ok", start_time + 125s).again);
  CHECK(r.arrived("yes", start_time + 125s).id == young.id);
}

TEST_CASE(
    "An answer that the peer has shown to have read is not lost in a break, once the peer had the time to make use of "
    "it") {
  Redeliveries r(10min);
  for (const char* text : {"ok", "yes", "slow", "unproved"}) {
    const auto arrival = r.arrived(text, start_time);
    r.answered(arrival.id, start_time + (text == std::string("slow") ? 5s : 0s));
    if (text != std::string("unproved")) r.proved(arrival.id);
  }
  const auto young = r.arrived("young", start_time + 6s);
  r.answered(young.id, start_time + 6s);
  r.proved(young.id);
  r.session_ended(start_time + 10s, false);
  CHECK_FALSE(r.arrived("ok", start_time + 11s).again);
  CHECK_FALSE(r.arrived("yes", start_time + 11s).again);
  CHECK(r.arrived("slow", start_time + 11s).again);  // the peer may have given up waiting before it came
  CHECK(r.arrived("unproved", start_time + 11s).again);
  CHECK(r.arrived("young", start_time + 11s).again);  // the peer may have died before it made a note of it
}

TEST_CASE("After a confirmed unbind nothing comes again") {
  Redeliveries r(10min);
  r.answered(r.arrived("ok", start_time).id, start_time);
  r.session_ended(start_time + 1s, true);
  CHECK_FALSE(r.arrived("ok", start_time + 2s).again);
}

TEST_CASE("A slow answer makes a repetition in the same session likely, and a refusal asks for one") {
  Redeliveries r(10min);
  const auto slow = r.arrived("slow", start_time);
  CHECK(r.arrived("slow", start_time + 6s).id == slow.id);
  const auto refused = r.arrived("refused", start_time);
  r.refused(refused.id);
  CHECK(r.arrived("refused", start_time + 1s).id == refused.id);
  const auto gone = r.arrived("gone", start_time);
  r.withdrawn(gone.id);
  CHECK_FALSE(r.arrived("gone", start_time + 1s).again);
}

TEST_CASE(
    "A late answer that the peer has shown to have is expected again for a minute, one that it has not for the "
    "window") {
  Redeliveries r(10min);
  const auto proved = r.arrived("proved", start_time), unproved = r.arrived("unproved", start_time);
  for (const auto& arrival : {proved, unproved}) r.answered(arrival.id, start_time + 6s);
  r.proved(proved.id);
  CHECK(r.arrived("proved", start_time + 65s).id == proved.id);
  Redeliveries later(10min);
  const auto again = later.arrived("proved", start_time);
  later.answered(again.id, start_time + 6s);
  later.proved(again.id);
  CHECK_FALSE(later.arrived("proved", start_time + 5min).again);
  CHECK(later.take_forgotten(start_time + 67s).size() == 1);
  CHECK(r.arrived("unproved", start_time + 5min).id == unproved.id);
}

TEST_CASE("A killed process knows the texts that it may not have answered, for the window") {
  Redeliveries r(10min);
  r.restore("id1", "ok", start_time);
  CHECK(r.arrived("ok", start_time + 9min).id == "id1");
  CHECK_FALSE(r.arrived("ok", start_time + 9min).again);
  Redeliveries late(10min);
  late.restore("id1", "ok", start_time);
  CHECK_FALSE(late.arrived("ok", start_time + 11min).again);
}

TEST_CASE("What is settled is forgotten") {
  Redeliveries r(10min);
  const auto text = r.arrived("ok", start_time);
  r.answered(text.id, start_time);
  CHECK(r.take_forgotten(start_time + 59s).empty());
  CHECK(r.take_forgotten(start_time + 60s) == std::vector<std::string>{text.id});
  CHECK(r.take_forgotten(start_time + 61s).empty());
  const auto proved = r.arrived("ok", start_time);
  r.answered(proved.id, start_time);
  r.proved(proved.id);
  CHECK(r.take_forgotten(start_time + 4s).empty());
  CHECK(r.take_forgotten(start_time + 5s) == std::vector<std::string>{proved.id});
  const auto unanswered = r.arrived("x", start_time);
  CHECK(r.take_forgotten(start_time + 5min).empty());
  CHECK(r.take_forgotten(start_time + 12min) == std::vector<std::string>{unanswered.id});
}
