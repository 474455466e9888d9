// What a network is shown of a user who has several devices (RFC 6121 §4.7).
#include "gateway/accounts/resources.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::accounts;
using connector::Availability;

namespace {

xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

}  // namespace

TEST_CASE("The most available device decides what the network is shown, among equals the highest priority") {
  struct Case {
    const char* what;
    std::vector<UserPresence> devices;
    UserPresence shown;
  };
  const Case cases[] = {
      {"nobody is there", {}, {Availability::offline, "", 0}},
      {"one device", {{Availability::away, "lunch", 5}}, {Availability::away, "lunch", 5}},
      {"who is there counts before who is away",
       {{Availability::away, "", 9}, {Availability::online, "", 0}},
       {Availability::online, "", 0}},
      {"who is busy is there",
       {{Availability::away, "", 9}, {Availability::do_not_disturb, "busy", 0}},
       {Availability::do_not_disturb, "busy", 0}},
      {"online counts before busy",
       {{Availability::do_not_disturb, "", 9}, {Availability::online, "", 0}},
       {Availability::online, "", 0}},
      {"who wants to chat counts first",
       {{Availability::online, "", 9}, {Availability::chat, "", 0}},
       {Availability::chat, "", 0}},
      {"away counts before away for long",
       {{Availability::extended_away, "", 9}, {Availability::away, "", 0}},
       {Availability::away, "", 0}},
      {"among equals the priority",
       {{Availability::online, "desk", 0}, {Availability::online, "phone", 1}},
       {Availability::online, "phone", 1}},
      {"a device without messages counts last",
       {{Availability::chat, "bot", -1}, {Availability::extended_away, "", 0}},
       {Availability::extended_away, "", 0}},
      {"… and alone it counts", {{Availability::chat, "bot", -1}}, {Availability::chat, "bot", -1}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    Resources resources;
    for (std::size_t i = 0; i < c.devices.size(); ++i)
      CHECK(resources.put("romeo@x.test/" + std::to_string(i), c.devices[i]));
    CHECK(resources.shown() == c.shown);
  }
}

TEST_CASE("When the busy device leaves, what the other shows is shown") {
  Resources resources;
  resources.put("romeo@x.test/desk", {Availability::do_not_disturb, "busy", 1});
  resources.put("romeo@x.test/phone", {Availability::away, "", 0});
  CHECK(resources.shown().availability == Availability::do_not_disturb);
  resources.erase(jid("romeo@x.test/desk"));
  CHECK(resources.shown().availability == Availability::away);
  resources.put("romeo@x.test/tablet", {});
  resources.erase(jid("romeo@x.test"));  // all of them
  CHECK(resources.empty());
}

TEST_CASE("A server that invents devices is not followed beyond a hundred") {
  Resources resources;
  for (std::size_t i = 0; i < Resources::most; ++i) REQUIRE(resources.put("romeo@x.test/" + std::to_string(i), {}));
  CHECK_FALSE(resources.put("romeo@x.test/more", {}));
  CHECK(resources.put("romeo@x.test/7", {Availability::away, "", 0}));
  CHECK(resources.size() == Resources::most);
}

TEST_CASE("A device that is known by presence to contacts only goes with the last of them") {
  Resources resources;
  resources.put("u@x.test/a", {}, {base::ContactId{"c1"}});
  resources.show("u@x.test/a", base::ContactId{"c2"});
  resources.put("u@x.test/b", {});
  resources.show("u@x.test/b", base::ContactId{"c1"});
  const auto a = jid("u@x.test/a"), everyone = jid("u@x.test");
  CHECK(resources.hide(a, base::ContactId{"c3"}).empty());
  CHECK(resources.hide(a, base::ContactId{"c1"}).empty());
  CHECK(resources.hide(everyone, base::ContactId{"c2"}) == std::vector<std::string>{"u@x.test/a"});
  CHECK(resources.hide(everyone, base::ContactId{"c1"}).empty());
}

TEST_CASE("A device that shows itself to the gateway, too, does not go with its contacts") {
  Resources resources;
  resources.put("u@x.test/a", {}, {base::ContactId{"c1"}});
  resources.put("u@x.test/a", {});
  CHECK(resources.hide(jid("u@x.test/a"), base::ContactId{"c1"}).empty());
}

TEST_CASE("A device is at the domain once it has shown itself there, until it is in doubt") {
  Resources resources;
  for (const char* full : {"u@x.test/a", "u@x.test/b"}) resources.put(full, {});
  resources.show_at_domain("u@x.test/a");
  CHECK(resources.is_at_domain(jid("u@x.test/a")));
  CHECK(resources.is_at_domain(jid("u@x.test")));
  CHECK_FALSE(resources.is_at_domain(jid("u@x.test/b")));
  resources.doubt();
  CHECK_FALSE(resources.is_at_domain(jid("u@x.test")));
}

TEST_CASE("A device in doubt is so until it shows itself") {
  Resources resources;
  for (const char* full : {"u@x.test/a", "u@x.test/b", "u@x.test/c"}) resources.put(full, {});
  resources.doubt();
  resources.put("u@x.test/a", {});
  resources.show("u@x.test/b", base::ContactId{"c1"});
  CHECK(resources.doubted() == std::vector<std::string>{"u@x.test/c"});
}
