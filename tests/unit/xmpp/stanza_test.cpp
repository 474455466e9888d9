#include "gateway/xmpp/stanza.hpp"

#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

using namespace wherry::xmpp;
using wherry::base::Errc;
using wherry::base::Error;

namespace {

Element element_of(const std::string& xml) {
  auto result = parse_document(xml);
  REQUIRE(std::holds_alternative<Element>(result));
  return std::get<Element>(std::move(result));
}

// `xml` without a namespace, as it stands in a component's stream.
std::optional<Stanza> stanza_of(std::string xml) {
  xml.insert(xml.find_first_of(" />"), " xmlns='jabber:component:accept'");
  return to_stanza(element_of(xml));
}

}  // namespace

TEST_CASE("to_stanza takes the three kinds, with both addresses (RFC 6120 §8, XEP-0114 §3)") {
  const auto message = stanza_of("<message from='A@b/R' to='c@D' id='1' type='chat' xml:lang='de'/>");
  REQUIRE(message.has_value());
  CHECK(message->kind == Kind::message);
  CHECK(message->from.str() == "a@b/R");
  CHECK(message->to.str() == "c@d");
  CHECK(message->id() == "1");
  CHECK(message->type() == "chat");
  CHECK(message->lang() == "de");
  CHECK(stanza_of("<presence from='a@b' to='c'/>")->kind == Kind::presence);
  CHECK(stanza_of("<iq from='a@b' to='c'/>")->kind == Kind::iq);

  CHECK(!stanza_of("<handshake from='a@b' to='c'/>"));
  CHECK(!stanza_of("<message to='c'/>"));
  CHECK(!stanza_of("<message from='a@b'/>"));
  CHECK(!stanza_of("<message from='a@b' to='c d@e'/>"));
  // the server vouches for it
  CHECK(stanza_of("<message from='a b@c/\u2764\uFE0F' to='c'/>")->from.str() == "a b@c/\u2764\uFE0F");
  CHECK(!to_stanza(element_of("<message xmlns='jabber:client' from='a@b' to='c'/>")));
}

TEST_CASE("Stanza::payload is the one child of an iq get or set (RFC 6120 §8.2.3)") {
  const auto payload = [](std::string_view type, std::string_view children) {
    const auto stanza =
        stanza_of("<iq from='a@b' to='c' type='" + std::string(type) + "'>" + std::string(children) + "</iq>");
    return stanza->payload() ? stanza->payload()->name() : "";
  };
  CHECK(payload("get", "<q xmlns='n'/>") == "q");
  CHECK(payload("set", "\n<q xmlns='n'/>\n") == "q");
  CHECK(payload("get", "") == "");
  CHECK(payload("get", "<q xmlns='n'/><q xmlns='n'/>") == "");
  CHECK(payload("result", "<q xmlns='n'/>") == "");
  CHECK(stanza_of("<message from='a@b' to='c' type='get'><q xmlns='n'/></message>")->payload() == nullptr);
}

TEST_CASE("make_stanza and result_of put the addresses and the id where they belong (RFC 6120 §8.1)") {
  const auto a = Jid::parse("a@b/r").value(), c = Jid::parse("c.example").value();
  CHECK(make_stanza(Kind::presence, a, c, "", "").to_xml(ns::component) == "<presence from='a@b/r' to='c.example'/>");
  CHECK(make_stanza(Kind::message, a, c, "chat", "7").to_xml(ns::component) ==
        "<message from='a@b/r' to='c.example' type='chat' id='7'/>");
  const auto iq = stanza_of("<iq from='a@b/r' to='c' id='x' type='get'><q xmlns='n'/></iq>");
  CHECK(result_of(*iq).to_xml(ns::component) == "<iq from='c' to='a@b/r' type='result' id='x'/>");
}

TEST_CASE("error_reply swaps the addresses and takes no body back (RFC 6120 §8.3)") {
  const auto message = stanza_of("<message from='a@b/r' to='c@d' id='x'><body>secret</body></message>");
  const StanzaError error{"cancel", "item-not-found", "The number <x> does not exist."};
  CHECK(error_reply(*message, error).to_xml(ns::component) ==
        "<message from='c@d' to='a@b/r' type='error' id='x'><error type='cancel' code='404'>"
        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>The number &lt;x&gt; does not exist.</text>"
        "</error></message>");
  const auto iq = stanza_of("<iq from='a@b/r' to='c@d' id='x' type='get'><q xmlns='n'/></iq>");
  CHECK(error_reply(*iq, StanzaError{"cancel", "service-unavailable", ""}).to_xml(ns::component) ==
        "<iq from='c@d' to='a@b/r' type='error' id='x'><q xmlns='n'/><error type='cancel' code='503'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

TEST_CASE("Every Errc becomes one stanza error with its legacy code (RFC 6120 §8.3.3, XEP-0086 §2)") {
  const auto shown = [](Errc code) {
    const auto error = to_stanza_error(Error{code, "why", {}});
    const auto element = error_element(error);
    CHECK(element.child_of(ns::stanza_errors)->name() == error.condition);
    CHECK(error.text.find("why") != std::string::npos);
    return error.type + " " + error.condition + " " + std::string(element.attribute("code"));
  };
  CHECK(shown(Errc::not_found) == "cancel item-not-found 404");
  CHECK(shown(Errc::bad_input) == "modify not-acceptable 406");
  CHECK(shown(Errc::rejected) == "modify not-acceptable 406");
  CHECK(shown(Errc::conflict) == "cancel conflict 409");
  CHECK(shown(Errc::offline) == "cancel service-unavailable 503");
  CHECK(shown(Errc::unsupported) == "cancel feature-not-implemented 501");
  CHECK(shown(Errc::not_authorized) == "auth not-authorized 401");
  CHECK(shown(Errc::unavailable) == "wait remote-server-timeout 504");
  CHECK(shown(Errc::uncertain) == "cancel remote-server-timeout 504");
  CHECK(to_stanza_error(Error{Errc::uncertain, "", {}}).text == "It is not known whether this arrived.");
  CHECK(!error_element(StanzaError{"modify", "policy-violation", ""}).has_attribute("code"));
}
