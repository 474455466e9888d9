#include "gateway/xmpp/element.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace wherry::xmpp {

namespace {

// Which bytes go out as they are, and which need a look.
using Escaped = std::array<bool, 256>;

constexpr Escaped escaped_bytes(std::string_view characters) {
  Escaped escaped{};
  for (std::size_t c = 0; c < 256; ++c) escaped[c] = c < 0x20 || c >= 0x80;
  escaped['\t'] = escaped['\n'] = false;
  for (const char c : characters) escaped[static_cast<unsigned char>(c)] = true;
  return escaped;
}
// '>' because of "]]>" (XML 1.0 §2.4); white space in attributes because a parser makes spaces of it (§3.3.3), and a
// carriage return anywhere because a parser makes a line feed of it (§2.11).
constexpr Escaped escaped_in_text = escaped_bytes("&<>\r");
constexpr Escaped escaped_in_attribute = escaped_bytes("&<>'\"\r\n\t");

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

std::string_view replacement_of(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '\'': return "&apos;";
    case '"': return "&quot;";
    case '\r': return "&#xD;";
    case '\n': return "&#xA;";
    case '\t': return "&#x9;";
    default: return replacement_character;
  }
}

// The length of the character beyond ASCII that `text` starts with, or 0 where it is not UTF-8 (RFC 3629 §4) or not
// allowed in XML: U+FFFE and U+FFFF (XML 1.0 §2.2).
std::size_t xml_character_length(std::string_view text) {
  const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const auto tails = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t k = 1; k <= count; ++k) {
      if ((at(k) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned char lead = at(0);
  if (lead >= 0xC2 && lead <= 0xDF) return tails(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tails(2)) return 0;
    if (lead == 0xE0 && at(1) < 0xA0) return 0;
    if (lead == 0xED && at(1) > 0x9F) return 0;
    if (lead == 0xEF && at(1) == 0xBF && at(2) >= 0xBE) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tails(3)) return 0;
    if (lead == 0xF0 && at(1) < 0x90) return 0;
    if (lead == 0xF4 && at(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view text, const Escaped& escaped) {
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (!escaped[static_cast<unsigned char>(c)]) {
      ++i;
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      if (const auto length = xml_character_length(text.substr(i)); length != 0) {
        i += length;
        continue;
      }
    }
    out.append(text, written, i - written);
    out += replacement_of(c);
    written = ++i;
  }
  out.append(text, written);
}

void append_attribute_text(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "='";
  append_escaped(out, value, escaped_in_attribute);
  out += '\'';
}

}  // namespace

std::string_view Element::attribute(std::string_view name) const {
  for (const auto& attribute : attributes_) {
    if (attribute.name == name) return attribute.value;
  }
  return {};
}

bool Element::has_attribute(std::string_view name) const {
  return std::any_of(attributes_.begin(), attributes_.end(),
                     [&](const auto& attribute) { return attribute.name == name; });
}

Element& Element::set(std::string_view name, std::string_view value) {
  const auto found = std::find_if(attributes_.begin(), attributes_.end(),
                                  [&](const auto& attribute) { return attribute.name == name; });
  if (found == attributes_.end()) {
    if (!value.empty()) append_attribute(std::string(name), value);
  } else if (value.empty()) {
    attributes_.erase(found);
  } else {
    found->value = value;
  }
  return *this;
}

const Element* Element::child(std::string_view name, std::string_view ns) const {
  for (const auto& child : children_) {
    if (child.is(name, ns)) return &child;
  }
  return nullptr;
}

Element* Element::child(std::string_view name, std::string_view ns) {
  return const_cast<Element*>(std::as_const(*this).child(name, ns));
}

const Element* Element::child_of(std::string_view ns) const {
  for (const auto& child : children_) {
    if (child.ns_ == ns) return &child;
  }
  return nullptr;
}

std::string_view Element::child_text(std::string_view name, std::string_view ns) const {
  const Element* found = child(name, ns);
  return found ? std::string_view(found->text_) : std::string_view();
}

Element& Element::add(Element child) { return children_.emplace_back(std::move(child)); }

Element& Element::add_text_child(std::string name, std::string_view text) {
  return add(std::move(name), ns_).set_text(text);
}

std::size_t Element::remove(std::string_view name, std::string_view ns) {
  return std::erase_if(children_, [&](const Element& child) { return child.is(name, ns); });
}

void Element::write(std::string& out, std::string_view parent_ns) const {
  out += '<';
  out += name_;
  if (ns_ != parent_ns) append_attribute_text(out, "xmlns", ns_);
  for (const auto& attribute : attributes_) append_attribute_text(out, attribute.name, attribute.value);
  if (text_.empty() && children_.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  append_escaped(out, text_, escaped_in_text);
  for (const auto& child : children_) child.write(out, ns_);
  out += "</";
  out += name_;
  out += '>';
}

std::string Element::to_xml(std::string_view parent_ns) const {
  std::string xml;
  xml.reserve(512);
  write(xml, parent_ns);
  return xml;
}

}  // namespace wherry::xmpp
