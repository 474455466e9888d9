#include "gateway/xmpp/element.hpp"

#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

using wherry::xmpp::Element;

namespace {

Element parsed(const std::string& xml) {
  auto result = wherry::xmpp::parse_document(xml);
  REQUIRE(std::holds_alternative<Element>(result));
  return std::get<Element>(std::move(result));
}

}  // namespace

TEST_CASE("Element writes a namespace only where it changes (XML-NAMES §6.2)") {
  Element message("message", "jabber:client");
  message.set("to", "romeo@example.net");
  message.add_text_child("body", "Wherefore?");
  message.add("request", "urn:xmpp:receipts");
  message.add("none", "");
  CHECK(message.to_xml("jabber:client") ==
        "<message to='romeo@example.net'><body>Wherefore?</body><request xmlns='urn:xmpp:receipts'/><none "
        "xmlns=''/></message>");
  CHECK(message.to_xml().starts_with("<message xmlns='jabber:client' to="));
  CHECK(parsed(message.to_xml()) == message);
}

TEST_CASE("Element escapes text and attributes so that they come back equal (XML 1.0 §2.4, §2.11, §3.3.3)") {
  Element element("a", "n");
  element.set("x", "<&>'\"\r\n\t ]]>").set_text("<&>'\"\r\n\t\r\n ]]> ж 😀 \x7F");
  const auto xml = element.to_xml();
  CHECK(xml ==
        "<a xmlns='n' x='&lt;&amp;&gt;&apos;&quot;&#xD;&#xA;&#x9; ]]&gt;'>"
        "&lt;&amp;&gt;'\"&#xD;\n\t&#xD;\n ]]&gt; ж 😀 \x7F</a>");
  CHECK(parsed(xml) == element);
}

TEST_CASE("Element writes U+FFFD for what XML forbids and for bytes that are not UTF-8 (XML 1.0 §2.2)") {
  const auto written = [](std::string_view text) {
    Element element("a", "");
    element.set_text(text).set("x", text);
    auto back = parsed(element.to_xml());
    CHECK(back.text() == back.attribute("x"));
    return back.text();
  };
  CHECK(written(std::string_view("a\0b", 3)) == "a\uFFFDb");
  CHECK(written("\x01\x0B\x0C\x1F") == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(written("\uFFFE\uFFFF") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(written("\uFFFD\uE000\uD7FF\U0010FFFF") == "\uFFFD\uE000\uD7FF\U0010FFFF");
  CHECK(written("\xFF\x80") == "\uFFFD\uFFFD");
  CHECK(written("x\xC3") == "x\uFFFD");
  CHECK(written("\xC3<") == "\uFFFD<");
  CHECK(written("\xE2\x82") == "\uFFFD\uFFFD");
  CHECK(written("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");                      // a surrogate
  CHECK(written("\xC0\x80\xE0\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");  // overlong
  CHECK(written("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("Element::set replaces, and removes by an empty value") {
  Element element("a", "");
  element.set("x", "1").set("y", "2").set("x", "3");
  CHECK(element.attributes().size() == 2);
  CHECK(element.attribute("x") == "3");
  element.set("x", "").set("z", "");
  CHECK(!element.has_attribute("x"));
  CHECK(element.attribute("x") == "");
  CHECK(element.attributes().size() == 1);
}

TEST_CASE("Element finds and removes children by name and namespace") {
  Element element("a", "n");
  element.add_text_child("b", "one");
  element.add("b", "m").set_text("two");
  element.add_text_child("b", "three");
  CHECK(element.child("b", "n")->text() == "one");
  CHECK(element.child_text("b", "m") == "two");
  CHECK(element.child_of("m")->text() == "two");
  CHECK(element.child("c", "n") == nullptr);
  CHECK(element.child_text("c", "n") == "");
  CHECK(element.child_of("k") == nullptr);
  element.child("b", "m")->append_text("!");
  CHECK(element.child_text("b", "m") == "two!");
  CHECK(element.remove("b", "n") == 2);
  CHECK(element.remove("b", "n") == 0);
  CHECK(element.children().size() == 1);
}
