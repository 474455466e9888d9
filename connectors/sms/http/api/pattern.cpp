#include "connectors/sms/http/api/pattern.hpp"

#include "gateway/base/text.hpp"

namespace wherry::sms::http {

Pattern::Pattern(std::string_view text) {
  constexpr std::string_view id = "{id}";
  std::string* letters = &begin_;
  while (!text.empty()) {
    const bool is_id = text.starts_with(id);
    if (is_id || text.front() == '*') {
      letters = &pieces_.emplace_back(Piece{{}, is_id}).letters;
      text.remove_prefix(is_id ? id.size() : 1);
    } else {
      *letters += text.front();
      text.remove_prefix(1);
    }
  }
}

std::optional<std::string> Pattern::match(std::string_view text) const {
  text = base::trim(text);
  if (pieces_.empty()) return text == begin_ ? std::optional<std::string>("") : std::nullopt;
  if (!text.starts_with(begin_)) return std::nullopt;
  text.remove_prefix(begin_.size());
  std::string id;
  for (const Piece& piece : pieces_) {
    const bool is_last = &piece == &pieces_.back();
    if (is_last && !text.ends_with(piece.letters)) return std::nullopt;
    const auto end = is_last ? text.size() - piece.letters.size() : text.find(piece.letters);
    if (end == text.npos) return std::nullopt;
    if (piece.is_id) id = text.substr(0, end);
    text.remove_prefix(end + piece.letters.size());
  }
  return id;
}

}  // namespace wherry::sms::http
