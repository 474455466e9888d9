#include "gateway/xmpp/stream_parser.hpp"

#include "gateway/xmpp/namespaces.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace wherry::xmpp;

namespace {

const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns='jabber:component:accept' id='s1' from='sms.example.com'>";

// All items of the stream `header` + `xml`, in pieces of `size` bytes.
std::vector<StreamItem> items_of(const std::string& xml, std::size_t size = 1 << 20, StreamLimits limits = {}) {
  StreamParser parser(ns::component, limits);
  const std::string all = header + xml;
  std::vector<StreamItem> items;
  for (std::size_t i = 0; i < all.size(); i += size) {
    for (auto& item : parser.feed(std::string_view(all).substr(i, size))) items.push_back(std::move(item));
  }
  REQUIRE(!items.empty());
  CHECK(std::holds_alternative<StreamOpened>(items.front()));
  items.erase(items.begin());
  return items;
}

// The condition by which that ends; "refused" where it goes on without a stanza; or "".
std::string condition_of(const std::string& xml, StreamLimits limits = {}) {
  std::string condition;
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    const auto items = items_of(xml, size, limits);
    const auto* broken = items.empty() ? nullptr : std::get_if<StreamBroken>(&items.back());
    std::string found = broken ? broken->condition : "";
    for (const auto& item : items) {
      if (std::holds_alternative<StanzaRefused>(item) && !broken) found = "refused";
    }
    if (broken) CHECK(!broken->text.empty());
    if (size != 1) CHECK(found == condition);  // however it is cut
    condition = found;
  }
  return condition;
}

std::string first_condition(const std::string& stream) {
  StreamParser parser(ns::component);
  const auto items = parser.feed(stream);
  const auto* broken = items.empty() ? nullptr : std::get_if<StreamBroken>(&items.back());
  return broken ? broken->condition : "";
}

}  // namespace

TEST_CASE("StreamParser reports the stream's id, from and to (RFC 6120 §4.7)") {
  StreamParser parser(ns::component);
  const auto items = parser.feed(header);
  REQUIRE(items.size() == 1);
  const auto& opened = std::get<StreamOpened>(items[0]);
  CHECK(opened.id == "s1");
  CHECK(opened.from == "sms.example.com");
  CHECK(opened.to == "");
}

TEST_CASE("StreamParser gives each stanza with its last byte, in pieces of one byte") {
  StreamParser parser(ns::component);
  for (const char c : header) parser.feed(std::string_view(&c, 1));
  const std::string stanza =
      "<message from='a@b' to='c@d' xml:lang='en'><body>x &lt; y &amp; <![CDATA[<z>]]>&#x1F600;</body><a xmlns='n' "
      "b=''/></message>";
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < stanza.size(); ++i) {
      CAPTURE(i);
      const auto items = parser.feed(std::string_view(stanza).substr(i, 1));
      REQUIRE(items.size() == (i + 1 == stanza.size() ? 1 : 0));
      if (items.empty()) continue;
      const auto& message = std::get<Element>(items[0]);
      CHECK(message.is("message", ns::component));
      CHECK(message.attribute("from") == "a@b");
      CHECK(message.attribute("xml:lang") == "en");
      CHECK(message.child_text("body", ns::component) == "x < y & <z>😀");
      REQUIRE(message.child("a", "n"));
      CHECK(message.child("a", "n")->has_attribute("b"));
    }
  }
}

TEST_CASE("StreamParser gives the same however the stream is cut, and the end of the stream") {
  std::string xml;
  for (int i = 0; i < 50; ++i) {
    xml += "<iq id='" + std::to_string(i) + "' type='get'><query xmlns='jabber:iq:version'/></iq> \n<presence/>" +
           std::string(static_cast<std::size_t>(i * 400), ' ');
  }
  xml += "</stream:stream>\n<more";
  const auto whole = items_of(xml);
  REQUIRE(whole.size() == 101);
  CHECK(std::holds_alternative<StreamClosed>(whole.back()));
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 2, 3, 61, 1000, 5000}) {
    const auto pieces = items_of(xml, size);
    REQUIRE(pieces.size() == whole.size());
    for (std::size_t i = 0; i < 100; ++i) CHECK(std::get<Element>(pieces[i]) == std::get<Element>(whole[i]));
  }
}

