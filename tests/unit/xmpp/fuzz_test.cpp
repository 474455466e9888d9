// Random input for everything here that reads bytes of strangers. Each round has its own seed, which a failure prints.
#include "gateway/base/text.hpp"
#include "gateway/xmpp/escape.hpp"
#include "gateway/xmpp/jid.hpp"
#include "gateway/xmpp/namespaces.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace wherry::xmpp;
using wherry::base::is_utf8;
using wherry::base::to_lower_ascii;

namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class Container>
  const auto& pick(const Container& container) {
    return container[below(container.size())];
  }
  // Up to `most` of `pieces`, joined.
  std::string text(const std::vector<std::string>& pieces, std::size_t most) {
    std::string text;
    for (auto count = below(most + 1); count > 0; --count) text += pick(pieces);
    return text;
  }

 private:
  std::minstd_rand engine_;
};

const std::vector<std::string> text_pieces = {"a",
                                              "B",
                                              "7",
                                              " ",
                                              "\\",
                                              "20",
                                              "5c",
                                              "2F",
                                              "@",
                                              "/",
                                              ".",
                                              "-",
                                              "--",
                                              "xn--",
                                              "bcher-kva",
                                              "\"",
                                              "&",
                                              "'",
                                              ":",
                                              "<",
                                              ">",
                                              "[",
                                              "]",
                                              "::1",
                                              "é",
                                              "e\u0301",
                                              "Σ",
                                              "ß",
                                              "ſ",
                                              "K",
                                              "ａ",
                                              "ﾞ",
                                              "ｶ",
                                              "·",
                                              "l",
                                              "\u0660",
                                              "\u06F1",
                                              "א",
                                              "م",
                                              "\u200C",
                                              "\u200D",
                                              "\u00AD",
                                              "\u094D",
                                              "क",
                                              "한",
                                              "\u1100",
                                              "\u1161",
                                              "♚",
                                              "😀",
                                              "\u3000",
                                              "\uFEFF",
                                              "\uFFFE",
                                              "。",
                                              "\x01",
                                              "\t",
                                              "\n",
                                              "\r",
                                              "\xFF",
                                              "\xC3",
                                              "\xED\xA0\x80",
                                              "\U0001F1E9",
                                              std::string(300, 'x'),
                                              std::string(1, '\0')};

std::size_t depth_of(const Element& element) {
  std::size_t depth = 0;
  for (const auto& child : element.children()) depth = std::max(depth, depth_of(child));
  return depth + 1;
}
std::size_t elements_in(const Element& element) {
  std::size_t count = 1;
  for (const auto& child : element.children()) count += elements_in(child);
  return count;
}
std::size_t most_attributes(const Element& element) {
  std::size_t most = element.attributes().size();
  for (const auto& child : element.children()) most = std::max(most, most_attributes(child));
  return most;
}

const std::string header =
    "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' id='1'>";

Element random_element(Random& random, int levels) {
  static const std::vector<std::string> names = {"message", "body", "x", "a-b", "_c", "é"};
  static const std::vector<std::string> namespaces = {"jabber:component:accept", "n", "urn:x?a=1&b='2'", ""};
  Element element(random.pick(names), random.pick(namespaces));
  for (auto count = random.below(4); count > 0; --count) {
    element.set(random.one_in(4) ? "xml:lang" : random.pick(names), random.text(text_pieces, 5));
  }
  element.set_text(random.text(text_pieces, 8));
  if (levels > 0) {
    for (auto count = random.below(4); count > 0; --count) element.add(random_element(random, levels - 1));
  }
  return element;
}

}  // namespace

TEST_CASE("Whatever Jid::parse accepts is canonical, within its limits, and the same from its parts") {
  std::size_t accepted = 0;
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    static const std::vector<std::string> mild = {
        "a", "B", "7", "é", "e\u0301", "Σ", "ß", "ａ", "한", "\u1100\u1161", "-b", "क", "\u094D"};
    const auto part = [&] { return random.text(random.one_in(2) ? mild : text_pieces, 4); };
    auto text = part();
    if (!random.one_in(3)) text += "@" + (random.one_in(2) ? "example.org" : part());
    if (random.one_in(2)) text += "/" + part();
    const auto jid = Jid::parse(text);
    if (!jid) continue;
    ++accepted;
    REQUIRE(is_utf8(jid->str()));
    REQUIRE(jid->local().size() <= 1023);
    REQUIRE((!jid->domain().empty() && jid->domain().size() <= 1023));
    REQUIRE(jid->resource().size() <= 1023);
    REQUIRE(jid->local().find_first_of("\"&'/:<>@") == std::string_view::npos);
    const auto again = Jid::parse(jid->str());
    REQUIRE(again.has_value());
    REQUIRE(*again == *jid);
    const auto made = Jid::make(jid->local(), jid->domain(), jid->resource());
    REQUIRE(made.has_value());
    REQUIRE(made->str() == jid->str());
    REQUIRE(Jid::parse(jid->bare_view()).value() == jid->bare());
  }
  CHECK(accepted > 500);  // else this tests nothing
}

