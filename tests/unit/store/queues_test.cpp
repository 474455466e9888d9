#include "gateway/store/ids.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/outbox.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;
using db::Transaction;
using store::IdRange;
using store::InboxRow;
using store::OutboxRow;
using store::OutboxState;

namespace {

OutboxRow outbox(std::int64_t id, std::int64_t account = 1) {
  return {id,
          {account},
          "c:+1555" + std::to_string(id),
          "{\"o\":" + std::to_string(id) + "}",
          "{\"text\":\"жди\"}",
          OutboxState::queued,
          0,
          100 + id,
          200 + id};
}
InboxRow inbox(std::int64_t id, std::int64_t account = 1) {
  return {id, {account}, "{\"n\":" + std::to_string(id) + "}", 300 + id};
}

std::vector<OutboxRow> outboxes(std::int64_t first, std::int64_t last) {
  std::vector<OutboxRow> rows;
  for (; first <= last; ++first) rows.push_back(outbox(first));
  return rows;
}
std::vector<OutboxRow> read_all(Store& store) {
  return store([](Transaction& t) { return store::read_outbox(t, "sms.example.net", 0, 100'000); });
}
void put(Store& store, const std::vector<OutboxRow>& rows) {
  store([&](Transaction& t) { store::insert_outbox(t, rows); });
}

}  // namespace

TEST_CASE("reserve_ids gives each block once, rising (ids.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    CHECK(store([](Transaction& t) { return store::reserve_ids(t, 100); }) == IdRange{1, 100});
    CHECK(store([](Transaction& t) { return store::reserve_ids(t, 1); }) == IdRange{101, 101});
    store.driver->begin();
    const auto unused = store::reserve_ids(store.driver->transaction(), 10);
    store.driver->rollback();
    CHECK(unused.first == 102);
    CHECK(store([](Transaction& t) { return store::reserve_ids(t, 10); }) == IdRange{102, 111});
  }
}

TEST_CASE(
    "A run is remembered as long as a row of it is left, however long it lasted, whatever the clock says (ids.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    constexpr std::int64_t day = 24LL * 3600 * 1000;
    const auto begin = [&](const std::string& name, std::int64_t now) {
      std::vector<std::string> names;
      for (const store::Run& run : store([&](Transaction& t) { return store::begin_run(t, name, now); }))
        names.push_back(run.name);
      return names;
    };
    CHECK(begin("first", 0) == std::vector<std::string>{"first"});
    const std::int64_t id = store([](Transaction& t) { return store::reserve_ids(t, 1); }).first;
    put(store, {outbox(id)});
    CHECK(begin("second", 400 * day) == std::vector<std::string>{"first", "second"});
    CHECK(begin("third", 401 * day) == std::vector<std::string>{"first", "second", "third"});
    store([&](Transaction& t) { t.execute("DELETE FROM outbox WHERE id = $1", {id}); });
    CHECK(begin("fourth", 401 * day) == std::vector<std::string>{"fourth"});
  }
}

TEST_CASE(
    "The outbox gives rows back whole, in order of id, whatever the size of the batch they came in (outbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    for (const std::int64_t size : {1, 15, 16, 17, 35, 256}) {
      CAPTURE(size);
      Store store(kind);
      insert(store, account(1));
      auto rows = outboxes(1, size);
      rows.front().state = OutboxState::sending;
      rows.front().attempts = 3;
      put(store, rows);
      CHECK(read_all(store) == rows);
    }
  }
}

TEST_CASE(
    "Rows of an outbox transaction that runs twice are there once, as first written (db::Database, commit of unknown "
    "outcome)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    const auto rows = outboxes(1, 20);
    put(store, rows);
    put(store, rows);
    CHECK(read_all(store) == rows);
    const std::vector<InboxRow> came{inbox(30)};
    store([&](Transaction& t) { store::insert_inbox(t, came); });
    store([&](Transaction& t) { store::insert_inbox(t, came); });
    CHECK(store.count("inbox") == 1);
  }
}

