#include "gateway/store/accounts.hpp"

#include "gateway/store/contacts.hpp"
#include "gateway/store/ids.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "gateway/store/outbox.hpp"
#include "tests/unit/store/fixture.hpp"

#include <nlohmann/json.hpp>

using namespace wherry;
using namespace wherry::tests;
using db::Transaction;

namespace {

std::vector<store::AccountRow> accounts(Store& store, const std::string& transport = "sms.example.net",
                                        const base::Sealer& with = sealer()) {
  return store([&](Transaction& t) { return store::read_accounts(t, transport, with); });
}

// A row of everything that an account can have.
void fill(Store& store, std::int64_t account, std::int64_t id) {
  store([&](Transaction& t) {
    const store::OutboxRow outbox{
        id, {account}, "c:+15550100", R"({"from":"romeo"})", R"({"text":"hi"})", store::OutboxState::queued, 0, 0, 5};
    const store::InboxRow inbox{id, {account}, R"({"event":"came"})", 1'000};
    const store::MessageRow sent{id,   {account}, "n" + std::to_string(id), "{}", "c:+15550100", connector::Stage::read,
                                 2'000};
    store::insert_outbox(t, {&outbox, 1});
    store::insert_inbox(t, {&inbox, 1});
    store::insert_messages(t, {&sent, 1});
    store::put_contact(t, {account}, {{"+15550100"}, "Juliet", true, false, true});
  });
}

std::string read_whole(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("What a user has chosen is kept, and a new login leaves it (store/accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    store::AccountRow romeo = account(1);
    insert(store, romeo);
    store([&](Transaction& t) {
      store::set_preferences(t, romeo.id, {romeo.policy, romeo.imports, {true, false, true}});
    });
    store([&](Transaction& t) { store::set_named(t, romeo.id, true); });
    store([&](Transaction& t) { store::set_logged_out(t, romeo.id, true); });
    romeo.lang = "de";
    store([&](Transaction& t) { store::update_account(t, romeo, sealer()); });
    const auto rows = store([&](Transaction& t) { return store::read_accounts(t, romeo.transport, sealer()); });
    REQUIRE(rows.size() == 1);
    CHECK(rows.front().lang == "de");
    CHECK(rows.front().refuses == store::Refusals{true, false, true});
    CHECK(rows.front().named);
    CHECK(rows.front().logged_out);
  }
}

TEST_CASE("Accounts come back as they were stored, in order of id, each transport's own (accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    auto second = account(7, "juliet@example.net");
    second.policy = store::AccountPolicy::follow_presence;
    second.lang = "it";
    second.credentials = {{"password", "\"quoted\" \\ и 😀"}, {"empty", ""}};
    insert(store, second);
    insert(store, account(3));
    insert(store, account(4, "romeo@example.net", "other.example.net"));
    const auto found = accounts(store);
    REQUIRE(found.size() == 2);
    CHECK(found[0].id.value == 3);
    CHECK(found[0].user == jid("romeo@example.net"));
    CHECK(found[0].credentials == account(3).credentials);
    CHECK(found[0].policy == store::AccountPolicy::always_on);
    CHECK(found[1].id.value == 7);
    CHECK(found[1].transport == "sms.example.net");
    CHECK(found[1].credentials == second.credentials);
    CHECK(found[1].policy == store::AccountPolicy::follow_presence);
    CHECK(found[1].lang == "it");
    CHECK(accounts(store, "other.example.net").size() == 1);
  }
}

TEST_CASE("A user has an account of each alias with a transport, and not two of one (schemas/migrations/0004)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    auto row = account(3);
    insert(store, row);
    row.id = base::AccountId{4};
    row.alias = "work";
    insert(store, row);
    const auto found = accounts(store);
    REQUIRE(found.size() == 2);
    CHECK(found[0].alias.empty());
    CHECK(found[1].alias == "work");
    row.id = base::AccountId{5};
    CHECK_THROWS(insert(store, row));  // on PostgreSQL at the commit
    store.driver->rollback();
    CHECK(store.count("accounts") == 2);
  }
}

TEST_CASE(
    "An account is inserted once, however often its transaction runs, and is changed by update_account "
    "(accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    auto row = account(3);
    insert(store, row);
    insert(store, row);
    CHECK(store.count("accounts") == 1);
    CHECK(store.count("users") == 1);
    row.credentials["password"] = "new";
    row.policy = store::AccountPolicy::follow_presence;
    row.lang = "de";
    store([&](Transaction& t) { store::update_account(t, row, sealer()); });
    const auto found = accounts(store);
    REQUIRE(found.size() == 1);
    CHECK(found[0].credentials.at("password") == "new");
    CHECK(found[0].policy == store::AccountPolicy::follow_presence);
    CHECK(found[0].lang == "de");
  }
}

TEST_CASE(
    "remove_account leaves nothing of the account, everything of others, and the user while one account is left "
    "(accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    insert(store, account(2, "romeo@example.net", "other.example.net"));
    fill(store, 1, 10);
    fill(store, 2, 11);
    const std::vector<std::string> tables{"accounts", "contacts", "outbox", "inbox", "messages"};
    store([&](Transaction& t) { store::remove_account(t, {1}); });
    for (const auto& table : tables) {
      CAPTURE(table);
      CHECK(store.count(table) == 1);
    }
    CHECK(store.count("users") == 1);
    store([&](Transaction& t) { store::remove_account(t, {2}); });
    for (const auto& table : tables) {
      CAPTURE(table);
      CHECK(store.count(table) == 0);
    }
    CHECK(store.count("users") == 0);
    store([&](Transaction& t) { store::remove_account(t, {2}); });  // again: nothing to do
  }
}

