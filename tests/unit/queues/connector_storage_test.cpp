#include "gateway/queues/connector_storage.hpp"

#include "gateway/base/task_group.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Entry;
using queues::ConnectorStorage;

namespace {

struct Fixture {
  explicit Fixture(DatabaseKind kind) : store(kind), database(loop.get_executor(), std::move(store.driver)) {}

  void write(ConnectorStorage& storage, std::vector<Entry> entries) { run(loop, storage.write(std::move(entries))); }
  // "key=value key=value …"
  std::string read(ConnectorStorage& storage, std::string prefix, std::string after = "", std::size_t limit = 100) {
    std::string found;
    run(loop, read_into(storage, std::move(prefix), std::move(after), limit, found));
    return found;
  }
  static asio::awaitable<void> read_into(ConnectorStorage& storage, std::string prefix, std::string after,
                                         std::size_t limit, std::string& found) {
    const auto entries = co_await storage.read(std::move(prefix), std::move(after), limit);
    for (const auto& entry : entries) found += (found.empty() ? "" : " ") + entry.key + "=" + entry.value;
  }

  asio::io_context loop;
  Store store;
  db::Database database;
  queues::Journal sms{loop.get_executor(), database, "sms.example.net"};
  queues::Journal other{loop.get_executor(), database, "other.example.net"};
};

}  // namespace

TEST_CASE("ConnectorStorage writes, overwrites and erases, each transport its own (connector.hpp, Storage)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    ConnectorStorage sms(f.sms, f.database, "sms.example.net"), other(f.other, f.database, "other.example.net");
    f.write(sms, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
    f.write(other, {{"a", "другой"}});
    f.write(sms, {{"a", "4"}, {"b", ""}, {"unknown", ""}});
    CHECK(f.read(sms, "") == "a=4 c=3");
    CHECK(f.read(other, "") == "a=другой");
  }
}

TEST_CASE("ConnectorStorage reads by prefix, bytewise, a page at a time (connector.hpp, Storage)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    ConnectorStorage storage(f.sms, f.database, "sms.example.net");
    f.write(storage, {{"p", "0"},
                      {"p:", "1"},
                      {"p:B", "2"},
                      {"p:a", "3"},
                      {"p:Ж", "4"},
                      {"p:\U0010FFFFx", "5"},
                      {"p;", "6"},
                      {"P:a", "7"},
                      {"q%_", "8"}});
    CHECK(f.read(storage, "p:") == "p:=1 p:B=2 p:a=3 p:Ж=4 p:\U0010FFFFx=5");
    CHECK(f.read(storage, "p:", "", 2) == "p:=1 p:B=2");
    CHECK(f.read(storage, "p:", "p:B", 2) == "p:a=3 p:Ж=4");
    CHECK(f.read(storage, "p:", "p:\U0010FFFFx") == "");
    CHECK(f.read(storage, "p:\U0010FFFF") == "p:\U0010FFFFx=5");
    CHECK(f.read(storage, "q%") == "q%_=8");  // no pattern
    CHECK(f.read(storage, "z") == "");
    CHECK(f.read(storage, "", "p:Ж", 1) == "p:\U0010FFFFx=5");
  }
}

TEST_CASE(
    "What is written and what is given to the journal is made in the order of the calls (contract.hpp, Storage)") {
  Fixture f(DatabaseKind::sqlite);
  ConnectorStorage storage(f.sms, f.database, "sms.example.net");
  f.sms.write({{"a", "first"}, {"b", "first"}});
  f.sms.close_step();
  base::TaskGroup tasks(f.loop.get_executor());
  tasks.spawn("write", storage.write({{"a", "second"}, {"c", "second"}}));
  f.sms.write({{"d", "third"}});
  f.write(storage, {{"c", "last"}, {"b", ""}});
  run(f.loop, tasks.join());
  CHECK(f.read(storage, "") == "a=second c=last d=third");
}
