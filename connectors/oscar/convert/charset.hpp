// The charsets of messages. Senders often name the wrong one, so what they say is a hint.
#pragma once

#include "connectors/oscar/client/message.hpp"

#include <string>
#include <string_view>

namespace wherry::oscar {

// Whether there is such a code page: "windows-1251".
bool is_code_page(const std::string& name);
// To UTF-8; what stands for no character becomes U+FFFD. Never fails; an unknown code page is read as Latin-1.
std::string from_code_page(std::string_view octets, const std::string& code_page);
// The other way round; as UTF-8 where the code page lacks a character.
std::string to_code_page(std::string_view text, const std::string& code_page);
std::string from_utf16(std::string_view octets);  // big-endian; an odd octet at the end is left out
std::string to_utf16(std::string_view text);

// A text without a name for its charset: an away message, say.
std::string from_unnamed(std::string_view octets, const std::string& code_page);
std::string read_piece(const TextPiece& piece, const std::string& code_page);
// As every client reads it: ASCII where that is enough, else UTF-16.
TextPiece write_piece(std::string_view text);
// In UTF-16, whatever it says.
TextPiece write_unicode_piece(std::string_view text);

}  // namespace wherry::oscar
