// Addresses: what is taken stays what it is when it is read again, and escaping loses nothing (RFC 7622, XEP-0106).
#include "gateway/xmpp/jid.hpp"
#include "gateway/base/text.hpp"
#include "gateway/xmpp/escape.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::xmpp;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto jid = Jid::parse(text)) {
    HOLDS(wherry::base::is_utf8(jid->str()));
    HOLDS(jid->domain().size() <= 1023 && jid->local().size() <= 1023);
    const auto again = Jid::parse(jid->str());
    HOLDS(again && *again == *jid);
    HOLDS(jid->bare().is_bare());
  }
  const std::string escaped = escape_local(text);
  HOLDS(escaped.find_first_of("\"&'/:<>@") == std::string::npos);
  HOLDS(unescape_local(escaped) == text);
  unescape_local(text);
  if (const auto made = Jid::make(escaped, "x.test")) {
    const auto again = Jid::parse(made->str());
    HOLDS(again && *again == *made);
  }
  return 0;
}
