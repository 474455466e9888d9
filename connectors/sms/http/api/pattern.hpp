// What an answer looks like: letters, '*' for anything, and {id} for a message's id. Pure; its time is bounded by the
// lengths, whatever the pattern.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::http {

class Pattern {
 public:
  // The pattern of all texts is "*".
  explicit Pattern(std::string_view text);

  // The id (empty where the pattern has none), if all of `text`, without spaces around it, looks so.
  std::optional<std::string> match(std::string_view text) const;

 private:
  struct Piece {
    std::string letters;  // behind a gap
    bool is_id = false;   // the gap is the id
  };
  std::string begin_;          // before the first gap
  std::vector<Piece> pieces_;  // the last one's letters end the text
};

}  // namespace wherry::sms::http
