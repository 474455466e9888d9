#include "connectors/oscar/client/services/icon.hpp"
#include "tests/unit/oscar/world.hpp"

#include <algorithm>

using namespace wherry;
using namespace wherry::oscar;
using connector::Errc;

namespace {

const std::string picture = "GIF89a and the rest";
const std::string hash = md5(picture);

Snac packet(std::uint16_t family, std::uint16_t subtype, std::string body) {
  Snac made;
  made.family = family;
  made.subtype = subtype;
  made.body = std::move(body);
  return made;
}

// As a presence names it (TLV 1D).
Tlv icon_tlv(std::string_view of) { return {0x1D, Writer().u16(1).u8(1).text8(of).take()}; }

std::string texts(std::initializer_list<const char*> all) {
  Writer out;
  for (const char* one : all) {
    const std::string_view text(one);
    out.little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
  }
  return out.take();
}

// Data of the answers to what ICQ's services are asked.
std::vector<std::string> icq_answers(std::string_view question) {
  Reader in(question);
  switch (in.little16()) {
    case 0x4BA: {
      const std::string head = Writer().little16(0x104).u8(in.little32() == 100002 ? 0x0A : 0x14).take();
      return {head + texts({"Jule", "", "", "j@x.test"}) + std::string(3, '\0')};
    }
    case 0x4B2: {
      Writer basic;
      basic.little16(0xC8).u8(0x0A).raw(texts({"Jule", "", "", "j@x.test", "Verona", "", "1", "", "", "", ""}));
      return {basic.little16(39).take(), Writer().little16(0xFA).u8(0x0A).take()};
    }
    case 0x569: {
      const std::string record = Writer().little32(in.little16() == 0 ? 0 : 100002).take();
      return {Writer().little16(0x1AE).u8(0x0A).little16(0).raw(record).raw(texts({"Jule", "", "", ""})).take() +
              std::string(18, '\0')};
    }
    case 0x55F: return {Writer().little16(0x1AE).u8(0x32).take()};
    case 0xC3A: return {Writer().little16(0xC3F).u8(0x0A).take()};
    default: return {};
  }
}

std::vector<Snac> answers(const Snac& asked) {
  std::vector<Snac> all;
  if (asked.is(0x15, 0x02)) {
    auto inner = read_icq(asked.body).value();
    const std::vector<std::string> parts = icq_answers(inner.data);
    inner.type = IcqPacket::answer;
    for (const std::string& part : parts) {
      inner.data = part;
      all.push_back(packet(0x15, 0x03, write_icq(inner)));
    }
  } else if (asked.is(0x10, 0x04)) {
    Writer out;
    out.text8("100002").u16(1).u8(1).text8(hash).text16(picture);
    all.push_back(packet(0x10, 0x05, out.take()));
  } else if (asked.is(0x10, 0x02)) {
    all.push_back(packet(0x10, 0x03, Writer().u8(0).u16(1).u8(1).text8(hash).take()));
  } else if (asked.is(0x0A, 0x02)) {
    if (asked.body == "joe@x.test") all.push_back(packet(0x0A, 0x03, Writer().tlv(0x01, "Chatty Joe").take()));
    else all.push_back(packet(0x0A, 0x01, tests::octets("0014")));
  } else if (asked.is(0x02, 0x05) && asked.body != Writer().u16(1).text8("nobody").take()) {
    Writer out;
    out.raw(tests::user_info("Chatty Joe")).tlv(0x01, "text/aolrtf").tlv(0x02, "I <b>like</b> tea");
    all.push_back(packet(0x02, 0x06, out.take()));
  } else if (asked.is(0x02, 0x05)) {
    all.push_back(packet(0x02, 0x01, tests::octets("0004")));
  }
  return all;
}

connector::Query profile_of(const char* contact) {
  connector::ProfileQuery query;
  query.contact.value = contact;
  return query;
}
connector::Query search_for(const char* words) {
  connector::SearchQuery query;
  query.words = words;
  return query;
}
connector::Query avatar_named(std::string avatar) {
  connector::AvatarQuery query;
  query.avatar = std::move(avatar);
  return query;
}

struct Bytes final : connector::FileSink {
  asio::awaitable<connector::Result<void>> write(std::string piece) override {
    bytes += piece;
    co_return base::ok();
  }
  std::string bytes;
};

OSCAR_TEST("What an ICQ user has written of themselves, and that there is no such user", icq_profile) {
  w.server.answers = answers;
  co_await w.come_up();
  const auto found = co_await w.ask(profile_of("100002"));
  REQUIRE(found.has_value());
  const auto& profile = std::get<connector::Profile>(*found);
  CHECK(profile.name == "Jule");
  CHECK(profile.details.at("city") == "Verona");
  CHECK(profile.details.at("country") == "Italy");
  CHECK(profile.details.at("email") == "j@x.test");
  REQUIRE(w.sink.all<connector::ContactChanged>().size() == 1);
  CHECK(w.sink.all<connector::ContactChanged>()[0].name == "Jule");
  const auto again = co_await w.ask(profile_of("100002"));
  CHECK(again.has_value());
  CHECK(w.sink.all<connector::ContactChanged>().size() == 1);  // it is not new
  const auto nobody = co_await w.ask(profile_of("999999"));
  CHECK(nobody.error().code == Errc::not_found);
  co_await w.end();
}

OSCAR_TEST("What an AIM user has written of themselves", aim_profile, nlohmann::json{{"network", "aim"}}) {
  w.server.answers = answers;
  w.server.passwords["romeo"] = "secret02";
  w.know("secret02", "romeo");
  co_await w.come_up();
  const auto found = co_await w.ask(profile_of("chattyjoe"));
  REQUIRE(found.has_value());
  CHECK(std::get<connector::Profile>(*found).name == "Chatty Joe");
  CHECK(std::get<connector::Profile>(*found).details.at("about") == "I like tea");
  const auto nobody = co_await w.ask(profile_of("nobody"));
  CHECK(nobody.error().code == Errc::not_found);
  const auto by_address = co_await w.ask(search_for(" joe@x.test "));
  REQUIRE(by_address.has_value());
  const auto& listed = std::get<std::vector<connector::ListedContact>>(*by_address);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].contact.value == "chattyjoe");
  CHECK(listed[0].name == "Chatty Joe");
  const auto none = co_await w.ask(search_for("ann@x.test"));
  CHECK(std::get<std::vector<connector::ListedContact>>(*none).empty());
  const auto by_name = co_await w.ask(search_for("joe"));
  CHECK(by_name.error().code == Errc::bad_input);
  connector::SetProfile nick;
  nick.name = "Romeo";
  connector::Action action = std::move(nick);
  const auto named = co_await w.perform(std::move(action));
  CHECK(named.error().code == Errc::unsupported);
  co_await w.end();
}

