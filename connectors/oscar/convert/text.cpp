#include "connectors/oscar/convert/text.hpp"

#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace wherry::oscar {

namespace {

constexpr char field_end = '\xFE';
using Kind = IncomingMessage::Kind;

std::vector<std::string> fields_of(const IncomingMessage& message, const std::string& code_page) {
  std::vector<std::string> fields;
  const std::string_view octets = message.pieces.empty() ? std::string_view() : message.pieces.front().octets;
  for (const std::string_view field : base::split(octets, field_end)) fields.push_back(from_unnamed(field, code_page));
  return fields;
}

std::string link(const std::vector<std::string>& fields) {
  const std::string address = fields.size() > 1 ? fields[1] : std::string();
  return fields[0].empty() ? address : fields[0] + "\n" + address;
}

// nick, first and last name, address, a flag, text.
std::string mail(const std::vector<std::string>& fields) {
  const std::string from = fields.size() > 3 ? fields[0] + " <" + fields[3] + ">" : fields[0];
  return fmt::format("{}: {}", from, fields.back());
}

// How many, then a number and a name of each.
std::string contacts(const std::vector<std::string>& fields) {
  std::string text;
  for (std::size_t i = 1; i + 1 < fields.size(); i += 2)
    text += fmt::format("{}{} ({})", text.empty() ? "" : "\n", fields[i + 1], fields[i]);
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

// Who writes tags among plain lines means the lines, too.
std::string with_breaks(std::string_view text) {
  std::string html;
  for (const char c : text) html += c == '\n' ? std::string("<br>") : std::string(1, c);
  return html;
}

std::string digest(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1) return {};
  return base::to_hex(std::string_view(reinterpret_cast<const char*>(hash.data()), length).substr(0, 16));
}

}  // namespace

std::string text_of(const IncomingMessage& message, const std::string& code_page) {
  if (message.kind != Kind::text) {
    const auto fields = fields_of(message, code_page);
    switch (message.kind) {
      case Kind::url: return link(fields);
      case Kind::web_pager:
      case Kind::mail: return mail(fields);
      case Kind::contacts: return contacts(fields);
      default: return fields.back();
    }
  }
  std::string text;
  for (const TextPiece& piece : message.pieces)
    text += message.is_utf8 ? from_unnamed(piece.octets, code_page) : read_piece(piece, code_page);
  if (is_html(text)) return html_to_text(text);
  const bool may_have_tags = message.channel == 1 && !is_uin(plain_name(message.sender.name));
  return may_have_tags ? html_to_text(with_breaks(with_newlines(text))) : with_newlines(text);
}

std::string reason_of(const IncomingMessage& message, const std::string& code_page) {
  return fields_of(message, code_page).back();
}

// Cookies are the sender's; stored messages may have none. Old programs (QIP 2005) send zeros: then a message that
// comes live is a message of its own, since no server repeats it, and the same words may be said twice.
std::string id_of(const IncomingMessage& message) {
  const std::string sender = plain_name(message.sender.name);
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
    std::string_view part = text;
    if (base::utf8_characters(text) > most_piece) {
      std::size_t characters = 0, end = 0;
      while (end < text.size() && characters <= most_piece) {  // to the start of the character that is too many
        if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++characters > most_piece) break;
        ++end;
      }
      part = text.substr(0, end);
      const auto space = part.find_last_of(" \n");
      if (space != part.npos && space > part.size() / 2) part = part.substr(0, space + 1);
    }
    text.remove_prefix(part.size());
    const std::string_view shown = text.empty() ? part : base::trim(part);
    if (shown.empty()) continue;
    std::string written;
    if (to_icq) {
      for (const char c : shown) written += c == '\n' ? std::string("\r\n") : std::string(1, c);
    } else {
      written = text_to_html(shown);
    }
    pieces.push_back(write_piece(written));
  }
  return pieces;
}

}  // namespace wherry::oscar
