#include "gateway/xmpp/xml_names.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace wherry::xmpp {

namespace {

// Neither may be declared, but for the first with its own prefix (§3).
constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view xmlns_ns = "http://www.w3.org/2000/xmlns/";

// Whoever declares more makes each name costly to look up.
constexpr std::size_t most_declarations = 128;
constexpr std::size_t most_kept_bytes = 64 << 10;
constexpr std::size_t most_quoted_bytes = 64;

struct NameParts {
  std::string_view prefix, local;
};

// §4. expat has seen to it that `name` is a name, but not that what is behind the colon is one too, and that is what we
// write. Beyond ASCII only expat's tables know what a name begins with, so nothing there begins one here.
std::optional<NameParts> split_name(std::string_view name) {
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return NameParts{{}, name};
  const std::string_view prefix = name.substr(0, colon), local = name.substr(colon + 1);
  if (prefix.empty() || local.empty() || local.find(':') != std::string_view::npos) return std::nullopt;
  const char first = local.front();
  const bool is_name = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_';
  return is_name ? std::optional(NameParts{prefix, local}) : std::nullopt;
}

bool declares(const char* attribute) {
  if (*attribute != 'x' || std::strncmp(attribute, "xmlns", 5) != 0) return false;
  return attribute[5] == '\0' || attribute[5] == ':';
}

std::string no_name(std::string_view name) {
  return fmt::format("{} is no name with a prefix.", base::utf8_prefix(name, most_quoted_bytes));
}
std::string not_declared(std::string_view prefix) {
  return fmt::format("The prefix {} is not declared.", base::utf8_prefix(prefix, most_quoted_bytes));
}

}  // namespace

AttributeNames XmlNames::declare(int depth, const char* const* attributes) {
  AttributeNames seen;
  for (; *attributes; attributes += 2) {
    seen.prefixed += std::strchr(attributes[0], ':') != nullptr;
    if (!declares(attributes[0])) continue;
    ++seen.declarations;
    if (fault_.empty()) declare_one(depth, attributes[0], attributes[1]);
  }
  return seen;
}

void XmlNames::declare_one(int depth, const char* attribute, std::string_view ns) {
  const auto name = split_name(attribute);
  if (!name) return fault(no_name(attribute));
  const std::string_view prefix = name->prefix.empty() ? std::string_view() : name->local;
  if (prefix == "xml" && ns == xml_ns) return;
  if (declarations_.size() >= most_declarations) {
    return fault(fmt::format("At one place {} declarations of namespaces may be in force.", most_declarations));
  }
  push(depth, prefix, ns);
  if (prefix == "xml" || prefix == "xmlns" || ns == xml_ns || ns == xmlns_ns) {
    fault("The prefixes xml and xmlns and their namespaces cannot be declared.");
  } else if (ns.empty() && !prefix.empty()) {
    fault("A prefix cannot be declared to be of no namespace.");
  }
}

void XmlNames::push(int depth, std::string_view prefix, std::string_view ns) {
  const std::size_t began = text_.size();
  text_ += prefix;
  const auto same = std::find_if(declarations_.begin(), declarations_.end(), [&](const Declaration& declaration) {
    return text_at(declaration.ns_at, declaration.ns_size) == ns;
  });
  const std::size_t ns_at = same == declarations_.end() ? text_.size() : same->ns_at;
  if (same == declarations_.end()) text_ += ns;
  declarations_.push_back({depth, began, began, prefix.size(), ns_at, ns.size()});
}

void XmlNames::forget(int depth) {
  while (!declarations_.empty() && declarations_.back().depth >= depth) {
    text_.resize(declarations_.back().began);
    declarations_.pop_back();
  }
  if (text_.capacity() > most_kept_bytes && text_.size() < most_kept_bytes) text_.shrink_to_fit();
}

std::optional<std::string_view> XmlNames::find(std::string_view prefix) const {
  for (auto it = declarations_.rbegin(); it != declarations_.rend(); ++it) {
    if (text_at(it->prefix_at, it->prefix_size) == prefix) return text_at(it->ns_at, it->ns_size);
  }
  return std::nullopt;
}

QualifiedName XmlNames::element(std::string_view name) {
  const auto parts = split_name(name);
  if (!parts) {
    fault(no_name(name));
    return {{}, name};
  }
  if (parts->prefix.empty()) return {default_ns(), name};
  // No element is of either (§3), and we could not write one with `xmlns`.
  if (parts->prefix == "xml" || parts->prefix == "xmlns") {
    fault("The prefixes xml and xmlns are not for elements.");
    return {{}, parts->local};
  }
  const auto ns = find(parts->prefix);
  if (!ns) fault(not_declared(parts->prefix));
  return {ns.value_or(std::string_view()), parts->local};
}

void XmlNames::check(const char* const* attributes) {
  prefixed_.clear();
  for (; *attributes; attributes += 2) {
    if (!std::strchr(attributes[0], ':') || declares(attributes[0])) continue;
    const auto parts = split_name(attributes[0]);
    if (!parts) return fault(no_name(attributes[0]));
    if (parts->prefix == "xml") continue;  // of no other prefix: expat ends the stream if it is there twice
    const auto ns = find(parts->prefix);
    if (!ns) return fault(not_declared(parts->prefix));
    // §6.3. Equal namespaces are the same text.
    const bool is_there = std::any_of(prefixed_.begin(), prefixed_.end(), [&](const QualifiedName& other) {
      return other.ns.data() == ns->data() && other.ns.size() == ns->size() && other.local == parts->local;
    });
    if (is_there) return fault("An attribute is there twice, with two prefixes of one namespace.");
    prefixed_.push_back({*ns, parts->local});
  }
}

void XmlNames::fault(std::string text) {
  if (fault_.empty()) fault_ = std::move(text);
}

std::string XmlNames::take_fault() { return std::exchange(fault_, {}); }

}  // namespace wherry::xmpp
