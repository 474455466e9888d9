// Which namespaces the names of a document are of (Namespaces in XML 1.0, third edition), and what is wrong with them.
// expat could say so too, but to expat each such fault is the document's end, and servers pass on names that strangers
// chose.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::xmpp {

struct QualifiedName {
  std::string_view ns, local;
};

struct AttributeNames {  // of one element
  std::size_t declarations = 0;
  std::size_t prefixed = 0;  // declarations of prefixes included
};

// The declarations in force at one place of a document: a stack. Names and attributes (name, value, …, null) are as
// they were written. What is returned is valid until the next declare() or forget().
class XmlNames {
 public:
  // An element with these attributes begins inside `depth` others.
  AttributeNames declare(int depth, const char* const* attributes);
  // It ends.
  void forget(int depth);

  // The element's own name; where that is wrong, of no namespace.
  QualifiedName element(std::string_view name);
  // The attributes' names. Takes the square of how many have a prefix.
  void check(const char* const* attributes);

  // Of elements without a prefix.
  std::string_view default_ns() const { return find({}).value_or(std::string_view()); }

  // A sentence about the first fault since the last call, or "".
  std::string take_fault();

 private:
  struct Declaration {
    int depth;
    std::size_t began;  // the size of text_ without it
    std::size_t prefix_at, prefix_size;
    std::size_t ns_at, ns_size;
  };

  void declare_one(int depth, const char* attribute, std::string_view ns);
  void push(int depth, std::string_view prefix, std::string_view ns);
  std::optional<std::string_view> find(std::string_view prefix) const;
  std::string_view text_at(std::size_t at, std::size_t size) const { return std::string_view(text_).substr(at, size); }
  void fault(std::string text);

  std::vector<Declaration> declarations_;
  // their prefixes and namespaces, end to end; a namespace that is in force already is not there again
  std::string text_;
  std::vector<QualifiedName> prefixed_;  // attributes, in check() only
  std::string fault_;
};

}  // namespace wherry::xmpp
