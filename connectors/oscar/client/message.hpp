// Messages between users (family 4): reading what comes on channels 1, 2 and 4, writing what goes on channel 1. Texts
// stay octets beside the name of their charset: what those mean is convert's business.
#pragma once

#include "connectors/oscar/client/user_info.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::oscar {

enum class Charset : std::uint16_t { ascii = 0, utf16 = 2, latin1 = 3 };

struct TextPiece {
  std::uint16_t charset = 0;  // as the sender calls it
  std::string octets;
  bool operator==(const TextPiece&) const = default;
};

inline constexpr std::size_t cookie_octets = 8;

struct IncomingMessage {
  // How old ICQ clients say more than text (channel 4).
  enum class Kind : std::uint8_t {
    text = 0x01,
    url = 0x04,
    authorisation_request = 0x06,
    authorisation_refused = 0x07,
    authorisation_granted = 0x08,
    server = 0x09,
    added = 0x0C,
    web_pager = 0x0D,
    mail = 0x0E,
    contacts = 0x13,
  };
  // What is proposed on channel 2 in place of a text.
  enum class Offer { none, file, talk, room };
  std::string cookie;
  std::uint16_t channel = 1;
  UserInfo sender;
  Kind kind = Kind::text;
  std::vector<TextPiece> pieces;           // of kinds other than text: one, whose fields are parted by the octet FE
  bool is_automatic = false;               // an away message, say
  std::optional<std::uint32_t> stored_at;  // seconds since 1970 UTC, where the server kept it
  bool is_utf8 = false;                    // said by the sender
  std::string owed_answer;                 // the body of the answer that such a message wants, or empty
  Offer offer = Offer::none;
  std::string refusal;  // of the offer: the body of 04/06 that says no
};

// 04/07. Nothing where it cannot be read or is nothing that a person has written.
std::optional<IncomingMessage> read_message(std::string_view body);

struct OutgoingMessage {
  std::string cookie;
  std::string to;
  TextPiece text;
  bool may_be_stored = true;  // until its recipient logs in
};
std::string write_message(const OutgoingMessage& message);  // the body of 04/06

// 04/0C and 04/0B: whose message they are about.
struct Acknowledgement {
  // Why there is a 04/0B: the first two are refusals.
  enum Reason : std::uint16_t { unknown_channel = 1, unreadable = 2, of_the_channel = 3 };
  std::string cookie;
  std::string name;
  std::uint16_t reason = 0;  // 0: none is given
};
std::optional<Acknowledgement> read_acknowledgement(std::string_view body);

enum class TypingState : std::uint16_t { finished = 0, paused = 1, typing = 2, closed = 0x0F };
struct TypingNotice {
  std::string name;
  TypingState state = TypingState::finished;
};
std::optional<TypingNotice> read_typing(std::string_view body);
std::string write_typing(const TypingNotice& notice);

// A message of 15/03 that the server kept.
std::optional<IncomingMessage> read_stored_message(Reader& in);

}  // namespace wherry::oscar
