#include "gateway/xmpp/escape.hpp"

#include "gateway/xmpp/jid.hpp"

#include <doctest/doctest.h>

#include <vector>

using wherry::xmpp::escape_local;
using wherry::xmpp::unescape_local;

namespace {

struct Pair {
  std::string_view plain, escaped;
};

}  // namespace

TEST_CASE("escape_local and unescape_local agree with every example of the specification (XEP-0106 §4-5)") {
  const std::vector<Pair> pairs = {
      // §5.1, the twelve native ones
      {"space cadet", "space\\20cadet"},
      {"call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"},
      {"at&t guy", "at\\26t\\20guy"},
      {"d'artagnan", "d\\27artagnan"},
      {"/.fanboy", "\\2f.fanboy"},
      {"::foo::", "\\3a\\3afoo\\3a\\3a"},
      {"<foo>", "\\3cfoo\\3e"},
      {"user@host", "user\\40host"},
      {"c:\\net", "c\\3a\\net"},
      {"c:\\\\net", "c\\3a\\\\net"},
      {"c:\\cool stuff", "c\\3a\\cool\\20stuff"},
      {"c:\\5commas", "c\\3a\\5c5commas"},
      // foreign addresses
      {"here's_a_wild_&_/cr%zy/_address", "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address"},
      {"here's_a_wild_&_/cr%zy/_address_for:<wv>(\"IMPS\")",
       "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address_for\\3a\\3cwv\\3e(\\22IMPS\\22)"},
      {"\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"},
      {"CN=D'Artagnan Saint-Andr\\E9,O=Example & Company, Inc.,DC=example,DC=com",
       "CN=D\\27Artagnan\\20Saint-Andr\\E9,O=Example\\20\\26\\20Company,\\20Inc.,DC=example,DC=com"},
      {"somenick!user\"&'/:<>\\3address", "somenick!user\\22\\26\\27\\2f\\3a\\3c\\3e\\5c3address"},
      {"tréville@musketeers.lit", "tréville\\40musketeers.lit"},
      // §4.3, what stays as it is
      {"\\2plus\\2is\\4", "\\2plus\\2is\\4"},
      {"foo\\bar", "foo\\bar"},
      {"foob\\41r", "foob\\41r"},
  };
  for (const auto& pair : pairs) {
    CAPTURE(pair.plain);
    CHECK(escape_local(pair.plain) == pair.escaped);
    CHECK(unescape_local(pair.escaped) == pair.plain);
  }
}

TEST_CASE("escape_local escapes a backslash before each code of the table, and only there (XEP-0106 §4.2)") {
  for (const std::string_view code : {"20", "22", "26", "27", "2f", "3a", "3c", "3e", "40", "5c"}) {
    const std::string plain = "a\\" + std::string(code) + "b";
    CHECK(escape_local(plain) == "a\\5c" + std::string(code) + "b");
    CHECK(unescape_local(escape_local(plain)) == plain);
  }
  for (const std::string_view plain : {"\\", "\\\\", "a\\", "a\\2", "\\21", "\\3b", "\\4", "\\50", "\\5", "\\zz"}) {
    CAPTURE(plain);
    CHECK(escape_local(plain) == plain);
    CHECK(unescape_local(plain) == plain);
  }
}

TEST_CASE("A backslash before an upper-case code comes back as one after preparation (XEP-0106 §3.1, §4.1 rule 2)") {
  const auto jid = wherry::xmpp::Jid::make(escape_local("a\\2Fb"), "example.com").value();
  CHECK(unescape_local(jid.local()) == "a\\2fb");
  CHECK(unescape_local("a\\2Fb") == "a\\2Fb");  // case is significant
}

TEST_CASE("A space at either end is neither escaped nor unescaped (XEP-0106 §3.2)") {
  CHECK(escape_local(" a b ") == " a\\20b ");
  CHECK(escape_local(" ") == " ");
  CHECK(escape_local("") == "");
  CHECK(!wherry::xmpp::Jid::make(escape_local(" a"), "example.com"));
  CHECK(unescape_local("\\20a\\20b\\20") == "\\20a b\\20");
  CHECK(unescape_local("\\20") == "\\20");
}