TEST_CASE("unescape_local undoes escape_local for every text, also through a Jid (XEP-0106 §4.1)") {
  std::size_t prepared = 0;
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    static const std::vector<std::string> dense = {"\\", "\\", "\\", "2", "5", "c", "C",    "0", "f",
                                                   "F",  "3a", "40", " ", "@", "/", "\\5c", "x"};
    const auto plain = random.text(random.one_in(3) ? text_pieces : dense, 12);
    const auto escaped = escape_local(plain);
    REQUIRE(unescape_local(escaped) == plain);
    REQUIRE(escaped.find_first_of("\"&'/:<>@") == std::string::npos);
    unescape_local(plain);
    if (const auto jid = Jid::make(escaped, "example.org"); jid && !escaped.empty()) {
      const bool ascii =
          std::all_of(plain.begin(), plain.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      if (!ascii) continue;
      ++prepared;
      REQUIRE(unescape_local(jid->local()) == to_lower_ascii(plain));
    }
  }
  CHECK(prepared > 500);
}

TEST_CASE("Whatever an element holds, it is written as well-formed XML, which reads back equal") {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto element = random_element(random, 3);
    StreamParser parser(ns::component);
    parser.feed(header);
    std::string xml;
    element.write(xml, ns::component);
    const auto items = parser.feed(xml + "<presence/>");  // the stream lives on
    REQUIRE(items.size() == 2);
    REQUIRE(std::holds_alternative<Element>(items[0]));
    const auto& read = std::get<Element>(items[0]);
    std::string again;
    read.write(again, ns::component);
    REQUIRE(again == xml);
    const auto reread = parse_document(read.to_xml());
    REQUIRE(std::holds_alternative<Element>(reread));
    REQUIRE(std::get<Element>(reread) == read);
    if (xml.find("\uFFFD") == std::string::npos) REQUIRE(read == element);
  }
}

TEST_CASE("StreamParser survives every mutation, keeps its limits, and does not care how the bytes are cut") {
  const std::string original =
      header +
      "<message from='a@b/c' to='d@e' type='chat' id='x1' xml:lang='en'><body>hello &amp; &#x1F600; "
      "<![CDATA[<x>]]></body>"
      "<active xmlns='http://jabber.org/protocol/chatstates'/></message> \n"
      "<iq id='2' type='set' xmlns:p='n' p:q='r'><p:query><a><b><c d='1' e='2' f='3'/></b></a></p:query></iq>"
      "<presence/></s:stream>";
  const std::vector<std::string> inserts = {"<",
                                            ">",
                                            "/>",
                                            "</",
                                            "'",
                                            "\"",
                                            "&",
                                            ";",
                                            "<!--",
                                            "-->",
                                            "<?a?>",
                                            "<!DOCTYPE a>",
                                            "<![CDATA[",
                                            "]]>",
                                            "<a>",
                                            "</a>",
                                            "<a b='",
                                            " x='1'",
                                            "xmlns='n'",
                                            " xmlns:p='n'",
                                            " xmlns:p=''",
                                            " p:b='1'",
                                            "<p:a>",
                                            "</p:a>",
                                            "<xml:a/>",
                                            ":",
                                            "&lt;",
                                            "&#0;",
                                            "&zz;",
                                            " ",
                                            "\xFF",
                                            std::string(1, '\0'),
                                            std::string(150, 'y'),
                                            "<a><a><a>",
                                            "<b/><b/><b/><b/>"};
  StreamLimits limits;
  limits.stanza_bytes = 300;
  limits.depth = 5;
  limits.attributes = 6;
  limits.children = 6;
  std::size_t elements = 0, broken = 0;
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string bytes = original;
    for (auto count = random.below(5); count > 0; --count) {
      const auto at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0: bytes[at] = static_cast<char>(random.below(256)); break;
        case 1: bytes.erase(at, random.below(20)); break;
        case 2: bytes.insert(at, random.pick(inserts)); break;
        default: bytes.insert(at, bytes.substr(random.below(bytes.size()), random.below(60))); break;
      }
    }
    bytes += '>';  // with which nothing is left waiting

    StreamParser at_once(ns::component, limits), in_pieces(ns::component, limits);
    const auto items = at_once.feed(bytes);
    std::vector<StreamItem> pieces;
    for (std::size_t i = 0; i < bytes.size();) {
      const auto size = 1 + random.below(random.one_in(2) ? 3 : 100);
      for (auto& item : in_pieces.feed(std::string_view(bytes).substr(i, size))) pieces.push_back(std::move(item));
      i += size;
    }
    REQUIRE(pieces.size() == items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      REQUIRE(pieces[i].index() == items[i].index());
      const bool is_last = i + 1 == items.size();
      if (std::holds_alternative<StreamBroken>(items[i])) {
        ++broken;
        REQUIRE(is_last);
      }
      if (std::holds_alternative<StreamClosed>(items[i])) REQUIRE(is_last);
      if (const auto* element = std::get_if<Element>(&items[i])) {
        ++elements;
        REQUIRE(std::get<Element>(pieces[i]) == *element);
        REQUIRE(depth_of(*element) <= 5);
        REQUIRE(elements_in(*element) <= 7);
        REQUIRE(most_attributes(*element) <= 6);
        REQUIRE(std::holds_alternative<Element>(parse_document(element->to_xml())));
      }
    }
  }
  CHECK(elements > 1000);
  CHECK(broken > 1000);
}
