// One turn's writes, and what the store refuses of them.
#include "gateway/queues/journal.hpp"

#include "gateway/base/task_group.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/refusing_driver.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::queues;

namespace {

store::OutboxRow row(std::int64_t id, std::string chat) {
  store::OutboxRow row;
  row.id = id;
  row.account = {1};
  row.chat = std::move(chat);
  return row;
}

store::MessageRow sent(std::int64_t id, std::string network_id) {
  store::MessageRow sent;
  sent.id = id;
  sent.account = {1};
  sent.network_id = std::move(network_id);
  return sent;
}

// Removes row 1 and notes its id, as a send that the network took; the id is one that no database holds.
asio::awaitable<void> settle_three(Journal& journal, int& refused) {
  for (std::int64_t id = 1; id <= 3; ++id) {
    journal.insert(sent(id, id == 2 ? std::string("a\0b", 3) : "n" + std::to_string(id)));
    journal.remove_outbox(id);
    journal.after_commit([&](const std::exception_ptr& error) { refused += error != nullptr; });
    journal.close_step();
  }
  co_await journal.commit();
}

// The same without a wait; then, in a later turn, a commit of nothing. How many had been refused when that was done.
asio::awaitable<void> wait_behind_three(Journal& journal, int& refused, int& refused_before) {
  for (std::int64_t id = 1; id <= 3; ++id) {
    journal.insert(sent(id, id == 2 ? std::string("a\0b", 3) : "n" + std::to_string(id)));
    journal.after_commit([&](const std::exception_ptr& error) { refused += error != nullptr; });
    journal.close_step();
  }
  for (int turn = 0; turn < 2; ++turn) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  co_await journal.commit();
  refused_before = refused;
}

// The ids of four rows, three of one turn and one of the next, in the order in which they are told of. The second is
// refused.
asio::awaitable<void> insert_four(Journal& journal, std::vector<std::int64_t>& told) {
  for (std::int64_t id = 1; id <= 4; ++id) {
    if (id == 4) {
      for (int turn = 0; turn < 2; ++turn) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
    journal.insert(sent(id, id == 2 ? std::string("a\0b", 3) : "n" + std::to_string(id)));
    journal.after_commit([&told, id](const std::exception_ptr&) { told.push_back(id); });
    journal.close_step();
  }
  co_await journal.commit();
}

// A row, and somebody who waits for it and is cancelled.
asio::awaitable<void> insert_and_wait(Journal& journal, int& written) {
  journal.insert(row(1, "c:1"));
  journal.after_commit([&](const std::exception_ptr& error) { written += error == nullptr; });
  co_await journal.commit();
}
asio::awaitable<void> cancel_who_waits(Journal& journal, int& written) {
  const auto executor = co_await asio::this_coro::executor;
  base::TaskGroup tasks(executor);
  tasks.spawn("waits", insert_and_wait(journal, written));
  co_await asio::post(executor, asio::use_awaitable);
  tasks.cancel();
  co_await tasks.join();
}

std::int64_t count_left(asio::io_context& loop, db::Database& database) {
  std::int64_t left = 0;
  db::Database::Closure count = [&](db::Transaction& t) { left = store::count_outbox(t, "sms.example.net"); };
  run(loop, database.transact(std::move(count)));
  return left;
}

}  // namespace

TEST_CASE("A turn of one step that the store refuses is tried once more, too") {
  asio::io_context loop;
  Store store(DatabaseKind::sqlite);
  insert(store, account(1, "romeo@example.net", "sms.example.net"));
  store([](db::Transaction& t) {
    const std::vector<store::OutboxRow> rows{row(1, "c:1")};
    store::insert_outbox(t, rows);
  });
  const auto refusals = std::make_shared<int>(0);
  db::Database database(loop.get_executor(), std::make_unique<Refusing>(std::move(store.driver), refusals));
  Journal journal(loop.get_executor(), database, "sms.example.net");
  run(loop, journal.start());
  *refusals = 1;
  journal.remove_outbox(1);
  run(loop, journal.commit());
  CHECK(*refusals == 0);
  CHECK(count_left(loop, database) == 0);
}

TEST_CASE("What the store refuses undoes its own step and no other of the same turn") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    asio::io_context loop;
    Store store(kind);
    insert(store, account(1, "romeo@example.net", "sms.example.net"));
    store([](db::Transaction& t) {
      const std::vector<store::OutboxRow> rows{row(1, "c:1"), row(2, "c:2"), row(3, "c:3")};
      store::insert_outbox(t, rows);
    });
    db::Database database(loop.get_executor(), std::move(store.driver));
    Journal journal(loop.get_executor(), database, "sms.example.net");
    run(loop, journal.start());
    int refused = 0;
    LogCapture log;
    run(loop, settle_three(journal, refused));
    CHECK(refused == 1);
    CHECK(log.count("journal.failed") == 1);
    CHECK(log.count("transport=sms.example.net") == 1);
    std::vector<std::int64_t> left;
    std::size_t noted = 0;
    db::Database::Closure read = [&](db::Transaction& t) {
      left.clear();
      for (const auto& r : store::read_outbox(t, "sms.example.net", 0, 10)) left.push_back(r.id);
      noted = t.query("SELECT id FROM messages").size();
    };
    run(loop, database.transact(std::move(read)));
    CHECK(left == std::vector<std::int64_t>{2});
    CHECK(noted == 2);
  }
}

