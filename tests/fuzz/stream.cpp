// Bytes of an XML stream: cut or whole they give the same items, and what was read can be written and read again.
#include "gateway/xmpp/namespaces.hpp"
#include "gateway/xmpp/stanza.hpp"
#include "gateway/xmpp/stream_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::xmpp;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::size_t step = input.byte() + std::size_t{1};
  StreamLimits limits;
  limits.stanza_bytes = 4096;
  limits.depth = 8;
  limits.attributes = 8;
  limits.children = 32;
  limits.skipped_bytes = 16384;
  // Most of what there is to find lies behind the stream's header. A '>' at the end leaves nothing waiting.
  const std::string bytes =
      "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>" +
      std::string(input.rest()) + ">";

  StreamParser whole(ns::component, limits), cut(ns::component, limits);
  const auto items = whole.feed(bytes);
  std::vector<StreamItem> pieces;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    for (auto& item : cut.feed(std::string_view(bytes).substr(i, step))) pieces.push_back(std::move(item));
  }
  HOLDS(pieces.size() == items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    HOLDS(pieces[i].index() == items[i].index());
    if (std::holds_alternative<StreamBroken>(items[i]) || std::holds_alternative<StreamClosed>(items[i]))
      HOLDS(i + 1 == items.size());
    if (const auto* refused = std::get_if<StanzaRefused>(&items[i])) HOLDS(refused->head.children().empty());
    const auto* element = std::get_if<Element>(&items[i]);
    if (!element) continue;
    HOLDS(std::get<Element>(pieces[i]) == *element);
    const auto again = parse_document(element->to_xml());
    HOLDS(std::holds_alternative<Element>(again) && std::get<Element>(again) == *element);
    Element copy = *element;
    if (auto stanza = to_stanza(std::move(copy)))
      error_reply(*stanza, StanzaError{"cancel", "gone", stanza->to.str()}).to_xml();
  }
  return 0;
}
