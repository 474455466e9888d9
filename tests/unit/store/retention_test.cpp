#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "gateway/store/retention.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;

TEST_CASE("remove_expired removes what is older than its kind is kept, and nothing younger (retention.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    const std::int64_t now = 1796000000000;
    const auto ago = [now](std::chrono::milliseconds age) { return now - age.count(); };
    using std::chrono::hours;
    store([&](db::Transaction& t) {
      const store::InboxRow inbox[] = {{1, {1}, "old", ago(store::undelivered_kept + hours(1))}, {2, {1}, "young", ago(store::undelivered_kept - hours(1))}};
      store::insert_inbox(t, inbox);
      store::SentMessage sent[2];
      sent[0].account = sent[1].account = base::AccountId{1};
      sent[0].id = 3, sent[0].created = ago(store::reports_kept + hours(1));
      sent[1].id = 4, sent[1].created = ago(store::reports_kept - hours(1));
      store::insert_sent(t, sent);
      const std::uint64_t old[] = {5}, young[] = {6};
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 5, ago(store::seen_kept + hours(1)), old);
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 6, ago(store::seen_kept - hours(1)), young);
    });
    CHECK(store([&](db::Transaction& t) { return store::remove_expired(t, now); }) == 1);
    store([&](db::Transaction& t) {
      const auto inbox = store::read_inbox(t, base::AccountId{1}, 0, 10);
      REQUIRE(inbox.size() == 1);
      CHECK(inbox[0].payload == "young");
      CHECK_FALSE(store::find_sent(t, base::AccountId{1}, std::int64_t{3}));
      CHECK(store::find_sent(t, base::AccountId{1}, std::int64_t{4}));
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 0, 10) == std::vector<std::uint64_t>{6});
      CHECK(store::remove_expired(t, now) == 0);
    });
  }
}