TEST_CASE("StreamParser is finished after the end and after an error") {
  StreamParser parser(ns::component);
  CHECK(parser.feed(header + "</stream:stream>").size() == 2);
  CHECK(parser.feed("<presence/>").empty());
  StreamParser broken(ns::component);
  const auto items = broken.feed(header + "<presence/></oops>");
  REQUIRE(items.size() == 3);
  CHECK(std::holds_alternative<Element>(items[1]));
  CHECK(std::holds_alternative<StreamBroken>(items[2]));
  CHECK(broken.feed("<presence/>").empty());
}

TEST_CASE("StreamParser refuses comments, processing instructions, DTDs and entities (RFC 6120 §11.1)") {
  CHECK(condition_of("<message><!-- x --></message>") == "restricted-xml");
  CHECK(condition_of("<!-- x -->") == "restricted-xml");
  CHECK(condition_of("<?php x?>") == "restricted-xml");
  CHECK(condition_of("<message><body>&foo;</body></message>") == "restricted-xml");
  CHECK(condition_of("<message to='&foo;'/>") == "restricted-xml");
  CHECK(first_condition("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>") == "restricted-xml");
  CHECK(first_condition("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>") == "restricted-xml");
  CHECK(first_condition("<!-- x -->" + header) == "restricted-xml");
  CHECK(condition_of("<message><body>&lt;&gt;&amp;&apos;&quot;&#65;&#x41;</body></message>") == "");
}

TEST_CASE("StreamParser refuses XML that is not well-formed (RFC 6120 §11.3)") {
  for (const std::string_view xml :
       {"<a></b>", "<a b='1' b='2'/>", "<a b=1/>", "<a p:b='1' p:b='1'/>", "<a><", "<a>\x01</a>", "<a>\xFF</a>",
        "<a b='<'/>", "<a>&#0;</a>", "<a>]]></a>", "<a>\xED\xA0\x80</a>", "<?xml version='1.0'?>"}) {
    CAPTURE(xml);
    CHECK(condition_of(std::string(xml) + ">") == "not-well-formed");
  }
}

TEST_CASE("StreamParser refuses a stanza whose names are none, reads its addresses, and goes on (Namespaces in XML)") {
  const std::string xml = "http://www.w3.org/XML/1998/namespace";
  for (const std::string& inside :
       {std::string("<p:a/>"), std::string("<a p:b='1'/>"), std::string("<b><p:a xmlns:p='n'/><p:a/></b>"),
        std::string("<a xmlns:p=''/>"), "<a xmlns='" + xml + "'/>", "<a xmlns:ns1='" + xml + "' ns1:foo='1'/>",
        std::string("<xml:a/>"), std::string("<a xmlns:xml='n'/>"),
        std::string("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>"), std::string("<:a/>"),
        std::string("<a xmlns:p='n' xmlns:q='n' p:b='1' q:b='1'/>")}) {
    CAPTURE(inside);
    const std::string stanza =
        "<iq from='r@x' to='s' id='1' type='get'><q xmlns='n'>text</q>" + inside + "text<c/></iq>";
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      const auto items = items_of(stanza + stanza + "<presence xml:lang='en'><stream:x/><y/></presence>", size);
      REQUIRE(items.size() == 3);
      for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        REQUIRE(std::holds_alternative<StanzaRefused>(items[i]));
        const auto& refused = std::get<StanzaRefused>(items[i]);
        CHECK(refused.condition == "bad-request");
        CHECK(refused.head.to_xml() == "<iq xmlns='jabber:component:accept' from='r@x' to='s' id='1' type='get'/>");
        CHECK(!refused.text.empty());
      }
      REQUIRE(std::holds_alternative<Element>(items[2]));
      CHECK(std::get<Element>(items[2]).to_xml() ==
            "<presence xmlns='jabber:component:accept' xml:lang='en'><x "
            "xmlns='http://etherx.jabber.org/streams'/><y/></presence>");
    }
  }
}

