#include "connectors/oscar/convert/text.hpp"

#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace wherry::oscar {

namespace {

constexpr char field_end = '\xFE';
constexpr std::size_t least_piece = 800;  // characters, of every one but the last
using Kind = IncomingMessage::Kind;

std::string_view octets_of(const IncomingMessage& message) {
  return message.pieces.empty() ? std::string_view() : message.pieces.front().octets;
}

// A description and an address, in which there is no such octet.
std::string link(std::string_view octets, const std::string& code_page) {
  const auto end = octets.rfind(field_end);
  if (end == octets.npos) return from_unnamed(octets, code_page);
  const std::string about = from_unnamed(octets.substr(0, end), code_page);
  const std::string address = from_unnamed(octets.substr(end + 1), code_page);
  return about.empty() ? address : about + "\n" + address;
}

// Nick, first and last name, mail address, a flag of one digit, and a text. The octet that parts them is a letter in
// some code pages (ю in windows-1251), so it may stand in the names, and often does in the text.
struct Letter {
  std::string_view nick, address, text;
};
Letter letter_of(std::string_view octets) {
  Letter letter;
  const auto fields = base::split(octets, field_end);
  std::size_t flag = 4;
  while (flag < fields.size() && !(fields[flag].size() == 1 && fields[flag][0] >= '0' && fields[flag][0] <= '9'))
    ++flag;
  if (flag + 1 >= fields.size()) {
    letter.text = fields.back();
    return letter;
  }
  letter.nick =
      octets.substr(0, static_cast<std::size_t>(fields[flag - 4].data() - octets.data()) + fields[flag - 4].size());
  letter.address = fields[flag - 1];
  letter.text = octets.substr(static_cast<std::size_t>(fields[flag + 1].data() - octets.data()));
  return letter;
}

std::string mail(std::string_view octets, const std::string& code_page) {
  const Letter letter = letter_of(octets);
  const std::string nick = from_unnamed(letter.nick, code_page), address = from_unnamed(letter.address, code_page);
  return fmt::format("{}{}: {}", nick, address.empty() ? "" : " <" + address + ">",
                     from_unnamed(letter.text, code_page));
}

// How many, then a number and a name of each. A name that has the octet in it makes more fields of one.
std::string contacts(std::string_view octets, const std::string& code_page) {
  const auto fields = base::split(octets, field_end);
  const std::size_t count = fields.back().empty() ? fields.size() - 1 : fields.size();
  const bool is_as_counted = fields[0] == std::to_string(count / 2);
  std::string text;
  for (std::size_t i = 1; i < count;) {
    const std::string_view number = fields[i++];
    std::string name(i < count ? fields[i++] : std::string_view());
    while (!is_as_counted && i < count && !is_uin(fields[i])) {
      name += field_end;
      name += fields[i++];
    }
    text += fmt::format("{}{} ({})", text.empty() ? "" : "\n", from_unnamed(name, code_page), number);
  }
  return text;
}

std::string with_newlines(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') plain += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n') plain += '\n';
  }
  return plain;
}

// ICQ 8 ends every text with an empty line.
std::string without_last_lines(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Who writes tags among plain lines means the lines, too.
std::string with_breaks(std::string_view text) {
  std::string html;
  for (const char c : text) html += c == '\n' ? std::string("<br>") : std::string(1, c);
  return html;
}

// Its first characters, so many.
std::string_view first_characters(std::string_view text, std::size_t most) {
  std::size_t characters = 0, end = 0;
  while (end < text.size()) {
    const bool is_start = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (is_start && ++characters > most) break;
    ++end;
  }
  return text.substr(0, end);
}

// What goes into one message. It is cut between words where that leaves enough: most_pieces must do for the longest
// text.
std::string_view first_part(std::string_view text) {
  const std::string_view part = first_characters(text, most_piece);
  if (part.size() == text.size()) return part;
  const auto space = part.find_last_of(" \n");
  const bool is_enough = space != part.npos && space >= first_characters(part, least_piece).size();
  return is_enough ? part.substr(0, space + 1) : part;
}

bool may_look_like_html(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (text[i] == '<' && (std::isalpha(next) != 0 || next == '/' || next == '!' || next == '?')) return true;
    if (text[i] == '&' && (std::isalpha(next) != 0 || next == '#')) return true;
  }
  return false;
}

// COMPAT(open-oscar-server 0.24): takes what looks like HTML out of ICQ users' texts, and reads none in UTF-16.
TextPiece piece_for_icq(std::string_view text) {
  std::string written;
  for (const char c : text) written += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return may_look_like_html(written) ? write_unicode_piece(written) : write_piece(written);
}

std::string digest(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1) return {};
  return base::to_hex(std::string_view(reinterpret_cast<const char*>(hash.data()), length).substr(0, 16));
}

}  // namespace

std::string text_of(const IncomingMessage& message, const std::string& code_page) {
  switch (message.kind) {
    case Kind::text: break;
    case Kind::url: return link(octets_of(message), code_page);
    case Kind::web_pager:
    case Kind::mail: return mail(octets_of(message), code_page);
    case Kind::contacts: return contacts(octets_of(message), code_page);
    default: return from_unnamed(octets_of(message), code_page);
  }
  std::string text;
  for (const TextPiece& piece : message.pieces)
    text += message.is_utf8 ? from_unnamed(piece.octets, code_page) : read_piece(piece, code_page);
  if (is_html(text)) return html_to_text(text);
  const bool may_have_tags = message.channel == 1 && !is_uin(plain_name(message.sender.name));
  if (may_have_tags) return html_to_text(with_breaks(with_newlines(text)));
  return without_last_lines(with_newlines(text));
}

std::string reason_of(const IncomingMessage& message, const std::string& code_page) {
  return from_unnamed(letter_of(octets_of(message)).text, code_page);
}

// Cookies are the sender's; stored messages may have none. Old programs (QIP 2005) send zeros: then a message that
// comes live is a message of its own, since no server repeats it, and the same words may be said twice.
std::string id_of(const IncomingMessage& message) {
  std::string sender = plain_name(message.sender.name);
  if (!base::is_utf8(sender)) sender = base::to_hex(sender);
  const bool has_cookie = message.cookie.find_first_not_of('\0') != std::string::npos;
  if (has_cookie) return sender + ":" + base::to_hex(message.cookie);
  if (!message.stored_at) return sender + ":" + base::random_hex(16);
  std::string all = std::to_string(*message.stored_at);
  for (const TextPiece& piece : message.pieces) all += "/" + piece.octets;
  return sender + ":" + digest(all);
}

std::vector<TextPiece> to_pieces(std::string_view text, bool to_icq) {
  std::vector<TextPiece> pieces;
  while (!text.empty()) {
    const std::string_view part = first_part(text);
    text.remove_prefix(part.size());
    const std::string_view shown = text.empty() ? part : base::trim(part);
    if (shown.empty()) continue;
    pieces.push_back(to_icq ? piece_for_icq(shown) : write_piece(text_to_html(shown)));
  }
  return pieces;
}

}  // namespace wherry::oscar
