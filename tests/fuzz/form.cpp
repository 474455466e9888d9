// Data forms (XEP-0004): what was read is the same when it is written and read again.
#include "gateway/xmpp/forms.hpp"
#include "gateway/xmpp/stream_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::xmpp;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = parse_document("<x xmlns='jabber:x:data' type='submit'>" + std::string(text) + "</x>");
  const auto* x = std::get_if<Element>(&document);
  if (!x) return 0;
  const auto form = parse_form(*x);
  if (!form) return 0;
  form->value("FORM_TYPE");
  const auto again = parse_form(to_element(*form));
  HOLDS(again && again->fields.size() == form->fields.size());
  for (std::size_t i = 0; i < form->fields.size(); ++i) {
    HOLDS(again->fields[i].var == form->fields[i].var);
    HOLDS(again->fields[i].values == form->fields[i].values);
  }
  return 0;
}