TEST_CASE("StreamParser refuses a stanza whose own name or attributes are none, and tells its addresses") {
  const auto refused = [](const std::string& stanza) {
    const auto items = items_of(stanza + "<presence/>");
    REQUIRE(items.size() == 2);
    REQUIRE(std::holds_alternative<StanzaRefused>(items[0]));
    return std::get<StanzaRefused>(items[0]).head;
  };
  const Element head = refused("<message p:b='1' from='r@x' xmlns:q='n' to='s'><body>x</body></message>");
  CHECK(head.to_xml() == "<message xmlns='jabber:component:accept' from='r@x' to='s'/>");
  CHECK(refused("<p:message from='r@x'/>").ns() == "");  // no stanza, so that nobody is answered
  CHECK(refused("<message xmlns='http://www.w3.org/2000/xmlns/'/>").ns() != ns::component);
}

TEST_CASE("StreamParser is finished by a header or a document whose names are none") {
  for (const std::string_view attribute :
       {"p:b=''", "xmlns:p=''", "xmlns:xml='n'", "xmlns:q='http://etherx.jabber.org/streams' q:b='' stream:b=''"}) {
    CAPTURE(attribute);
    CHECK(first_condition(header.substr(0, header.size() - 1) + " " + std::string(attribute) + ">") ==
          "not-well-formed");
  }
  CHECK(first_condition("<s:stream>") == "not-well-formed");
  for (const std::string_view document : {"<p:a/>", "<a><p:b/></a>", "<a xmlns:p=''/>"}) {
    const auto read = parse_document(document);
    REQUIRE(std::holds_alternative<StreamBroken>(read));
    CHECK(std::get<StreamBroken>(read).condition == "not-well-formed");
  }
}

TEST_CASE("StreamParser takes any character in a namespace") {
  const auto items = items_of("<message><a xmlns='a&#10;b'/><a xmlns:p='a&#10;b' p:c='1' d='2'/></message>");
  REQUIRE(items.size() == 1);
  REQUIRE(std::holds_alternative<Element>(items[0]));
  CHECK(std::get<Element>(items[0]).to_xml(ns::component) == "<message><a xmlns='a&#xA;b'/><a d='2'/></message>");
}

TEST_CASE("StreamParser takes white space between stanzas and no other text there (RFC 6120 §11.7)") {
  CHECK(condition_of(" \r\n\t<presence/>  \n") == "");
  CHECK(condition_of("x<presence/>") == "not-well-formed");
  CHECK(condition_of("<presence/>&#65;<presence/>") == "not-well-formed");
  CHECK(condition_of("<![CDATA[x]]>") == "not-well-formed");
}

TEST_CASE("StreamParser wants the streams namespace and the right default namespace (RFC 6120 §4.8)") {
  CHECK(first_condition("<stream xmlns='jabber:component:accept'>") == "invalid-namespace");
  CHECK(first_condition("<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'>") ==
        "invalid-namespace");
  CHECK(first_condition("<s:stream xmlns:s='http://etherx.jabber.org/streams'>") == "invalid-namespace");
  CHECK(first_condition("<s:oops xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:component:accept'>") ==
        "invalid-namespace");
  CHECK(first_condition("<s:stream xmlns='jabber:component:accept' xmlns:s='http://etherx.jabber.org/streams'>") == "");
}

TEST_CASE("StreamParser takes no encoding but UTF-8 (RFC 6120 §11.6)") {
  const auto declared = [](const std::string& encoding) {
    return "<?xml version='1.0' encoding='" + encoding + "'?>" + header.substr(header.find("<stream"));
  };
  CHECK(first_condition(declared("utf-8")) == "");
  CHECK(first_condition(declared("UTF-8")) == "");
  CHECK(first_condition(declared("ISO-8859-1")) == "unsupported-encoding");
  CHECK(first_condition(declared("UTF-16")) == "unsupported-encoding");
}

TEST_CASE("StreamParser does not take a prefixed attribute for one of the stanza's (XML-NAMES §6.2)") {
  const auto items = items_of("<message xmlns:e='evil' e:from='mallory@example.com' from='a@b' e:to='x'/>");
  REQUIRE(items.size() == 1);
  const auto& message = std::get<Element>(items[0]);
  CHECK(message.attribute("from") == "a@b");
  CHECK(!message.has_attribute("to"));
}