OSCAR_TEST("People are found by their number, or not at all", icq_search) {
  w.server.answers = answers;
  co_await w.come_up();
  const auto found = co_await w.ask(search_for("100002"));
  REQUIRE(found.has_value());
  const auto& listed = std::get<std::vector<connector::ListedContact>>(*found);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].contact.value == "100002");
  CHECK(listed[0].name == "Jule");
  const auto none = co_await w.ask(search_for("Ann Lee"));
  CHECK(std::get<std::vector<connector::ListedContact>>(*none).empty());
  connector::Query rooms = connector::RoomsQuery();
  const auto unsupported = co_await w.ask(std::move(rooms));
  CHECK(unsupported.error().code == Errc::unsupported);
  co_await w.end();
}

OSCAR_TEST("A question that the session does not outlive is answered", cut_question) {
  co_await w.come_up();
  std::optional<connector::Result<connector::Answer>> outcome;
  const auto asking = [](tests::OscarWorld& world, auto& out) -> asio::awaitable<void> {
    out = co_await world.ask(search_for("100002"));
    world.server.changed.notify();
  };
  w.tasks.spawn("asking", asking(w, outcome));
  UNTIL(w.server.count_icq(IcqPacket::question) == 1);
  w.server.cut();
  UNTIL(outcome.has_value());
  CHECK(outcome->error().code == Errc::unavailable);
  co_await w.end();
}

