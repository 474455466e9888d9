// Bytes of an XML stream in, elements out (expat). No socket. RFC 6120 §11.1: no DTD, entity, comment or processing
// instruction. Bounded before anything is built.
#pragma once

#include "gateway/xmpp/element.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wherry::xmpp {

// What servers pass on is bounded in bytes only, and in the bytes of the sender's spelling: a quotation mark has one
// there and six where the server writes it as an entity. So one stanza beyond a limit costs its sender that stanza, and
// nobody the stream.
struct StreamLimits {
  std::size_t stanza_bytes = 512 << 10;  // of the source text of one top-level element
  int depth = 32;                        // of elements inside the stream element
  std::size_t attributes = 64;           // of one element, namespace declarations included
  std::size_t children = 4096;           // of one stanza, all levels together
  std::size_t skipped_bytes = 4 << 20;   // of a stanza that is skipped, and of one tag; beyond, the stream's end
};

struct StreamOpened {
  std::string id, from, to;
};
struct StreamClosed {};
struct StreamBroken {  // the parser is finished: nothing comes after it
  // Of RFC 6120 §4.9.3: not-well-formed, restricted-xml, policy-violation, invalid-namespace, unsupported-encoding.
  std::string condition;
  std::string text;
};
struct StanzaRefused {  // it was read to its end and thrown away; the stream goes on
  Element head;         // the start tag; where that is at fault, its name and addresses
  // Of RFC 6120 §8.3.3: policy-violation where it is beyond a limit, bad-request where a name of it is none.
  std::string condition;
  std::string text;  // which limit, which name
};
using StreamItem = std::variant<StreamOpened, Element, StanzaRefused, StreamClosed, StreamBroken>;

class StreamParser {
 public:
  // `ns`: the stream's default namespace; a stream of another one is broken by invalid-namespace.
  explicit StreamParser(std::string ns, StreamLimits limits = {});
  ~StreamParser();

  // Complete items, in order; a stanza is there as soon as its last byte is. After StreamClosed or StreamBroken: none.
  std::vector<StreamItem> feed(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One whole document as an element, e.g. from a file or a test. Beyond a limit it is broken by policy-violation.
std::variant<Element, StreamBroken> parse_document(std::string_view xml, StreamLimits limits = {});

}  // namespace wherry::xmpp
