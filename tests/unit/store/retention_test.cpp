#include "gateway/store/retention.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

const store::Retention kept;

}  // namespace

TEST_CASE("remove_expired removes what is older than its kind is kept, and nothing younger (retention.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    constexpr std::int64_t now = 1796000000000;
    const auto ago = [](std::chrono::milliseconds age) { return now - age.count(); };
    using std::chrono::hours;
    store([&](db::Transaction& t) {
      const store::InboxRow inbox[] = {{1, {1}, "old", ago(kept.undelivered + hours(1))},
                                       {2, {1}, "young", ago(kept.undelivered - hours(1))}};
      store::insert_inbox(t, inbox);
      store::MessageRow sent[2];
      sent[0].account = sent[1].account = base::AccountId{1};
      sent[0].id = 3, sent[0].created = ago(kept.reports + hours(1));
      sent[1].id = 4, sent[1].created = ago(kept.reports - hours(1));
      store::insert_messages(t, sent);
      const std::uint64_t old[] = {5}, young[] = {6};
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 5, ago(kept.seen + hours(1)), old);
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 6, ago(kept.seen - hours(1)), young);
    });
    CHECK(store([&](db::Transaction& t) { return store::remove_expired(t, now, hours(24)); }) == 1);
    store([&](db::Transaction& t) {
      const auto inbox = store::read_inbox(t, base::AccountId{1}, 0, 10);
      REQUIRE(inbox.size() == 1);
      CHECK(inbox[0].payload == "young");
      CHECK_FALSE(store::find_message(t, base::AccountId{1}, std::int64_t{3}));
      CHECK(store::find_message(t, base::AccountId{1}, std::int64_t{4}));
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 10) == std::vector<std::uint64_t>{6});
      CHECK(store::remove_expired(t, now, hours(1)) == 0);
    });
  }
}

TEST_CASE(
    "The time by which ages are counted follows the time of day, 24 times as fast as the gateway runs at most "
    "(retention.hpp)") {
  using std::chrono::hours;
  constexpr std::int64_t hour = 3'600'000, day = 24 * hour, t = 1'796'000'000'000;
  struct Case {
    const char* words;
    std::int64_t before, time_of_day;
    hours ran;
    std::int64_t after;
  };
  for (const Case& c :
       {Case{"an hour later", t, t + hour, hours(1), t + hour}, Case{"a start", t, t + 3 * hour, hours(0), t},
        Case{"a start with a clock a year ahead", t, t + 365 * day, hours(0), t},
        Case{"an hour with such a clock", t, t + 365 * day, hours(1), t + day},
        Case{"the clock is right again", t + day, t + 2 * hour, hours(1), t + day},
        Case{"a clock of 1970", t, hour, hours(1), t},
        Case{"after ten days of rest", t, t + 10 * day, hours(1), t + day}}) {
    CAPTURE(c.words);
    CHECK(store::age_time(c.before, c.time_of_day, c.ran) == c.after);
  }
}

TEST_CASE(
    "Starts and hours with a clock a year ahead delete nothing that waits, and a clock of 1970 does not either "
    "(retention.hpp)") {
  using std::chrono::hours;
  constexpr std::int64_t year = 365LL * 24 * 3'600'000, now = 1'796'000'000'000;
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    store([&](db::Transaction& t) {
      const store::InboxRow inbox[] = {{1, {1}, "acknowledged", now}};
      store::insert_inbox(t, inbox);
    });
    const auto sweep = [&](std::int64_t time, hours ran) {
      return store([&](db::Transaction& t) { return store::remove_expired(t, time, ran); });
    };
    // the first of them finds no age_time
    for (int start = 0; start < 100; ++start) CHECK(sweep(now + year, hours(0)) == 0);
    CHECK(sweep(now + year, hours(1)) == 0);
    CHECK(sweep(0, hours(1)) == 0);
    CHECK(sweep(now + 1000, hours(1)) == 0);
    CHECK(store.count("inbox") == 1);
    // It does expire in the end.
    for (int hour = 0; hour < 24 * 31; ++hour) sweep(now + hour * std::int64_t{3'600'000}, hours(1));
    CHECK(store.count("inbox") == 0);
  }
}

TEST_CASE("Of what reports are about the newest is kept, however young the rest is; ages can be set (retention.hpp)") {
  using std::chrono::hours;
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    constexpr std::int64_t now = 1796000000000;
    store([&](db::Transaction& t) {
      std::vector<store::MessageRow> sent(10);
      for (std::size_t i = 0; i < sent.size(); ++i) {
        sent[i].account = base::AccountId{1};
        sent[i].id = static_cast<std::int64_t>(i) + 1;
        sent[i].created = now - std::chrono::milliseconds(hours(i < 8 ? 3 : 1)).count();
      }
      store::insert_messages(t, sent);
    });
    const auto sweep = [&](const store::Retention& retention) {
      store([&](db::Transaction& t) { store::remove_expired(t, now, hours(24), retention); });
      return store.count("messages");
    };
    store::Retention retention;
    CHECK(sweep(retention) == 10);
    retention.most_reports = 4;
    CHECK(sweep(retention) == 4);
    retention.reports = hours(2);
    CHECK(sweep(retention) == 2);
  }
}
