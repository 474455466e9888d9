// An XML element by value: name, namespace, attributes, text and child elements. Text between children is kept, joined,
// but not its place among them (no payload that a gateway reads has mixed content).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::xmpp {

struct Attribute {
  std::string name;  // "xml:lang" and its like with that prefix; attributes of other namespaces are not kept, lest a
                     // stranger's x:from pass for the stanza's from
  std::string value;
  bool operator==(const Attribute&) const = default;
};

class Element {
 public:
  explicit Element(std::string name, std::string ns) : name_(std::move(name)), ns_(std::move(ns)) {}

  const std::string& name() const { return name_; }
  const std::string& ns() const { return ns_; }
  bool is(std::string_view name, std::string_view ns) const { return name_ == name && ns_ == ns; }

  // The attribute's value, or "".
  std::string_view attribute(std::string_view name) const;
  bool has_attribute(std::string_view name) const;
  const std::vector<Attribute>& attributes() const { return attributes_; }
  // Sets or replaces; a value "" removes it.
  Element& set(std::string_view name, std::string_view value);
  // For the parser, which knows that names are unique: adds as it is, also a value "".
  void reserve_attributes(std::size_t count) { attributes_.reserve(count); }
  void append_attribute(std::string name, std::string_view value) {
    attributes_.push_back(Attribute{std::move(name), std::string(value)});
  }

  const std::string& text() const { return text_; }
  Element& set_text(std::string_view text) {
    text_ = text;
    return *this;
  }
  void append_text(std::string_view text) { text_ += text; }

  const std::vector<Element>& children() const { return children_; }
  std::vector<Element>& children() { return children_; }
  const Element* child(std::string_view name, std::string_view ns) const;
  Element* child(std::string_view name, std::string_view ns);
  // The first child of that namespace, whatever its name.
  const Element* child_of(std::string_view ns) const;
  // The text of that child, or "".
  std::string_view child_text(std::string_view name, std::string_view ns) const;

  // Adds a child and returns it. The reference is valid until the next child is added here.
  Element& add(Element child);
  Element& add(std::string name, std::string ns) { return children_.emplace_back(std::move(name), std::move(ns)); }
  // Adds a child of this element's own namespace with text.
  Element& add_text_child(std::string name, std::string_view text);
  // Removes the children of that name and namespace; returns how many.
  std::size_t remove(std::string_view name, std::string_view ns);

  bool operator==(const Element&) const = default;

  // Appends the element as XML. `parent_ns`: the namespace in force where it is written; no xmlns is written for it.
  // Characters that XML 1.0 §2.2 forbids and bytes that are not UTF-8 are written as U+FFFD, so that no text can end
  // the stream.
  void write(std::string& out, std::string_view parent_ns) const;
  std::string to_xml(std::string_view parent_ns = {}) const;

 private:
  std::string name_, ns_;
  std::vector<Attribute> attributes_;
  std::string text_;
  std::vector<Element> children_;
};

}  // namespace wherry::xmpp
