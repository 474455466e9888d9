// XEP-0115 v1.6.0, the two worked examples of §5.2 and §5.3.
#include "gateway/xmpp/caps.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <doctest/doctest.h>

namespace wherry::xmpp {

namespace {

void add_identity(Element& query, const char* lang, const char* name) {
  Element& identity = query.add("identity", ns::disco_info).set("category", "client").set("type", "pc");
  identity.set("xml:lang", lang).set("name", name);
}

void add_features(Element& query) {
  for (const char* feature : {"http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#items",
                              "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps"})
    query.add("feature", ns::disco_info).set("var", feature);
}

void add_field(Element& form, const char* var, std::initializer_list<const char*> values) {
  Element& field = form.add("field", ns::data_forms).set("var", var);
  for (const char* value : values) field.add_text_child("value", value);
}

}  // namespace

TEST_CASE("The hash is that of the specification's simple example (§5.2)") {
  Element query("query", ns::disco_info);
  add_identity(query, "", "Exodus 0.9.1");
  add_features(query);
  CHECK(caps_hash(query) == "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

TEST_CASE("The hash is that of the specification's complex example (§5.3)") {
  Element query("query", ns::disco_info);
  add_identity(query, "en", "Psi 0.11");
  add_identity(query, "el", "\u03A8 0.11");
  add_features(query);
  Element& form = query.add("x", ns::data_forms).set("type", "result");
  add_field(form, "FORM_TYPE", {"urn:xmpp:dataforms:softwareinfo"});
  add_field(form, "ip_version", {"ipv6", "ipv4"});
  add_field(form, "software_version", {"0.11"});
  add_field(form, "os", {"Mac"});
  add_field(form, "os_version", {"10.5.1"});
  add_field(form, "software", {"Psi"});
  CHECK(caps_hash(query) == "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

}  // namespace wherry::xmpp