TEST_CASE("StreamParser keeps to the limit of bytes exactly, wherever they are") {
  StreamLimits limits;
  limits.stanza_bytes = 1000;
  const auto padded = [](std::string before, std::string after, std::size_t size, char with = 'x') {
    return before + std::string(size - before.size() - after.size(), with) + after;
  };
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{{"<a>", "</a>"},
                                                                                      {"<a b='", "'/>"},
                                                                                      {"<a", "/>"},
                                                                                      {"<a><![CDATA[", "]]></a>"},
                                                                                      {"<a><b/>", "</a>"},
                                                                                      {"<a></a", ">"}}) {
    CAPTURE(before);
    const char with = before == "<a></a" ? ' ' : 'x';
    CHECK(condition_of(padded(before, after, 1000, with), limits) == "");
    CHECK(condition_of(padded(before, after, 1001, with) + "<presence/>", limits) == "refused");
    CHECK(condition_of("<presence/> \n" + padded(before, after, 1000, with) + "<presence/>", limits) == "");
  }
  limits.skipped_bytes = 5000;
  CHECK(condition_of(padded("<a b='", "'/>", 5000), limits) == "refused");
  CHECK(condition_of(padded("<a b='", ">", 20000), limits) == "policy-violation");  // never ends
  CHECK(condition_of(std::string(5000, ' ') + "<presence/>", limits) == "");
}

TEST_CASE("StreamParser refuses what never ends without keeping it") {
  StreamParser parser(ns::component);
  parser.feed(header);
  const std::string piece(64 << 10, 'x');
  parser.feed("<message><body>");
  std::size_t fed = 0;
  bool is_broken = false;
  while (!is_broken && fed < (8 << 20)) {
    fed += piece.size();
    is_broken = !parser.feed(piece).empty();
  }
  CHECK(is_broken);
  CHECK(fed <= (4 << 20) + piece.size());
}

TEST_CASE("StreamParser reads megabytes of one stream as it reads the first stanzas, prefixes of the stream included") {
  std::string xml;
  std::size_t count = 0;
  for (; xml.size() < (std::size_t{9} << 20); ++count) {
    xml += "<message id='" + std::to_string(count) + "'><body>" + std::string(count % 7 * 5000, 'x') +
           "</body><stream:x/></message>\n";
  }
  xml += "</stream:stream>";
  for (const std::size_t size : {std::size_t{50001}, std::size_t{1} << 30}) {
    const auto items = items_of(xml, size);
    REQUIRE(items.size() == count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& message = std::get<Element>(items[i]);
      REQUIRE(message.is("message", ns::component));
      REQUIRE(message.attribute("id") == std::to_string(i));
      REQUIRE(message.child_text("body", ns::component).size() == i % 7 * 5000);
      REQUIRE(message.child("x", ns::streams));
    }
    CHECK(std::holds_alternative<StreamClosed>(items[count]));
  }
  xml.resize(xml.rfind("</stream"));
  CHECK(std::get<StreamBroken>(items_of(xml + "<a></b>").back()).condition == "not-well-formed");
  CHECK(std::get<StreamBroken>(items_of(xml + "x</stream:stream>").back()).condition == "not-well-formed");
  CHECK(std::holds_alternative<StanzaRefused>(items_of(xml + "<a>" + std::string(600 << 10, 'x') + "</a>").back()));
}

TEST_CASE("StreamParser limits depth, attributes and elements") {
  const auto nested = [](int depth) {
    std::string open, close;
    for (int i = 0; i < depth; ++i) {
      open += "<a>";
      close += "</a>";
    }
    return open + close;
  };
  CHECK(condition_of(nested(32)) == "");
  CHECK(condition_of(nested(33)) == "refused");
  CHECK(condition_of(nested(5000)) == "refused");

  const auto with_attributes = [](int count) {
    std::string xml = "<a";
    for (int i = 0; i < count; ++i) xml += " b" + std::to_string(i) + "=''";
    return xml + "/>";
  };
  CHECK(condition_of(with_attributes(64)) == "");
  CHECK(condition_of(with_attributes(65)) == "refused");
  CHECK(condition_of("<a xmlns='n' xmlns:m='m'" + with_attributes(62).substr(2)) == "");
  CHECK(condition_of("<a xmlns='n' xmlns:m='m'" + with_attributes(63).substr(2)) == "refused");

  const auto with_children = [](int count) {
    std::string xml = "<a>";
    for (int i = 0; i < count / 2; ++i) xml += "<b><c/></b>";
    return xml + (count % 2 ? "<d/>" : "") + "</a>";
  };
  CHECK(condition_of(with_children(4096) + with_children(4096)) == "");
  CHECK(condition_of(with_children(4097)) == "refused");
  CHECK(std::get<StanzaRefused>(items_of(with_children(4097)).front()).condition == "policy-violation");
}

