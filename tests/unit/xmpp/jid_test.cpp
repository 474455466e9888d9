#include "gateway/xmpp/jid.hpp"

#include <doctest/doctest.h>

#include <string>
#include <unordered_set>
#include <vector>

namespace {

using wherry::base::Errc;
using wherry::xmpp::Jid;

// The canonical form, or "refused".
std::string canonical(std::string_view text) {
  const auto jid = Jid::parse(text);
  if (jid) return jid->str();
  CHECK(jid.error().code == Errc::bad_input);
  CHECK(!jid.error().text.empty());
  return "refused";
}

}  // namespace

TEST_CASE("Jid accepts the valid examples (RFC 7622 §3.5 table 1)") {
  struct Row {
    std::string_view text, local, domain, resource;
  };
  const std::vector<Row> rows = {
      {"juliet@example.com", "juliet", "example.com", ""},
      {"juliet@example.com/foo", "juliet", "example.com", "foo"},
      {"juliet@example.com/foo bar", "juliet", "example.com", "foo bar"},
      {"juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"},
      {"foo\\20bar@example.com", "foo\\20bar", "example.com", ""},
      {"fussball@example.com", "fussball", "example.com", ""},
      {"fußball@example.com", "fußball", "example.com", ""},
      {"π@example.com", "π", "example.com", ""},
      {"Σ@example.com/foo", "σ", "example.com", "foo"},
      {"σ@example.com/foo", "σ", "example.com", "foo"},
      {"ς@example.com/foo", "ς", "example.com", "foo"},
      {"king@example.com/♚", "king", "example.com", "♚"},
      {"example.com", "", "example.com", ""},
      {"example.com/foobar", "", "example.com", "foobar"},
      {"a.example.com/b@example.net", "", "a.example.com", "b@example.net"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto jid = Jid::parse(row.text);
    REQUIRE(jid.has_value());
    CHECK(jid->local() == row.local);
    CHECK(jid->domain() == row.domain);
    CHECK(jid->resource() == row.resource);
    CHECK(jid->is_bare() == row.resource.empty());
  }
}

TEST_CASE("Jid refuses the invalid examples (RFC 7622 §3.5 table 2)") {
  for (const std::string_view text : {"\"juliet\"@example.com", "foo bar@example.com", "@example.com/",
                                      "henryⅣ@example.com", "♚@example.com", "juliet@", "/foobar"}) {
    CAPTURE(text);
    CHECK(canonical(text) == "refused");
  }
}

TEST_CASE("Jid accepts a resource with a space in front, which OpaqueString allows (RFC 7622 §3.4, erratum 4560)") {
  CHECK(canonical("juliet@example.com/ foo") == "juliet@example.com/ foo");
}

TEST_CASE("Jid refuses empty parts, and what is no part at all (RFC 7622 §3.2-3.4)") {
  for (const std::string_view text :
       {"", "@", "/", "@/", "a@/b", "@example.com", "example.com/", "a@example.com/", "a@@example.com",
        "a@b@example.com", ".", "a@.", "a@..", "a@b..", "a@.b", "a@b..c"}) {
    CAPTURE(text);
    CHECK(canonical(text) == "refused");
  }
}

TEST_CASE("Jid refuses the characters that a local part excludes, also in their wide forms (RFC 7622 §3.3.1)") {
  for (const std::string_view c : {"\"", "&", "'", ":", "<", ">", "＂", "＆", "＇", "／", "：", "＜", "＞", "＠"}) {
    CAPTURE(c);
    CHECK(canonical("a" + std::string(c) + "b@example.com") == "refused");
  }
  CHECK(!Jid::make("a/b", "example.com"));
  CHECK(!Jid::make("a@b", "example.com"));
}

TEST_CASE("Jid maps width and case and normalises the local part (RFC 8265 §3.3)") {
  CHECK(canonical("Juliet@example.com") == "juliet@example.com");
  CHECK(canonical("Ｊｕｌｉｅｔ@example.com") == "juliet@example.com");
  CHECK(canonical("ｶﾞ@example.com") == "ガ@example.com");  // narrow katakana and its mark, then composed
  CHECK(canonical("E\u0301lan@example.com") == "\u00E9lan@example.com");
  CHECK(canonical("ΟΔΟΣ@example.com") == canonical("οδοσ@example.com"));
  CHECK(canonical("İ@example.com") == "i\u0307@example.com");
  CHECK(canonical("\\2F@example.com") == "\\2f@example.com");
}

TEST_CASE("Jid takes only the IdentifierClass as local part (RFC 8264 §4.2)") {
  for (const std::string_view local :
       {"a\tb", "a\x7F", "a\u00A0b", "½", "€", "—", "⁴", "ﬁ", "…", "😀", "\uFFFE", "\uE000", "\U000E0001", "a\u200B",
        "a\u00AD", "\u1100", "\u0640", "\u302E", "\u0378"}) {
    CAPTURE(local);
    CHECK(!Jid::make(local, "example.com"));
  }
  for (const std::string_view local :
       {"東京", "한글", "привет", "ไทย", "हिन्दी", "\u1112\u1161\u11AB", "a-b_c.d~e!#$%*+=?^`{|}", "+15550100", "ʼn2"}) {
    CAPTURE(local);
    CHECK(Jid::make(local, "example.com").has_value());
  }
}

TEST_CASE("Jid holds the contextual rules (RFC 5892 appendix A)") {
  for (const std::string_view good : {"क्\u200Dष", "क्\u200Cष", "ب\u200Cب", "l·l", "\u0375α", "א\u05F3", "א\u05F4",
                                      "ア・ア", "\u0627\u0660", "\u0627\u06F1"}) {
    CAPTURE(good);
    CHECK(Jid::make(good, "example.com").has_value());
  }
  for (const std::string_view bad : {"a\u200Db", "a\u200Cb", "\u200C", "a·l", "l·", "·", "\u0375a", "\u0375", "a\u05F3",
                                     "\u05F4", "a・b", "\u0627\u0660\u06F1"}) {
    CAPTURE(bad);
    CHECK(!Jid::make(bad, "example.com"));
  }
}

TEST_CASE("Jid holds the bidi rule for local parts, and has none for resources (RFC 5893 §2, RFC 8265 §4.2)") {
  for (const std::string_view good : {"שלום", "שלום1", "مرحبا", "a1", "ש\u05B0"}) {
    CAPTURE(good);
    CHECK(Jid::make(good, "example.com").has_value());
  }
  for (const std::string_view bad : {"שaלום", "aש", "1ש", "ש-", "\u0660ש", "ש1\u0660"}) {
    CAPTURE(bad);
    CHECK(!Jid::make(bad, "example.com"));
    CHECK(Jid::make("a", "example.com", bad).has_value());
  }
}

TEST_CASE("Jid keeps a resource's case, makes spaces plain, normalises, refuses controls (RFC 8265 §4.2)") {
  CHECK(canonical("a@b.example/Home") == "a@b.example/Home");
  CHECK(canonical("a@b.example/x\u00A0y\u3000z") == "a@b.example/x y z");
  CHECK(canonical("a@b.example/e\u0301") == "a@b.example/\u00E9");
  CHECK(canonical("a@b.example/Ⅳ ½ 😀") == "a@b.example/Ⅳ ½ 😀");
  CHECK(canonical("a@b.example//@/") == "a@b.example//@/");
  for (const std::string_view resource : {"a\nb", "a\tb", "\x7F", "a\u200B", "\u1100", "\uFFFF", "\U000E0041"}) {
    CAPTURE(resource);
    CHECK(!Jid::make("a", "b.example", resource));
  }
}

TEST_CASE("Jid prepares the domain by IDNA2008 and drops one final dot (RFC 7622 §3.2)") {
  CHECK(canonical("a@Example.COM.") == "a@example.com");
  CHECK(canonical("a@example.com./r") == "a@example.com/r");
  CHECK(canonical("a@BÜCHER.example") == "a@bücher.example");
  CHECK(canonical("a@xn--bcher-kva.example") == "a@bücher.example");
  CHECK(canonical("a@XN--Bcher-Kva.example.") == "a@bücher.example");
  CHECK(canonical("a@faß.example") == "a@faß.example");
  CHECK(canonical("a@例え。テスト") == "a@例え.テスト");
  CHECK(canonical("a@ｅｘａｍｐｌｅ．ｃｏｍ") == "a@example.com");
  CHECK(canonical("localhost") == "localhost");
  CHECK(canonical("1.2.3.4") == "1.2.3.4");
  for (const std::string_view domain :
       {"exa mple.com", "-a.example", "a-.example", "ab--c.example", "xn--a", "xn--.example", "a_b.example",
        "♥.example", "☃.net", "a\u200Db.example", "a:b", "a%b", "[example.com]", "שa.example", "exam\u2044ple.com"}) {
    CAPTURE(domain);
    CHECK(canonical("a@" + std::string(domain)) == "refused");
  }
}

TEST_CASE("Jid accepts address literals, in one form (RFC 7622 §3.2, RFC 5952)") {
  CHECK(canonical("a@192.0.2.1/r") == "a@192.0.2.1/r");
  CHECK(canonical("a@[2001:DB8:0:0:0:0:0:1]") == "a@[2001:db8::1]");
  CHECK(canonical("[::1]/r") == "[::1]/r");
  for (const std::string_view domain :
       {"[", "[]", "[::1", "[::1]a", "[::1]]", "[1.2.3.4]", "[v1.a]", "::1", "[fe80::1%eth0]"}) {
    CAPTURE(domain);
    CHECK(canonical(domain) == "refused");
  }
}

TEST_CASE("Jid takes parts of up to 1023 bytes, counted as prepared (RFC 7622 §3.2-3.4)") {
  const auto bytes = [](std::size_t count) { return std::string(count, 'a'); };
  CHECK(Jid::make(bytes(1023), "b", bytes(1023)).has_value());
  CHECK(!Jid::make(bytes(1024), "b"));
  CHECK(!Jid::make("a", "b", bytes(1024)));
  std::string wide;
  for (int i = 0; i < 1023; ++i) wide += "ａ";
  CHECK(Jid::make(wide, "b").has_value());
  std::string two_bytes;
  for (int i = 0; i < 512; ++i) two_bytes += "ж";
  CHECK(!Jid::make(two_bytes, "b"));
  CHECK(!Jid::make("a", "b", two_bytes));

  CHECK(Jid::make("", bytes(63)).has_value());
  CHECK(!Jid::make("", bytes(64)));
  CHECK(!Jid::make("", "ü" + bytes(62)));  // 69 bytes as an A-label
  std::string domain = bytes(63);
  while (domain.size() + 64 <= 1023) domain += "." + bytes(63);
  REQUIRE(domain.size() == 1023);
  CHECK(Jid::make("", domain).has_value());
  CHECK(Jid::make("", domain + ".").has_value());
  CHECK(!Jid::make("", domain + ".a"));
  CHECK(!Jid::make("", std::string(1 << 20, 'a')));
}

TEST_CASE("Jid refuses bytes that are not UTF-8 in every part (RFC 7622 §3.1)") {
  for (const std::string_view bad : {"\xFF", "\xC3", "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80"}) {
    CHECK(!Jid::make(bad, "example.com"));
    CHECK(!Jid::make("a", bad));
    CHECK(!Jid::make("a", "example.com", bad));
  }
  CHECK(!Jid::parse(std::string_view("a\0b@example.com", 15)));
  CHECK(!Jid::parse(std::string_view("a@exa\0mple.com", 14)));
}

TEST_CASE("Jid gives its bare form, and equal addresses are equal (RFC 7622 §4)") {
  const auto full = Jid::parse("Romeo@Example.NET./Orchard").value();
  CHECK(full.bare().str() == "romeo@example.net");
  CHECK(full.bare().is_bare());
  CHECK(full.bare().local() == "romeo");
  CHECK(full.bare().domain() == "example.net");
  CHECK(full.bare_view() == "romeo@example.net");
  CHECK(full.bare() == Jid::parse("romeo@example.net").value());
  CHECK(full != full.bare());
  CHECK(full == Jid::make("ROMEO", "example.net", "Orchard").value());
  CHECK(Jid::make("", "example.net").value().str() == "example.net");
  const std::unordered_set<Jid> set = {full, full.bare(), Jid::parse("romeo@example.net/Orchard").value()};
  CHECK(set.size() == 2);
}

TEST_CASE("Jid::vouched takes what is valid as parse does, and the rest as it stands, part by part") {
  struct Row {
    std::string text, becomes;
  };
  const std::vector<Row> rows = {
      {"Romeo@Example.COM/Orchard", "romeo@example.com/Orchard"},
      {"Romeo@Example.COM/\u2764\uFE0F phone", "romeo@example.com/\u2764\uFE0F phone"},
      {"romeo@example.com/a\u00ADb", "romeo@example.com/a\u00ADb"},
      {"a b@example.com/r", "a b@example.com/r"},
      {"romeo@example.com/" + std::string(1023, 'x'), "romeo@example.com/" + std::string(1023, 'x')},
      {"romeo@example.com/\u00AD" + std::string(1022, 'x'), "refused"},
      {"romeo@example.com/a\tb", "refused"},
      {"romeo@example.com/", "refused"},
      {"@example.com", "refused"},
      {"romeo@", "refused"},
      {"", "refused"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto jid = Jid::vouched(row.text);
    CHECK((jid ? jid->str() : "refused") == row.becomes);
    if (!jid) continue;
    CHECK(jid->bare().str() + "/" + std::string(jid->resource()) == row.becomes);
    CHECK(Jid::vouched(jid->str()).value() == *jid);
  }
}