TEST_CASE("Reading the queues pages by id, and keeps transports and accounts apart (outbox.hpp, inbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    insert(store, account(2, "juliet@example.net"));
    insert(store, account(3, "romeo@example.net", "other.example.net"));
    put(store, {outbox(1, 1), outbox(2, 3), outbox(3, 2), outbox(4, 3), outbox(5, 1)});
    const std::vector<InboxRow> came{inbox(1, 1), inbox(2, 3), inbox(3, 2), inbox(4, 3), inbox(5, 1)};
    store([&](Transaction& t) { store::insert_inbox(t, came); });
    store([&](Transaction& t) {
      CHECK(store::read_outbox(t, "sms.example.net", 0, 2) == std::vector{outbox(1, 1), outbox(3, 2)});
      CHECK(store::read_outbox(t, "sms.example.net", 3, 2) == std::vector{outbox(5, 1)});
      CHECK(store::read_outbox(t, base::AccountId{3}, 0, 10) == std::vector{outbox(2, 3), outbox(4, 3)});
      CHECK(store::read_outbox(t, "unknown.example.net", 0, 10).empty());
      const std::vector<std::int64_t> ids{1, 3, 4, 99};
      CHECK(store::read_outbox(t, ids) == std::vector{outbox(1, 1), outbox(3, 2), outbox(4, 3)});
      CHECK(store::count_outbox(t, "sms.example.net") == 3);
      CHECK(store::count_outbox(t, "other.example.net") == 2);
      CHECK(store::read_inbox(t, "sms.example.net", 0, 2) == std::vector{inbox(1, 1), inbox(3, 2)});
      CHECK(store::read_inbox(t, "other.example.net", 2, 10) == std::vector{inbox(4, 3)});
      CHECK(store::read_inbox(t, base::AccountId{1}, 1, 10) == std::vector{inbox(5, 1)});
      CHECK(store::count_inbox(t, "sms.example.net") == 3);
    });
  }
}

TEST_CASE("The outbox gives single rows back by their ids, however many (outbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    put(store, outboxes(1, 100));
    for (const std::int64_t count : {0, 1, 15, 16, 17, 33}) {
      std::vector<std::int64_t> ids;
      std::vector<OutboxRow> expected;
      for (std::int64_t i = 1; i <= count; ++i) {
        ids.push_back(3 * i);
        expected.push_back(outbox(3 * i));
      }
      CHECK(store([&](Transaction& t) { return store::read_outbox(t, ids); }) == expected);
    }
  }
}

TEST_CASE("update_outbox writes state, attempts and time of exactly its rows, neighbours or not (outbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    auto rows = outboxes(1, 12);
    put(store, rows);
    // 2-5 alike, 6 differs in its time, 9 alone, 11 and 12 differ in attempts
    std::vector<OutboxRow> changed;
    for (const std::size_t id : {2u, 3u, 4u, 5u, 6u, 9u, 11u, 12u}) {
      OutboxRow& row = rows[id - 1];
      row.state = OutboxState::sending;
      row.attempts = id == 12 ? 2 : 1;
      row.not_before = id == 6 ? 7'000 : 5'000;
      changed.push_back(row);
      changed.back().payload = "not written";
    }
    store([&](Transaction& t) { store::update_outbox(t, changed); });
    CHECK(read_all(store) == rows);
  }
}

TEST_CASE("Queues lose exactly the ranges that are removed, both ends included (outbox.hpp, inbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    put(store, outboxes(1, 10));
    std::vector<InboxRow> came;
    for (std::int64_t id = 1; id <= 10; ++id) came.push_back(inbox(id));
    store([&](Transaction& t) { store::insert_inbox(t, came); });
    const std::vector<IdRange> gone{{2, 4}, {7, 7}, {10, 99}};
    store([&](Transaction& t) {
      store::remove_outbox(t, gone);
      store::remove_inbox(t, gone);
    });
    std::vector<std::int64_t> left_out, left_in;
    for (const auto& row : read_all(store)) left_out.push_back(row.id);
    for (const auto& row : store([](Transaction& t) { return store::read_inbox(t, "sms.example.net", 0, 100); }))
      left_in.push_back(row.id);
    CHECK(left_out == std::vector<std::int64_t>{1, 5, 6, 8, 9});
    CHECK(left_in == left_out);
  }
}

