// The payloads of MSG: headers as of mail, then a body. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::msn {

// Over it a server closes the switchboard without a word; headers count.
inline constexpr std::size_t most_message_bytes = 1664;

struct Payload {
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const;
  std::string content_type() const;  // in lower case, without parameters
};

// Lenient: without an empty line all of it is headers.
Payload parse_payload(std::string_view bytes);

// A text in parts that each fit into a message, with MSN's line ends; cut where a reader sees no character torn in two.
std::vector<std::string> to_text_parts(std::string_view text);
std::string to_text_payload(const std::string& part);
// Line ends as everybody else has them.
std::string from_crlf(std::string_view text);
std::string to_typing_payload(const std::string& email);
std::string to_nudge_payload();

// What a payload says to a person.
struct Spoken {
  enum class Kind {
    text,
    typing,
    nudge,
    uncarried,  // `text` says what it is: "sends you a wink"
    nothing,    // what only programs tell each other
  };
  Kind kind = Kind::nothing;
  std::string text = {};
  std::string speaker = {};  // who says it, where an account speaks for several; else empty
};
Spoken read_payload(std::string_view bytes);

// Texts that newer programs send in several payloads ("Chunks"). Bounded: what is not whole is given up for what comes
// later, and what is too long is cut, and says so.
class ChunkedTexts {
 public:
  // What will not be whole any more: its payload as far as it came, and says that it is cut.
  struct Torn {
    std::string email;  // of who has begun it
    std::string payload;
  };

  // The whole payload; nothing: more is to come.
  std::optional<std::string> add(std::string_view bytes, const std::string& email = {});
  // Gives up what is not whole: its sender says no more.
  void give_up();
  std::vector<Torn> take_torn() { return std::exchange(torn_, {}); }

 private:
  struct Unfinished {
    std::string id, email;
    std::size_t expected = 0, seen = 0;
    std::string payload;
    bool is_cut = false;
  };
  static Torn tear(Unfinished unfinished);

  std::vector<Unfinished> unfinished_;
  std::vector<Torn> torn_;
};

}  // namespace wherry::msn
