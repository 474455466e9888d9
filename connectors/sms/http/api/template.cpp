#include "connectors/sms/http/api/template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace wherry::sms::http {

namespace {

// What stands next in a template: letters up to a brace, or a placeholder's name.
struct TemplatePiece {
  std::string_view letters, name;
  bool is_closed = true;
};

TemplatePiece take_piece(std::string_view& text) {
  const auto brace = text.find('{');
  TemplatePiece piece;
  if (brace != 0) {
    piece.letters = text.substr(0, brace);
    text.remove_prefix(piece.letters.size());
  } else if (text.starts_with("{{")) {
    piece.letters = text.substr(0, 1);
    text.remove_prefix(2);
  } else {
    const auto end = text.find('}');
    piece.is_closed = end != text.npos;
    piece.name = text.substr(1, piece.is_closed ? end - 1 : end);
    text.remove_prefix(piece.is_closed ? end + 1 : text.size());
  }
  return piece;
}

}  // namespace

std::optional<std::string> problem_of(std::string_view text, const Placeholders& known) {
  while (!text.empty()) {
    const TemplatePiece piece = take_piece(text);
    if (!piece.is_closed) return "has a '{' without a '}'. Write \"{{\" where a brace is meant";
    if (!piece.letters.empty() || std::find(known.begin(), known.end(), piece.name) != known.end()) continue;
    return fmt::format("has {{{}}}, which is no placeholder here. There are {{{}}}", piece.name,
                       fmt::join(known, "}, {"));
  }
  return std::nullopt;
}

std::string fill(std::string_view text, const Values& values) {
  std::string filled;
  while (!text.empty()) {
    const TemplatePiece piece = take_piece(text);
    filled += piece.letters;
    if (const auto value = values.find(piece.name); value != values.end()) filled += value->second;
  }
  return filled;
}

}  // namespace wherry::sms::http