TEST_CASE("A turn whose waiter is cancelled is written all the same, and once") {
  asio::io_context loop;
  Store store(DatabaseKind::sqlite);
  insert(store, account(1, "romeo@example.net", "sms.example.net"));
  db::Database database(loop.get_executor(), std::move(store.driver));
  Journal journal(loop.get_executor(), database, "sms.example.net");
  run(loop, journal.start());
  int written = 0;
  run(loop, cancel_who_waits(journal, written));
  CHECK(written == 1);
  CHECK(count_left(loop, database) == 1);
}

TEST_CASE("A commit waits for what is before it, also for steps that are written anew by themselves") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    asio::io_context loop;
    Store store(kind);
    insert(store, account(1, "romeo@example.net", "sms.example.net"));
    db::Database database(loop.get_executor(), std::move(store.driver));
    Journal journal(loop.get_executor(), database, "sms.example.net");
    run(loop, journal.start());
    int refused = 0, refused_before = 0;
    run(loop, wait_behind_three(journal, refused, refused_before));
    CHECK(refused_before == 1);
  }
}

TEST_CASE("What is written anew, step by step, is told of before what was given later") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    asio::io_context loop;
    Store store(kind);
    insert(store, account(1, "romeo@example.net", "sms.example.net"));
    db::Database database(loop.get_executor(), std::move(store.driver));
    Journal journal(loop.get_executor(), database, "sms.example.net");
    run(loop, journal.start());
    std::vector<std::int64_t> told;
    run(loop, insert_four(journal, told));
    CHECK(told == std::vector<std::int64_t>{1, 2, 3, 4});
  }
}

TEST_CASE("Rows that go are written without a commit of their own being asked for") {
  asio::io_context loop;
  Store store(DatabaseKind::sqlite);
  insert(store, account(1, "romeo@example.net", "sms.example.net"));
  store([](db::Transaction& t) {
    const std::vector<store::OutboxRow> rows{row(1, "c:1")};
    store::insert_outbox(t, rows);
  });
  db::Database database(loop.get_executor(), std::move(store.driver));
  Journal journal(loop.get_executor(), database, "sms.example.net");
  run(loop, journal.start());
  journal.remove_outbox(1);
  journal.close_step();
  std::int64_t left = 1;
  db::Database::Closure count = [&](db::Transaction& t) { left = store::count_outbox(t, "sms.example.net"); };
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (left > 0 && std::chrono::steady_clock::now() < limit) {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(50));
    run(loop, database.transact(count));
  }
  CHECK(left == 0);
}

TEST_CASE(
    "A row that goes in a step in which something else is written does not ride, and one that rides goes in its "
    "order") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    asio::io_context loop;
    Store store(kind);
    insert(store, account(1, "romeo@example.net", "sms.example.net"));
    store([](db::Transaction& t) {
      const std::vector<store::OutboxRow> rows{row(1, "c:1"), row(2, "c:2"), row(3, "c:3")};
      store::insert_outbox(t, rows);
    });
    db::Database database(loop.get_executor(), std::move(store.driver));
    Journal journal(loop.get_executor(), database, "sms.example.net");
    run(loop, journal.start());
    journal.remove_outbox(1);
    journal.insert(sent(1, "n1"));
    run(loop, journal.commit());
    CHECK(count_left(loop, database) == 2);
    journal.remove_outbox(2);
    journal.close_step();
    // no database holds it: its step fails, and takes no other with it
    journal.insert(sent(2, std::string("a\0b", 3)));
    journal.close_step();
    journal.remove_outbox(3);
    journal.close_step();
    run(loop, journal.commit_all());
    CHECK(count_left(loop, database) == 0);
  }
}
