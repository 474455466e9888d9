// Stores of older versions (tests/fixtures, made by tests/fixtures/make_store): they open, and each row is read as it
// was.
#include "gateway/store/connector_storage.hpp"
#include "gateway/store/contacts.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "gateway/store/outbox.hpp"
#include "tests/unit/store/fixture.hpp"

#include <iomanip>

using namespace wherry;
using namespace wherry::tests;

namespace {

const std::filesystem::path source = WHERRY_SOURCE_DIR;
constexpr int first_fixture = 2;  // schema 1 was never anybody's

std::string number_text(int number) {
  std::ostringstream text;
  text << std::setw(4) << std::setfill('0') << number;
  return text.str();
}

std::filesystem::path fixture(int schema, const std::string& rest) {
  return source / "tests/fixtures" / ("schema_" + number_text(schema) + rest);
}

std::string read_all(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

int newest_migration() {
  int newest = 0;
  for (const auto& file : std::filesystem::directory_iterator(source / "schemas/migrations")) {
    newest = std::max(newest, std::stoi(file.path().filename().string().substr(0, 4)));
  }
  return newest;
}

// A driver on that schema's store, brought to the newest.
std::unique_ptr<db::Driver> upgrade(const TempDatabase& temp, int schema) {
  auto driver = temp.open();
  // A dump names tables before those that they refer to; the setting changes between transactions only.
  const bool is_sqlite = temp.kind() == DatabaseKind::sqlite;
  if (is_sqlite) driver->run_script("PRAGMA foreign_keys = OFF");
  driver->begin();
  driver->run_script(read_all(fixture(schema, is_sqlite ? ".sqlite.sql" : ".postgres.sql")));
  driver->commit();
  if (is_sqlite) driver->run_script("PRAGMA foreign_keys = ON");
  const auto migrated = db::migrate(*driver, source / "schemas/migrations");
  REQUIRE_MESSAGE(migrated.has_value(), migrated.error().text);
  CHECK(*migrated == newest_migration());
  return driver;
}

void check_rows(int schema, DatabaseKind kind) {
  const auto sealer = base::Sealer::from_key_text(read_all(fixture(schema, ".key")));
  REQUIRE(sealer.has_value());
  const TempDatabase temp(kind);
  const auto driver = upgrade(temp, schema);
  driver->begin();
  db::Transaction& t = driver->transaction();

  const auto accounts = store::read_accounts(t, "net.test", *sealer);
  REQUIRE(accounts.size() == 2);
  const base::AccountId romeo = accounts[0].id, juliet = accounts[1].id;
  CHECK(accounts[0].user.str() == "romeo@x.test");
  CHECK(accounts[0].alias.empty());
  CHECK(accounts[0].credentials == connector::Answers{{"username", "romeo"}, {"password", "romeo's secret"}});
  CHECK(accounts[1].user.str() == "juliet@x.test");
  CHECK(accounts[1].policy == store::AccountPolicy::always_on);

  const auto contacts = store::read_contacts(t, romeo);
  REQUIRE(contacts.size() == 4);
  CHECK(contacts[0] == store::ContactRow{{"+15550101"}, "", true, false, false, store::Offer::none});
  CHECK(contacts[1] == store::ContactRow{{"+15550102"}, "Mercutio", false, false, true, store::Offer::none});
  CHECK(contacts[2] == store::ContactRow{{"+15550103"}, "Tybalt", false, false, false, store::Offer::none});
  CHECK(contacts[3].name == "Benvolio");

  const auto to_send = store::read_outbox(t, "net.test", 0, 100);
  REQUIRE(to_send.size() == 4);
  const std::array texts{"out-sending of romeo@x.test", "out-queued-behind of romeo@x.test",
                         "out-queued-away-1 of juliet@x.test", "out-queued-away-2 of juliet@x.test"};
  for (std::size_t i = 0; i < to_send.size(); ++i) {
    CAPTURE(i);
    CHECK(to_send[i].state == (i == 0 ? store::OutboxState::sending : store::OutboxState::queued));
    CHECK(to_send[i].account == (i < 2 ? romeo : juliet));
    CHECK(to_send[i].payload.find(texts[i]) != std::string::npos);
    CHECK(to_send[i].deadline > 1'790'000'000'000);
  }

  auto to_deliver = store::read_inbox(t, "net.test", 0, 100);
  REQUIRE(to_deliver.size() >= 5);
  // Before the last five: what was with the client, and not yet confirmed.
  to_deliver.erase(to_deliver.begin(), to_deliver.end() - 5);
  const std::array kinds{"message_received", "contact_asked", "delivered", "failed", "message_received"};
  for (std::size_t i = 0; i < to_deliver.size(); ++i) {
    CAPTURE(i);
    CHECK(to_deliver[i].payload.find(kinds[i]) < 20);
    CHECK(to_deliver[i].account == (i < 4 ? romeo : juliet));
  }

  using connector::Stage;
  CHECK(store::find_message(t, romeo, "n-accepted").value().stage == Stage::delivered);
  CHECK(store::find_message(t, romeo, "n-failed").value().stage == Stage::failed);
  const std::int64_t by_key =
      t.query("SELECT id FROM messages WHERE account = $1 AND network_hash IS NULL", {romeo.value}).at(0).integer(0);
  CHECK(store::find_message(t, romeo, by_key).value().stage == Stage::accepted);
  CHECK(store::read_seen(t, "net.test", store::SeenKind::events, 100).size() == 3);
  CHECK(store::seen_key(t).size() == 32);
  CHECK(t.query("SELECT value FROM connector_storage WHERE transport = 'net.test' AND key = 'cursor'").at(0).text(0) ==
        "42");
  CHECK(store::reserve_ids(t, 1).first > juliet.value);
  driver->commit();
}

}  // namespace

TEST_CASE("Each migration comes with a store of the schema before it (tests/fixtures/make_store; schemas/README.md)") {
  for (int schema = first_fixture; schema < newest_migration(); ++schema) {
    for (const char* rest : {".sqlite.sql", ".postgres.sql", ".key"}) {
      CAPTURE(fixture(schema, rest));
      CHECK(std::filesystem::exists(fixture(schema, rest)));
    }
  }
  CHECK(std::filesystem::exists(fixture(first_fixture, ".key")));
}

TEST_CASE(
    "A store of an older schema opens, and its accounts, contacts and rows in every queue and state are read as they "
    "were") {
  for (int schema = first_fixture; schema < newest_migration(); ++schema) {
    CAPTURE(schema);
    for (const auto kind : every_database) {
      CAPTURE(name_of(kind));
      check_rows(schema, kind);
    }
  }
}