OSCAR_TEST("A name that the list does not give is asked for once", names) {
  w.server.answers = answers;
  oscar::RosterItem juliet;
  juliet.name = "100002";
  juliet.group_id = juliet.item_id = 1;
  w.server.list = {juliet};
  co_await w.come_up();
  w.server.say(3, 0x0B, tests::icq_user("100002"));
  w.server.say(3, 0x0B, tests::icq_user("100002", 0x01));
  co_await w.sink.wait_for<connector::ContactChanged>(1);
  CHECK(w.sink.all<connector::ContactChanged>()[0].name == "Jule");
  CHECK(w.server.count_icq(IcqPacket::question) == 1);
  co_await w.end();
}

OSCAR_TEST("An icon is told with the presence, and fetched from the service that keeps it", icons) {
  w.server.answers = answers;
  co_await w.come_up();
  w.server.say(3, 0x0B, tests::user_info("100002", {{0x01, tests::octets("0040")}, icon_tlv(hash)}));
  co_await w.sink.wait_for<connector::ContactChanged>(1);
  const std::string avatar = w.sink.all<connector::ContactChanged>()[0].avatar;
  CHECK(avatar.starts_with("100002/"));
  const auto told = co_await w.ask(avatar_named(avatar));
  REQUIRE(told.has_value());
  const auto& file = std::get<connector::File>(*told);
  CHECK(file.media_type == "image/gif");
  CHECK(file.bytes == picture.size());
  Bytes bytes;
  const auto fetched = co_await w.session->fetch(file.handle, bytes);
  CHECK(fetched.has_value());
  CHECK(bytes.bytes == picture);
  CHECK(w.server.count(0x10, 0x04) == 1);  // once is enough
  Reader in(w.server.last(0x10, 0x04).body);
  CHECK(in.text8() == "100002");
  CHECK(in.u8() == 1);
  CHECK(in.u16() == 1);
  CHECK(in.u8() == 1);
  CHECK(in.text8() == hash);
  const auto nonsense = co_await w.ask(avatar_named("nonsense"));
  CHECK(nonsense.error().code == Errc::not_found);
  // Without it there is none, and the mark of a cleared one is none.
  w.server.say(3, 0x0B, tests::user_info("100002", {{0x01, tests::octets("0040")}}));
  co_await w.sink.wait_for<connector::ContactChanged>(2);
  CHECK(w.sink.all<connector::ContactChanged>()[1].avatar.empty());
  w.server.say(3, 0x0B, tests::user_info("100002", {icon_tlv(tests::octets("0201D20472"))}));
  const auto alive = co_await w.session->probe();
  CHECK(alive.has_value());
  CHECK(w.sink.all<connector::ContactChanged>().size() == 2);
  co_await w.end();
}

OSCAR_TEST("A server without icons says so", no_icons) {
  w.server.answers = answers;
  w.server.has_icons = false;
  co_await w.come_up();
  const auto told = co_await w.ask(avatar_named("100002/01" + base::to_hex(hash)));
  CHECK(told.error().code == Errc::not_found);
  co_await w.end();
}

OSCAR_TEST("The user's own nick and picture are set", own_profile) {
  w.server.answers = answers;
  co_await w.come_up();
  connector::SetProfile profile;
  profile.name = "Romeo";
  profile.avatar.emplace();
  profile.avatar->url = "data:image/gif;base64," + base::to_base64(picture);
  connector::Action action = std::move(profile);
  const auto set = co_await w.perform(std::move(action));
  CHECK(set.has_value());
  const auto was_told = [&](const std::string& question) {
    return std::any_of(w.server.heard.begin(), w.server.heard.end(), [&](const Snac& heard) {
      return heard.is(0x15, 0x02) && read_icq(heard.body)->data == question;
    });
  };
  CHECK(was_told(change_nick("Romeo")));
  Reader items(w.server.last(0x13, 0x08).body);
  const auto item = read_items(items, 1).at(0);
  CHECK(item.type == RosterItem::icon);
  CHECK(*find(item.tlvs, 0xD5) == Writer().u8(1).text8(hash).take());
  CHECK(w.server.last(0x10, 0x02).body == Writer().u16(1).text16(picture).take());
  connector::SetProfile text;
  text.avatar.emplace();
  text.avatar->url = "data:text/plain;base64," + base::to_base64("no picture");
  action = std::move(text);
  const auto refused = co_await w.perform(std::move(action));
  CHECK(refused.error().code == Errc::rejected);
  co_await w.end();
}

}  // namespace
