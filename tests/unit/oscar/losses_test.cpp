// What other programs of the account do to its contact list, while the gateway listens and while it does not.
#include "tests/unit/oscar/world.hpp"

using namespace wherry;
using namespace wherry::oscar;

namespace {

RosterItem contact(std::string name, std::uint16_t id) {
  RosterItem item;
  item.name = std::move(name);
  item.group_id = 1;
  item.item_id = id;
  return item;
}

template <class... Names>
std::vector<RosterItem> listed(Names... names) {
  std::vector<RosterItem> items;
  (items.push_back(contact(names, static_cast<std::uint16_t>(items.size() + 1))), ...);
  return items;
}

asio::awaitable<void> again(tests::OscarWorld& w, std::vector<RosterItem> list) {
  w.tasks.cancel();
  co_await w.tasks.join();
  w.server.list = std::move(list);
  const auto before = w.sink.all<connector::ContactsListed>().size();
  co_await w.come_up();
  co_await w.sink.wait_for<connector::ContactsListed>(before + 1);
}

// "-100002" for each who is told to be gone.
std::string losses(const tests::OscarWorld& w) {
  std::string all;
  for (const auto& answer : w.sink.all<connector::ContactAnswered>())
    all += (answer.accepted ? "+" : "-") + answer.contact.value + " ";
  return all;
}

asio::awaitable<void> prove_life_twice(tests::OscarWorld& w) {
  for (int i = 0; i < 2; ++i) {
    const auto alive = co_await w.session->probe();
    CHECK(alive.has_value());
  }
}

OSCAR_TEST("Whom another program has removed while the gateway was down is told to be gone, once", gone) {
  co_await again(w, listed("100002", "Chatty Joe"));
  CHECK(losses(w).empty());
  co_await again(w, listed("100002"));
  CHECK(losses(w) == "-chattyjoe ");
  co_await again(w, listed("100002", "100003"));
  CHECK(losses(w) == "-chattyjoe ");
  co_await again(w, listed("100002"));
  CHECK(losses(w) == "-chattyjoe -100003 ");
  co_await w.end();
}

OSCAR_TEST("… and a request that they do not answer any more is forgotten", gone_request) {
  w.server.careful = {"100003"};
  co_await again(w, listed("100002"));
  co_await w.add("100003");
  co_await again(w, listed("100002"));
  CHECK(losses(w) == "-100003 ");
  for (const auto& [key, value] : w.bench.storage.values) CHECK(key == "listed/1/100001/100002");
  co_await w.end();
}

OSCAR_TEST("A server that has lost the list, or does not give it whole, costs nobody their contacts", lost_list) {
  co_await again(w, listed("100002", "100003"));
  co_await again(w, listed());
  w.server.counted_besides = 1;
  co_await again(w, listed("100002"));
  CHECK(losses(w).empty());
  w.server.counted_besides = 0;
  co_await again(w, listed("100002"));
  CHECK(losses(w) == "-100003 ");
  co_await w.end();
}

OSCAR_TEST("Whom the user has removed here is not told to be gone, and another account's list is another list",
           own_removal) {
  w.server.passwords["100009"] = "secret09";
  co_await again(w, listed("100002", "100003"));
  connector::Action action = connector::RemoveContact{{"100003"}};
  auto removed = co_await w.perform(std::move(action));
  REQUIRE(removed.has_value());
  w.bench.storage.apply(std::move(removed->changes));
  co_await again(w, listed("100002"));
  CHECK(losses(w).empty());
  w.know("secret09", "100009");
  co_await again(w, listed("100004"));
  CHECK(losses(w).empty());
  co_await w.end();
}

OSCAR_TEST("Whom another program removes meanwhile is told to be gone; who is moved is not", moved) {
  co_await again(w, listed("100002", "100003"));
  w.server.say(0x13, 0x0A, write_items({contact("100002", 1)}));
  w.server.say(0x13, 0x0A, write_items({contact("100003", 2)}));
  auto elsewhere = contact("100003", 3);
  elsewhere.group_id = 2;
  w.server.say(0x13, 0x08, write_items({elsewhere}));
  co_await w.sink.wait_for<connector::ContactListChanged>(3);
  CHECK(losses(w).empty());
  co_await prove_life_twice(w);
  CHECK(losses(w) == "-100002 ");
  co_await prove_life_twice(w);
  std::vector<RosterItem> left;
  left.push_back(elsewhere);
  co_await again(w, std::move(left));
  CHECK(losses(w) == "-100002 ");
  co_await w.end();
}

OSCAR_TEST("A contact is on the list also where its group may not be changed", groups_refused) {
  w.server.list = {contact("100002", 1)};
  RosterItem group;
  group.name = "Friends";
  group.group_id = 1;
  group.type = RosterItem::group;
  w.server.list.push_back(group);
  w.server.ruling = [](const Snac& packet, const RosterItem& item) -> std::uint16_t {
    return packet.subtype == 0x09 && item.type == RosterItem::group ? 0x0A : 0;
  };
  co_await w.come_up();
  co_await w.add("100003");
  connector::Action action = connector::RemoveContact{{"100002"}};
  const auto removed = co_await w.perform(std::move(action));
  CHECK(removed.has_value());
  CHECK(losses(w) == "+100003 ");
  co_await w.end();
}

OSCAR_TEST("A number that the server asks for an AIM user has not answered yet", asked_by_server,
           nlohmann::json{{"network", "aim"}}) {
  w.server.passwords["romeo"] = "secret02";
  w.know("secret02", "romeo");
  co_await again(w, listed("chattyjoe"));
  w.server.list = listed("chattyjoe", "100003");
  w.server.list[1].tlvs.push_back({0x66, ""});
  co_await w.add("100003");
  CHECK(losses(w).empty());
  CHECK(w.server.count(0x13, 0x18) == 0);
  w.server.say(0x13, 0x1B, Writer().text8("100003").u8(1).text16("").take());
  co_await w.sink.wait_for<connector::ContactAnswered>(1);
  CHECK(losses(w) == "+100003 ");
  w.server.list[1].tlvs.clear();
  w.server.say(0x13, 0x09, write_items(w.server.list));
  co_await w.sink.wait_for<connector::ContactListChanged>(1);
  co_await w.add("100003");
  CHECK(losses(w) == "+100003 +100003 ");
  co_await w.end();
}

asio::awaitable<void> approve(tests::OscarWorld& w, std::string contact) {
  connector::AnswerContact answer;
  answer.contact.value = std::move(contact);
  answer.accepted = true;
  connector::Action action = std::move(answer);
  const auto answered = co_await w.perform(std::move(action));
  CHECK(answered.has_value());
  const auto alive = co_await w.session->probe();
  CHECK(alive.has_value());
}

OSCAR_TEST("An AIM user in whose name the server has asked is answered", answers_aim) {
  co_await w.come_up();
  w.server.say(0x13, 0x19, Writer().text8("Chatty Joe").text16("").u16(0).take());
  co_await w.sink.wait_for<connector::ContactAsked>(1);
  CHECK(w.sink.all<connector::ContactAsked>().at(0).contact.value == "chattyjoe");
  co_await approve(w, "chattyjoe");
  CHECK(w.server.count(0x13, 0x1A) == 1);
  co_await w.end();
}

OSCAR_TEST("… and nobody asks an AIM user", nobody_asks, nlohmann::json{{"network", "aim"}}) {
  w.server.passwords["romeo"] = "secret02";
  w.know("secret02", "romeo");
  co_await w.come_up();
  co_await approve(w, "100003");
  CHECK(w.server.count(0x13, 0x1A) == 0);
  co_await w.end();
}

OSCAR_TEST("Nothing is kept for an account that is gone", forgotten) {
  w.server.careful = {"100003"};
  co_await again(w, listed("100002"));
  co_await w.add("100003");
  w.bench.storage.apply({{"listed/11/100001/100002", "1"}});
  w.tasks.cancel();
  co_await w.tasks.join();
  w.tasks.spawn("run", w.network->run());
  w.network->forget_account({1});
  const auto one_is_left = [&w] { return w.bench.storage.values.size() == 1; };
  for (int i = 0; i < 1000 && !one_is_left(); ++i) co_await asio::post(w.tasks.executor(), asio::use_awaitable);
  CHECK(w.bench.storage.values.begin()->first == "listed/11/100001/100002");
  CHECK(one_is_left());
  co_await w.end();
}

}  // namespace