TEST_CASE("read_seen gives the newest hashes of one transport, oldest first, whole 64 bits (inbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    store([](Transaction& t) {
      const std::vector<std::uint64_t> old{1, 2}, recent{0xFFFFFFFFFFFFFFFF, 0, 0x8000000000000001}, foreign{77};
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 5, 1000, old);
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 9, 2000, recent);
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, 9, 2000, recent);  // its transaction ran twice
      store::insert_seen(t, "other.example.net", store::SeenKind::events, 7, 2000, foreign);
    });
    using Hashes = std::vector<std::uint64_t>;
    store([](Transaction& t) {
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 100) ==
            Hashes{1, 2, 0xFFFFFFFFFFFFFFFF, 0, 0x8000000000000001});
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 4) ==
            Hashes{2, 0xFFFFFFFFFFFFFFFF, 0, 0x8000000000000001});
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 0).empty());
      store::remove_seen(t, 2000, 1000);
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 100).size() == 3);
      CHECK(store::read_seen(t, "other.example.net", store::SeenKind::events, 100) == Hashes{77});
    });
  }
}

TEST_CASE("remove_seen keeps the newest rows of each transport and kind (inbox.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    store([](Transaction& t) {
      for (std::uint64_t i = 1; i <= 5; ++i)
        store::insert_seen(t, "sms.example.net", store::SeenKind::events, static_cast<std::int64_t>(i), 1000, {&i, 1});
      for (std::uint64_t i = 6; i <= 7; ++i)
        store::insert_seen(t, "sms.example.net", store::SeenKind::stanzas, static_cast<std::int64_t>(i), 1000, {&i, 1});
      for (std::uint64_t i = 8; i <= 11; ++i)
        store::insert_seen(t, "other.example.net", store::SeenKind::events, static_cast<std::int64_t>(i), 1000,
                           {&i, 1});
      store::remove_seen(t, 0, 3);
    });
    using Hashes = std::vector<std::uint64_t>;
    store([](Transaction& t) {
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::events, 100) == Hashes{3, 4, 5});
      CHECK(store::read_seen(t, "sms.example.net", store::SeenKind::stanzas, 100) == Hashes{6, 7});
      CHECK(store::read_seen(t, "other.example.net", store::SeenKind::events, 100) == Hashes{9, 10, 11});
    });
  }
}

TEST_CASE("read_seen reads on where the rows are more than it takes at once (inbox.hpp)") {
  Store store(DatabaseKind::sqlite);
  store([](Transaction& t) {
    for (std::uint64_t i = 1; i <= 2500; ++i)
      store::insert_seen(t, "sms.example.net", store::SeenKind::events, static_cast<std::int64_t>(i), 1, {&i, 1});
    const auto all = store::read_seen(t, "sms.example.net", store::SeenKind::events, 10'000);
    REQUIRE(all.size() == 2500);
    CHECK(all.front() == 1);
    CHECK(all.back() == 2500);
    CHECK(std::is_sorted(all.begin(), all.end()));
  });
}

TEST_CASE("seen_key is made once per store, 32 hexadecimal digits, and differs between stores (inbox.hpp)") {
  std::vector<std::string> keys;
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    keys.push_back(store([](Transaction& t) { return store::seen_key(t); }));
    CHECK(keys.back().size() == 32);
    CHECK(keys.back().find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(store([](Transaction& t) { return store::seen_key(t); }) == keys.back());
  }
  CHECK(keys[0] != keys[1]);
}