TEST_CASE(
    "StreamParser skips a stanza that is too much: its addresses stay, the next stanza comes, and the stream goes on") {
  std::string many;
  for (int i = 0; i < 70; ++i) many += " b" + std::to_string(i) + "=''";
  std::string opened, closed;
  for (int i = 0; i < 1000; ++i) opened += "<a>", closed += "</a>";
  const std::vector<std::string> stanzas = {
      "<iq from='r@x' to='s' id='1' type='get'" + many + "><q xmlns='n'>text</q></iq>",
      "<iq from='r@x' to='s' id='1' type='get'>text" + opened + "text" + closed + "text</iq>",
      "<iq from='r@x' to='s' id='1' type='get'><q" + many + "><b>text</b></q>text<c/></iq>",
      "<iq from='r@x' to='s' id='1' type='get'>" + std::string(600 << 10, 'x') + "<b/>" + std::string(600 << 10, 'x') +
          "</iq>",
      "<iq from='r@x' to='s' id='1' type='get'><q a='" + std::string(3 << 20, 'x') + "'/>text</iq>",
      "<iq from='r@x' to='s' id='1' type='get' a='" + std::string(600 << 10, 'x') + "'><q/></iq>",
  };
  for (const std::string& stanza : stanzas) {
    for (const std::size_t size : {std::size_t{7}, std::size_t{5000}, std::size_t{2} << 20}) {
      if (size == 7 && stanza.size() > 100000) continue;
      const auto items =
          items_of("<presence/>" + stanza + stanza + "<presence><show>away</show></presence></stream:stream>", size);
      REQUIRE(items.size() == 5);
      CHECK(std::holds_alternative<Element>(items[0]));
      for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
        REQUIRE(std::holds_alternative<StanzaRefused>(items[i]));
        const auto& refused = std::get<StanzaRefused>(items[i]);
        CHECK(refused.head.to_xml() == "<iq xmlns='jabber:component:accept' from='r@x' to='s' id='1' type='get'/>");
        CHECK(!refused.text.empty());
      }
      REQUIRE(std::holds_alternative<Element>(items[3]));
      CHECK(std::get<Element>(items[3]).child_text("show", ns::component) == "away");
      CHECK(std::holds_alternative<StreamClosed>(items[4]));
    }
  }
}

TEST_CASE("parse_document reads one whole document and refuses anything else") {
  const auto condition = [](std::string_view xml, StreamLimits limits = {}) {
    const auto result = parse_document(xml, limits);
    const auto* broken = std::get_if<StreamBroken>(&result);
    return broken ? broken->condition : "";
  };
  const auto result = parse_document("<?xml version='1.0' encoding='UTF-8'?>\n<a xmlns='n'><b>c</b></a>\n");
  REQUIRE(std::holds_alternative<Element>(result));
  CHECK(std::get<Element>(result).is("a", "n"));
  CHECK(std::get<Element>(result).child_text("b", "n") == "c");
  CHECK(condition("") == "not-well-formed");
  CHECK(condition("x") == "not-well-formed");
  CHECK(condition("<a>") == "not-well-formed");
  CHECK(condition("<a/><b/>") == "not-well-formed");
  CHECK(condition("<a/>x") == "not-well-formed");
  CHECK(condition("<!DOCTYPE a><a/>") == "restricted-xml");
  CHECK(condition("<a>" + std::string(600 << 10, 'x') + "</a>") == "policy-violation");
  StreamLimits limits;
  limits.depth = 2;
  CHECK(condition("<a><b/></a>", limits) == "");
  CHECK(condition("<a><b><c/></b></a>", limits) == "policy-violation");
}
