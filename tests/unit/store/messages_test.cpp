#include "gateway/store/messages.hpp"

#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Stage;
using db::Transaction;
using store::MessageRow;

namespace {

MessageRow sent(std::int64_t id, const std::string& network_id, std::int64_t account = 1) {
  return {id,           {account}, network_id, "{\"id\":\"m" + std::to_string(id) + "\"}", "c:+15550100",
          std::nullopt, 1000 + id};
}

void put(Store& store, const std::vector<MessageRow>& messages) {
  store([&](Transaction& t) { store::insert_messages(t, messages); });
}
auto by_id(Store& store, std::int64_t account, std::int64_t id) {
  return store([&](Transaction& t) { return store::find_message(t, {account}, id); });
}
auto by_network_id(Store& store, std::int64_t account, std::string_view id) {
  return store([&](Transaction& t) { return store::find_message(t, {account}, id); });
}

}  // namespace

TEST_CASE("A sent message is found by our id and by the network's, within its account only (store/messages.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    std::vector<MessageRow> messages{sent(1, "A"), sent(2, "a"), sent(3, "A", 2), sent(4, "")};
    messages[1].stage = Stage::delivered;
    for (std::int64_t id = 5; id < 40; ++id) messages.push_back(sent(id, "n" + std::to_string(id)));
    put(store, messages);
    put(store, messages);  // its transaction ran twice
    CHECK(store.count("messages") == 39);
    CHECK(by_network_id(store, 1, "A") == messages[0]);
    CHECK(by_network_id(store, 1, "a") == messages[1]);
    CHECK(by_network_id(store, 2, "A") == messages[2]);
    CHECK(by_network_id(store, 1, "n39") == messages.back());
    CHECK(by_id(store, 1, 4) == messages[3]);
    CHECK_FALSE(by_id(store, 2, 4).has_value());
    CHECK_FALSE(by_network_id(store, 2, "a").has_value());
    CHECK_FALSE(by_network_id(store, 1, "").has_value());  // no id is not an id
    CHECK_FALSE(by_network_id(store, 1, "unknown").has_value());
  }
}

TEST_CASE("Of two messages with one network id the newest is found (store/messages.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    put(store, {sent(1, "77"), sent(2, "77")});
    CHECK(by_network_id(store, 1, "77")->id == 2);
  }
}

TEST_CASE("Two network ids with one hash are told apart (FNV-1a; messages.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    put(store, {sent(1, "first"), sent(2, "second")});
    // As if both had one hash: that of "first". By the hash alone the newer one would be found.
    store([](Transaction& t) {
      t.execute("UPDATE messages SET network_hash = (SELECT network_hash FROM messages WHERE id = 1) WHERE id = 2");
    });
    CHECK(by_network_id(store, 1, "first")->id == 1);
  }
}

TEST_CASE("set_stage changes one message; remove_messages_before removes the older ones (store/messages.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    put(store, {sent(1, "a"), sent(2, "b"), sent(3, "")});
    store([](Transaction& t) { store::set_stage(t, 2, 0, Stage::read); });
    CHECK(by_id(store, 1, 2)->stage == Stage::read);
    CHECK_FALSE(by_id(store, 1, 1)->stage.has_value());
    store([](Transaction& t) { store::remove_messages_before(t, 1002); });
    CHECK_FALSE(by_id(store, 1, 1).has_value());
    CHECK(by_id(store, 1, 2).has_value());
    CHECK(by_id(store, 1, 3).has_value());
  }
}

TEST_CASE("A message that comes twice among many, the second time with the network's id, is stored once, with it") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    std::vector<MessageRow> messages;
    for (std::int64_t id = 1; id <= 15; ++id) messages.push_back(sent(id, ""));
    messages.push_back(sent(3, "N"));
    for (std::int64_t id = 16; id <= 40; ++id) messages.push_back(sent(id, ""));
    put(store, messages);
    CHECK(store.count("messages") == 40);
    CHECK(by_network_id(store, 1, "N")->id == 3);
  }
}
