#include "gateway/xmpp/stream_parser.hpp"

#include "gateway/xmpp/namespaces.hpp"
#include "gateway/xmpp/xml_names.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>

namespace wherry::xmpp {

namespace {

constexpr std::string_view white_space = " \t\r\n";

// Why a stanza is refused (RFC 6120 §8.3.3.12, §8.3.3.1).
constexpr std::string_view too_much = "policy-violation";
constexpr std::string_view bad_names = "bad-request";

constexpr std::size_t most_at_once = 64 << 10;  // bytes given to expat between two looks at the limits
// A stanza ends with '>', so bytes without one can wait for more. Else a long attribute that arrives in small pieces is
// scanned from its start with each of them (the reason of expat's own reparse deferral, CVE-2023-52425).
constexpr std::size_t most_held = 4096;
// expat remembers every element's and attribute's name for as long as the parser lives, and strangers choose names
// (36 MB of ever new ones took 325 MB). So after so many bytes a new parser takes over between two stanzas.
constexpr std::size_t most_of_one_parser = 4 << 20;

// expat ≥ 2.6, and older ones that a distribution has patched, hold back complete stanzas that arrive in small pieces.
// Whether the function is there depends on the patch and not on the version, hence by overload resolution.
template <class Parser>
void disable_reparse_deferral(Parser parser) {
  if constexpr (requires { XML_SetReparseDeferralEnabled(parser, XML_FALSE); }) {
    XML_SetReparseDeferralEnabled(parser, XML_FALSE);
  }
}

// expat 2.9 deprecates its positions of 32 bits, and older ones have no others.
template <class Parser>
std::int64_t byte_index(Parser parser) {
  if constexpr (requires { XML_GetCurrentByteIndex64(parser); }) return XML_GetCurrentByteIndex64(parser);
  else return XML_GetCurrentByteIndex(parser);
}
template <class Parser>
std::size_t byte_count(Parser parser) {
  if constexpr (requires { XML_GetCurrentByteCount64(parser); }) return XML_GetCurrentByteCount64(parser);
  else return static_cast<std::size_t>(XML_GetCurrentByteCount(parser));
}
// The event now reported, as it was written; empty where expat cannot tell.
template <class Parser>
std::string_view event_text(Parser parser) {
  const char* context = nullptr;
  std::int64_t offset = 0;
  if constexpr (requires(std::uint64_t size) { XML_GetInputContext64(parser, &offset, &size); }) {
    std::uint64_t size = 0;
    context = XML_GetInputContext64(parser, &offset, &size);
  } else {
    int start = 0, size = 0;
    context = XML_GetInputContext(parser, &start, &size);
    offset = start;
  }
  return context ? std::string_view(context + offset, byte_count(parser)) : std::string_view();
}

bool is_utf8_name(std::string_view encoding) {
  constexpr std::string_view expected = "utf-8";
  return std::equal(encoding.begin(), encoding.end(), expected.begin(), expected.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// Builds the elements at one level of a document: below the stream element, or the document's only one.
class Reader {
 public:
  Reader(std::optional<std::string> stream_ns, StreamLimits limits);
  Reader(const Reader&) = delete;  // expat keeps its address

  void parse(std::string_view bytes);
  // The document ends here: reports one that is incomplete.
  void finish();
  bool finished() const { return finished_; }
  std::vector<StreamItem> take() { return std::exchange(items_, {}); }

 private:
  struct Free {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };

  static Reader& self(void* user) { return *static_cast<Reader*>(user); }
  static void XMLCALL on_start(void* user, const XML_Char* name, const XML_Char** attributes);
  static void XMLCALL on_end(void* user, const XML_Char* name);
  static void XMLCALL on_text(void* user, const XML_Char* text, int size);
  static void XMLCALL on_declaration(void* user, const XML_Char* version, const XML_Char* encoding, int standalone);

  void create_parser();
  void set_handlers();
  void renew_parser();

  void start(const XML_Char* name, const XML_Char** attributes);
  void open_stream(QualifiedName name, const XML_Char** attributes);
  void open_top(QualifiedName name);
  void open_element(QualifiedName name);
  static void read_attributes(Element& element, const XML_Char** attributes, std::size_t most);
  void read_addresses(const XML_Char** attributes);
  void end();
  void text(std::string_view text);

  // Where the event now reported ends, in bytes from the start of the document.
  std::size_t event_end() const {
    return origin_ + static_cast<std::size_t>(byte_index(parser_.get())) + byte_count(parser_.get());
  }
  bool within_size(std::size_t position);
  void refuse(std::string_view condition, std::string text);
  void stop(std::string condition, std::string text);
  void stop_by_tag();
  bool within_tag_size();
  void stop_by_expat();

  std::unique_ptr<XML_ParserStruct, Free> parser_;
  const std::optional<std::string> stream_ns_;  // none: a document
  const StreamLimits limits_;
  const int outer_;  // how many elements are open around a top-level one

  std::vector<StreamItem> items_;
  bool finished_ = false;
  std::size_t fed_ = 0;    // bytes
  std::size_t began_ = 0;  // where what came before the present top-level element ended
  std::size_t heard_ = 0;  // where the last event ended

  std::size_t origin_ = 0;  // where the present parser's first byte would be; modulo 2^64
  std::string header_;      // the stream's start tag, for the next parser; empty where expat does not tell

  int depth_ = 0;  // of all open elements
  XmlNames names_;
  std::size_t children_ = 0;  // of the present top-level element
  std::optional<Element> top_;
  // The open elements in top_. They stay in place: a parent takes no further child while one of its children is open.
  std::vector<Element*> open_;
  // Why the present top-level element is skipped; empty: it is not.
  std::string refusal_;
  std::string_view refusal_condition_;
};

Reader::Reader(std::optional<std::string> stream_ns, StreamLimits limits)
    : stream_ns_(std::move(stream_ns)), limits_(limits), outer_(stream_ns_ ? 1 : 0) {
  create_parser();
  set_handlers();
}

void Reader::create_parser() {
  parser_.reset(XML_ParserCreate("UTF-8"));  // and no other: RFC 6120 §11.6
  if (!parser_) throw std::bad_alloc();
  disable_reparse_deferral(parser_.get());
}

void Reader::set_handlers() {
  const XML_Parser parser = parser_.get();
  XML_SetUserData(parser, this);
  XML_SetElementHandler(parser, on_start, on_end);
  XML_SetCharacterDataHandler(parser, on_text);
  XML_SetXmlDeclHandler(parser, on_declaration);
  // RFC 6120 §11.1. A reference to an entity that is not predefined is expat's own error, since no DTD can declare one.
  XML_SetCommentHandler(
      parser, [](void* user, const XML_Char*) { self(user).stop("restricted-xml", "XMPP allows no comments."); });
  XML_SetProcessingInstructionHandler(parser, [](void* user, const XML_Char*, const XML_Char*) {
    self(user).stop("restricted-xml", "XMPP allows no processing instructions.");
  });
  XML_SetStartDoctypeDeclHandler(parser, [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    self(user).stop("restricted-xml", "XMPP allows no document type declaration.");
  });
}

// A new parser inside the same stream: it has read the start tag, and nobody was told.
void Reader::renew_parser() {
  create_parser();
  if (XML_Parse(parser_.get(), header_.data(), static_cast<int>(header_.size()), XML_FALSE) != XML_STATUS_OK) {
    return stop_by_expat();
  }
  set_handlers();
  origin_ = began_ - header_.size();
}

void Reader::parse(std::string_view bytes) {
  while (!finished_ && !bytes.empty()) {
    const auto piece = bytes.substr(0, most_at_once);
    bytes.remove_prefix(piece.size());
    fed_ += piece.size();
    const auto status = XML_Parse(parser_.get(), piece.data(), static_cast<int>(piece.size()), XML_FALSE);
    if (status == XML_STATUS_SUSPENDED) {  // by end(), at began_
      const auto unread = fed_ - began_;
      bytes = std::string_view(piece.data() + piece.size() - unread, unread + bytes.size());
      fed_ = began_;
      renew_parser();
    } else if (status != XML_STATUS_OK) {
      stop_by_expat();
    } else if (fed_ - std::max(heard_, began_) > limits_.skipped_bytes) {
      stop_by_tag();  // which expat waits for the end of
    }
  }
}

void Reader::finish() {
  if (!finished_ && XML_Parse(parser_.get(), nullptr, 0, XML_TRUE) != XML_STATUS_OK) stop_by_expat();
}

// Whether what ends at `position` is to be kept.
bool Reader::within_size(std::size_t position) {
  if (finished_) return false;
  heard_ = position;
  const std::size_t size = position - began_;
  if (size <= limits_.stanza_bytes) return refusal_.empty();
  refuse(too_much, fmt::format("A stanza may have {} bytes, and this one has more.", limits_.stanza_bytes));
  if (size > limits_.skipped_bytes) stop("policy-violation", "A stanza does not end.");
  return false;
}

// The present top-level element is skipped from here to its end.
void Reader::refuse(std::string_view condition, std::string text) {
  if (finished_ || !refusal_.empty()) return;
  if (!stream_ns_ || depth_ < outer_)
    return stop(condition == bad_names ? "not-well-formed" : std::string(condition), std::move(text));
  refusal_ = std::move(text);
  refusal_condition_ = condition;
  open_.clear();
  if (!top_) return;
  top_->children().clear();
  top_->set_text("");
}

void Reader::stop(std::string condition, std::string text) {
  if (finished_) return;
  finished_ = true;
  top_.reset();
  items_.emplace_back(StreamBroken{std::move(condition), std::move(text)});
  XML_StopParser(parser_.get(), XML_FALSE);
}

// expat holds a tag until it is whole, so one beyond this cannot be skipped.
void Reader::stop_by_tag() {
  stop("policy-violation", fmt::format("A tag may have {} bytes, and this one has more.", limits_.skipped_bytes));
}

bool Reader::within_tag_size() {
  if (byte_count(parser_.get()) > limits_.skipped_bytes) stop_by_tag();
  return !finished_;
}

void Reader::stop_by_expat() {
  if (finished_) return;
  const auto error = XML_GetErrorCode(parser_.get());
  if (error == XML_ERROR_NO_MEMORY) throw std::bad_alloc();
  if (error == XML_ERROR_UNDEFINED_ENTITY) {
    return stop("restricted-xml", "XMPP allows no entities but the five predefined ones.");
  }
  stop("not-well-formed",
       fmt::format("The XML is broken at byte {}: {}.", byte_index(parser_.get()), XML_ErrorString(error)));
}

void XMLCALL Reader::on_declaration(void* user, const XML_Char*, const XML_Char* encoding, int) {
  if (encoding && !is_utf8_name(encoding)) self(user).stop("unsupported-encoding", "XMPP is written in UTF-8 only.");
}

void XMLCALL Reader::on_start(void* user, const XML_Char* name, const XML_Char** attributes) {
  if (!self(user).finished_) self(user).start(name, attributes);
}

void Reader::start(const XML_Char* name, const XML_Char** attributes) {
  if (within_tag_size()) within_size(event_end());
  std::size_t attribute_count = 0;
  while (attributes[attribute_count * 2]) ++attribute_count;
  if (attribute_count > limits_.attributes) {
    refuse(too_much, fmt::format("An element may have {} attributes.", limits_.attributes));
  }
  if (finished_) return;
  if (depth_ > outer_ && !refusal_.empty()) {
    ++depth_;
    return;
  }
  const AttributeNames seen = names_.declare(depth_, attributes);
  const QualifiedName qualified = names_.element(name);
  if (refusal_.empty() && seen.prefixed > 0) names_.check(attributes);
  if (std::string fault = names_.take_fault(); !fault.empty()) refuse(bad_names, std::move(fault));
  if (finished_) return;
  if (depth_ < outer_) return open_stream(qualified, attributes);
  if (depth_ == outer_) open_top(qualified);
  else open_element(qualified);
  if (finished_) return;
  ++depth_;
  if (refusal_.empty()) read_attributes(*open_.back(), attributes, attribute_count - seen.declarations);
  else if (depth_ == outer_ + 1) read_addresses(attributes);
}

void Reader::open_stream(QualifiedName name, const XML_Char** attributes) {
  if (name.ns != ns::streams || name.local != "stream") {
    return stop("invalid-namespace", fmt::format("A stream begins with <stream/> of {}.", ns::streams));
  }
  if (names_.default_ns() != *stream_ns_) {
    return stop("invalid-namespace", fmt::format("The stream's default namespace must be {}.", *stream_ns_));
  }
  StreamOpened opened;
  for (; *attributes; attributes += 2) {
    const std::string_view attribute(attributes[0]);
    if (attribute == "id") opened.id = attributes[1];
    if (attribute == "from") opened.from = attributes[1];
    if (attribute == "to") opened.to = attributes[1];
  }
  items_.emplace_back(std::move(opened));
  began_ = event_end();
  header_ = event_text(parser_.get());
  ++depth_;
}

void Reader::open_top(QualifiedName name) {
  children_ = 0;
  open_.assign(1, &top_.emplace(std::string(name.local), std::string(name.ns)));
  if (depth_ - outer_ >= limits_.depth) refuse(too_much, fmt::format("Elements may be nested {} deep.", limits_.depth));
}

void Reader::open_element(QualifiedName name) {
  if (!refusal_.empty()) return;
  if (depth_ - outer_ >= limits_.depth)
    return refuse(too_much, fmt::format("Elements may be nested {} deep.", limits_.depth));
  if (++children_ > limits_.children)
    return refuse(too_much, fmt::format("A stanza may have {} elements.", limits_.children));
  open_.push_back(&open_.back()->add(std::string(name.local), std::string(name.ns)));
}

// Those without a prefix and those with `xml`, which names_ lets nobody else declare.
void Reader::read_attributes(Element& element, const XML_Char** attributes, std::size_t most) {
  element.reserve_attributes(most);
  for (; *attributes; attributes += 2) {
    const std::string_view name = attributes[0];
    const bool is_kept = name.find(':') == std::string_view::npos ? name != "xmlns" : name.starts_with("xml:");
    if (is_kept) element.append_attribute(std::string(name), attributes[1]);
  }
}

// What an answer to a stanza needs whose start tag alone is too much.
void Reader::read_addresses(const XML_Char** attributes) {
  for (; *attributes; attributes += 2) {
    const std::string_view name = attributes[0];
    if (name == "from" || name == "to" || name == "id" || name == "type") top_->set(name, attributes[1]);
  }
}

void XMLCALL Reader::on_end(void* user, const XML_Char*) {
  if (!self(user).finished_) self(user).end();
}

void Reader::end() {
  const bool wanted = within_tag_size() && within_size(event_end());
  if (finished_) return;
  --depth_;
  names_.forget(depth_);
  if (depth_ < outer_) {
    items_.emplace_back(std::in_place_type<StreamClosed>);
    finished_ = true;
    XML_StopParser(parser_.get(), XML_FALSE);
    return;
  }
  if (wanted) open_.pop_back();
  if (depth_ > outer_) return;
  if (wanted) items_.emplace_back(std::move(*top_));
  else
    items_.emplace_back(StanzaRefused{std::move(*top_), std::string(refusal_condition_), std::exchange(refusal_, {})});
  top_.reset();
  began_ = event_end();
  if (!header_.empty() && began_ - origin_ > most_of_one_parser) XML_StopParser(parser_.get(), XML_TRUE);
}

void XMLCALL Reader::on_text(void* user, const XML_Char* text, int size) {
  if (!self(user).finished_) self(user).text(std::string_view(text, static_cast<std::size_t>(size)));
}

void Reader::text(std::string_view text) {
  if (depth_ > outer_) {
    if (within_size(event_end())) open_.back()->append_text(text);
  } else if (text.find_first_not_of(white_space) == std::string_view::npos) {
    began_ = heard_ = event_end();  // white space between stanzas, e.g. a keep-alive (RFC 6120 §11.7)
  } else {
    stop("not-well-formed", "Only white space may stand between stanzas.");
  }
}

}  // namespace

struct StreamParser::Impl {
  Reader reader;
  std::string held;  // bytes that cannot complete anything
};

StreamParser::StreamParser(std::string ns, StreamLimits limits) : impl_(new Impl{Reader(std::move(ns), limits), {}}) {}
StreamParser::~StreamParser() = default;

std::vector<StreamItem> StreamParser::feed(std::string_view bytes) {
  auto& [reader, held] = *impl_;
  if (reader.finished()) return {};
  if (bytes.find('>') == std::string_view::npos && held.size() + bytes.size() < most_held) {
    held += bytes;
    return {};
  }
  if (!held.empty()) {
    reader.parse(held);
    held.clear();
  }
  reader.parse(bytes);
  return reader.take();
}

std::variant<Element, StreamBroken> parse_document(std::string_view xml, StreamLimits limits) {
  Reader reader(std::nullopt, limits);
  reader.parse(xml);
  reader.finish();
  auto items = reader.take();
  if (auto* broken = std::get_if<StreamBroken>(&items.back())) return std::move(*broken);
  return std::get<Element>(std::move(items.front()));
}

}  // namespace wherry::xmpp
