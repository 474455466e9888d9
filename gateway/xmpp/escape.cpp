#include "gateway/xmpp/escape.hpp"

namespace wherry::xmpp {

namespace {

// The character that \xx with these two digits stands for, or 0 (XEP-0106 §3.3).
char character_of(char high, char low) {
  switch (high) {
    case '2':
      return low == '0' ? ' ' : low == '2' ? '"' : low == '6' ? '&' : low == '7' ? '\'' : low == 'f' ? '/' : '\0';
    case '3': return low == 'a' ? ':' : low == 'c' ? '<' : low == 'e' ? '>' : '\0';
    case '4': return low == '0' ? '@' : '\0';
    case '5': return low == 'c' ? '\\' : '\0';
    default: return '\0';
  }
}

// The character whose escape starts at `i`, or 0.
char escape_at(std::string_view text, std::size_t i) {
  return i + 2 < text.size() && text[i] == '\\' ? character_of(text[i + 1], text[i + 2]) : '\0';
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view escape_of(char c) {
  switch (c) {
    case ' ': return "\\20";
    case '"': return "\\22";
    case '&': return "\\26";
    case '\'': return "\\27";
    case '/': return "\\2f";
    case ':': return "\\3a";
    case '<': return "\\3c";
    case '>': return "\\3e";
    case '@': return "\\40";
    default: return {};
  }
}

}  // namespace

std::string escape_local(std::string_view plain) {
  std::string escaped;
  escaped.reserve(plain.size() + 16);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (c == '\\') {
      // A backslash is escaped only where it would be read as an escape (§4.1 rule 7). The digits are compared in lower
      // case, because that is how they look once the local part is prepared: "\2F" must not come back as "/".
      const bool reads_as_escape =
          i + 2 < plain.size() && character_of(to_lower(plain[i + 1]), to_lower(plain[i + 2])) != 0;
      escaped += reads_as_escape ? std::string_view("\\5c") : std::string_view("\\");
    } else if (const auto code = escape_of(c); !code.empty() && !(c == ' ' && (i == 0 || i + 1 == plain.size()))) {
      escaped += code;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string unescape_local(std::string_view escaped) {
  std::string plain;
  plain.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const char c = escape_at(escaped, i);
    const bool at_an_end = i == 0 || i + 3 == escaped.size();
    if (c == 0 || (c == ' ' && at_an_end)) {  // no compliant sender escapes a space there (§4.1 rule 6)
      plain += escaped[i];
    } else {
      plain += c;
      i += 2;
    }
  }
  return plain;
}

}  // namespace wherry::xmpp