TEST_CASE("remove_account keeps what its user is still to be told, where that is asked (accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    fill(store, 1, 10);
    store([&](Transaction& t) {
      const store::InboxRow failed{11, {1}, "{\"v\":1,\"type\":\"failed\",\"text\":\"\"}", 0};
      store::insert_inbox(t, {&failed, 1});
      store::remove_account(t, {1}, store::Unsent::kept);
    });
    CHECK(store.count("accounts") == 0);
    CHECK(store.count("outbox") == 1);
    CHECK(store.count("inbox") == 1);
    CHECK(store([](Transaction& t) { return store::read_inbox(t, "sms.example.net", 0, 10); }).front().id == 11);
  }
}

TEST_CASE("remove_orphans removes what came for an account after its removal, and nothing else (accounts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    fill(store, 1, 10);
    store([&](Transaction& t) {
      const store::OutboxRow outbox{11, {9}, "c:x", "{}", "{}", store::OutboxState::queued, 0, 0, 0};
      const store::InboxRow inbox{11, {9}, "{}", 0};
      const store::MessageRow sent{11, {9}, "n", "{}", "c:x", std::nullopt, 0};
      store::insert_outbox(t, {&outbox, 1});
      store::insert_inbox(t, {&inbox, 1});
      store::insert_messages(t, {&sent, 1});
      store::remove_orphans(t);
    });
    for (const std::string table : {"inbox", "messages"}) {
      CAPTURE(table);
      CHECK(store.count(table) == 1);
    }
    const auto orphaned = store([](Transaction& t) { return store::read_orphaned_outbox(t); });
    REQUIRE(orphaned.size() == 1);  // its sender is still to be told
    CHECK(orphaned.front().id == 11);
  }
}

TEST_CASE("A secret is not to be found in the SQLite files nor in PostgreSQL's dump (house.md §7)") {
  const std::string planted = "correct-horse-battery-staple";
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    auto row = account(1);
    row.credentials = {{"password", planted}};
    insert(store, row);
    store([&](Transaction& t) { store::update_account(t, row, sealer()); });
    std::string kept;
    if (kind == DatabaseKind::sqlite) {
      kept = read_whole(store.temp.file()) + read_whole(store.temp.file().string() + "-wal");
      store.driver.reset();  // writes the log into the file
      kept += read_whole(store.temp.file());
    } else {
      kept = postgres_server().dump(store.temp.url());
    }
    CHECK(kept.find("romeo@example.net") != std::string::npos);  // so it is the right place
    CHECK(kept.find(planted) == std::string::npos);
  }
}

TEST_CASE(
    "Credentials that cannot be opened are an error that names the account, also when moved to another's row "
    "(secret.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(41));
    const auto other = base::Sealer::from_key_text(std::string(64, '2')).value();
    store.driver->begin();
    CHECK_THROWS_WITH_AS(store::read_accounts(store.driver->transaction(), "sms.example.net", other),
                         doctest::Contains("account 41 "), std::runtime_error);
    store.driver->rollback();
    insert(store, account(42, "juliet@example.net"));
    store([](Transaction& t) {
      t.execute("UPDATE accounts SET credentials = (SELECT credentials FROM accounts WHERE id = 41) WHERE id = 42");
    });
    store.driver->begin();
    CHECK_THROWS_WITH_AS(store::read_accounts(store.driver->transaction(), "sms.example.net", sealer()),
                         doctest::Contains("account 42 "), std::runtime_error);
    store.driver->rollback();
  }
}

TEST_CASE("reseal_accounts seals with the new key what the old one sealed, and only that (wherry rotate-key)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    insert(store, account(2, "juliet@example.net"));
    const auto both = base::Sealer::from_key_text(std::string(64, '2') + "\n" + std::string(64, '1')).value();
    CHECK(store([&](Transaction& t) { return store::reseal_accounts(t, both); }) == 2);
    CHECK(store([&](Transaction& t) { return store::reseal_accounts(t, both); }) == 0);
    const auto new_only = base::Sealer::from_key_text(std::string(64, '2')).value();
    const auto found = accounts(store, "sms.example.net", new_only);
    REQUIRE(found.size() == 2);
    CHECK(found[1].credentials == account(2).credentials);
  }
}

TEST_CASE("export_user tells everything of one user over all transports, and no secret (GDPR art. 15, 20)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    insert(store, account(2, "romeo@example.net", "other.example.net"));
    insert(store, account(3, "juliet@example.net"));
    fill(store, 1, 10);
    fill(store, 3, 11);
    const std::string text =
        store([](Transaction& t) { return store::export_user(t, jid("romeo@example.net/balcony")); });
    CHECK(text.find("s3cret") == std::string::npos);
    const auto exported = nlohmann::json::parse(text);
    CHECK(exported["user"] == "romeo@example.net");
    REQUIRE(exported["accounts"].size() == 2);
    const auto& first = exported["accounts"][0];
    CHECK(first["transport"] == "sms.example.net");
    CHECK(first["contacts"][0]["name"] == "Juliet");
    CHECK(first["messages_to_send"][0]["action"]["text"] == "hi");
    CHECK(first["messages_to_deliver"][0]["event"]["event"] == "came");
    CHECK(first["messages_to_deliver"][0]["received"] == "1970-01-01T00:00:01.000Z");
    CHECK(first["messages_sent"].size() == 1);
    CHECK(first["messages_sent"][0]["stage"] == "read");
    CHECK(exported["accounts"][1]["contacts"].empty());
    CHECK(store([](Transaction& t) {
            return store::export_user(t, jid("nobody@example.net"));
          }).find("\"accounts\": []") != std::string::npos);
  }
}
