#include "gateway/store/connector_storage.hpp"

#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Entry;
using store::ConnectorStorage;
using store::end_of_prefix;

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
};

}  // namespace

TEST_CASE("end_of_prefix is the next text after everything with that prefix, in UTF-8 (RFC 3629)") {
  CHECK(end_of_prefix("part:") == "part;");
  CHECK(end_of_prefix("a\x7F") == "a\xC2\x80");
  CHECK(end_of_prefix("\u07FF") == "\u0800");
  CHECK(end_of_prefix("\uD7FF") == "\uE000");
  CHECK(end_of_prefix("\uFFFF") == "\U00010000");
  CHECK(end_of_prefix("x\U0010FFFF\U0010FFFF") == "y");
  CHECK_FALSE(end_of_prefix("\U0010FFFF").has_value());
  CHECK_FALSE(end_of_prefix("").has_value());
}

TEST_CASE("ConnectorStorage writes, overwrites and erases, each transport its own (connector.hpp, Storage)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    ConnectorStorage sms(f.database, "sms.example.net"), other(f.database, "other.example.net");
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
    ConnectorStorage storage(f.database, "sms.example.net");
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
