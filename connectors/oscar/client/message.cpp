#include "connectors/oscar/client/message.hpp"

#include <algorithm>
#include <array>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_fragments = 64;
constexpr std::string_view icq_relay("\x09\x46\x13\x49\x4C\x7F\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00", 16);
constexpr std::string_view room_capability("\x74\x8F\x24\x20\x62\x87\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00", 16);
constexpr std::string_view utf8_word = "{0946134E-4C7F-11D1-8222-444553540000}";

// The fragments of a message on channel 1: {id, version, length, data}; id 1 has a text.
std::vector<TextPiece> read_pieces(std::string_view fragments) {
  std::vector<TextPiece> pieces;
  Reader in(fragments);
  while (!in.empty() && pieces.size() < most_fragments) {
    const std::uint8_t id = in.u8();
    in.u8();
    const std::string data = in.text16();
    if (!in.ok()) break;
    if (id != 1) continue;
    Reader text(data);
    TextPiece piece;
    piece.charset = text.u16();
    text.u16();  // a language, which nobody fills in
    if (!text.ok()) continue;
    piece.octets = text.rest();
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

bool is_kind(std::uint8_t kind) {
  constexpr std::array<std::uint8_t, 10> known{0x01, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0C, 0x0D, 0x0E, 0x13};
  return std::find(known.begin(), known.end(), kind) != known.end();
}

// The NUL that ends texts of old clients is counted with them.
std::string without_nul(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

bool read_old_message(std::string_view data, IncomingMessage& message) {
  Reader in(data);
  in.little32();  // who sent it, once more
  const std::uint8_t kind = in.u8();
  in.u8();
  std::string text = in.little_text16();
  if (!in.ok() || !is_kind(kind)) return false;
  message.kind = static_cast<IncomingMessage::Kind>(kind);
  TextPiece piece;
  piece.octets = without_nul(std::move(text));
  message.pieces.push_back(std::move(piece));
  return true;
}

// A text that comes as an ICQ client's rendezvous. `answer`: what it wants to hear.
bool read_relayed(std::string_view data, IncomingMessage& message) {
  Reader in(data);
  const std::uint16_t type = in.u16();
  in.take(cookie_octets);
  const auto capability = in.take(16);
  if (!in.ok() || type != 0 || capability != icq_relay) return false;
  const Tlvs tlvs = read_tlvs(in);
  const std::string* extended = find(tlvs, 0x2711);
  if (!extended) return false;
  Reader block(*extended);
  block.take(block.little16());  // version, plugin and flags
  block.take(block.little16());  // a counter
  const std::size_t head = extended->size() - block.rest().size();
  const std::uint8_t kind = block.u8();
  const std::uint8_t flags = block.u8();
  const std::uint16_t status = block.little16(), priority = block.little16();
  std::string text = block.little_text16();
  if (!block.ok() || kind != static_cast<std::uint8_t>(IncomingMessage::Kind::text)) return false;
  block.little32();  // colours
  block.little32();
  const std::size_t length = block.little32();
  message.is_utf8 = block.ok() && block.take(length) == utf8_word;
  TextPiece piece;
  piece.octets = without_nul(std::move(text));
  message.pieces.push_back(std::move(piece));
  Writer answer;
  answer.raw(message.cookie).u16(2).text8(message.sender.name).u16(3);
  answer.raw(std::string_view(*extended).substr(0, head)).u8(kind).u8(flags).little16(status).little16(priority);
  answer.little16(1).u8(0);
  message.owed_answer = answer.take();
  return true;
}

// {0946134x-4C7F-11D1-8222-444553540000}: a file, a direct talk, a voice; and a room.
IncomingMessage::Offer offer_of(std::string_view capability) {
  using Offer = IncomingMessage::Offer;
  if (capability == room_capability) return Offer::room;
  if (capability.substr(0, 3) != icq_relay.substr(0, 3) || capability.substr(4) != icq_relay.substr(4))
    return Offer::none;
  switch (capability[3]) {
    case 0x43: return Offer::file;
    case 0x41:
    case 0x45: return Offer::talk;
    default: return Offer::none;
  }
}

bool read_offer(std::string_view data, IncomingMessage& message) {
  constexpr std::uint16_t proposed = 0, declined = 1;
  Reader in(data);
  const std::uint16_t type = in.u16();
  const std::string cookie(in.take(cookie_octets)), capability(in.take(16));
  if (!in.ok() || type != proposed) return false;
  message.offer = offer_of(capability);
  Writer no;
  no.u16(declined).raw(cookie).raw(capability).tlv16(0x0B, 1);
  Writer answer;
  answer.raw(message.cookie).u16(2).text8(message.sender.name).tlv(0x05, no.octets());
  message.refusal = answer.take();
  return message.offer != IncomingMessage::Offer::none;
}

}  // namespace

std::optional<IncomingMessage> read_message(std::string_view body) {
  Reader in(body);
  IncomingMessage message;
  message.cookie = in.take(cookie_octets);
  message.channel = in.u16();
  auto sender = read_user_info(in);
  if (!in.ok() || !sender) return std::nullopt;
  message.sender = std::move(*sender);
  const Tlvs tlvs = read_tlvs(in);
  message.is_automatic = find(tlvs, 0x04) != nullptr;
  message.stored_at = number(tlvs, 0x16);
  const std::string* data = find(tlvs, message.channel == 1 ? 0x02 : 0x05);
  if (!data) return std::nullopt;
  bool is_written = false;
  if (message.channel == 1) {
    message.pieces = read_pieces(*data);
    is_written = !message.pieces.empty();
  } else if (message.channel == 2) {
    is_written = read_relayed(*data, message) || read_offer(*data, message);
  } else if (message.channel == 4) {
    is_written = read_old_message(*data, message);
  }
  if (!is_written) return std::nullopt;
  return message;
}

std::string write_message(const OutgoingMessage& message) {
  Writer text;
  text.u16(message.text.charset).u16(0).raw(message.text.octets);
  Writer fragments;
  fragments.u8(5).u8(1).u16(1).u8(1);  // what the text needs: nothing but being text
  fragments.u8(1).u8(1).text16(text.octets());
  Writer out;
  out.raw(message.cookie).u16(1).text8(message.to).tlv(0x02, fragments.octets()).tlv(0x03);
  if (message.may_be_stored) out.tlv(0x06);
  return out.take();
}

std::optional<Acknowledgement> read_acknowledgement(std::string_view body) {
  Reader in(body);
  Acknowledgement acknowledgement;
  acknowledgement.cookie = in.take(cookie_octets);
  in.u16();
  acknowledgement.name = in.text8();
  if (!in.ok()) return std::nullopt;
  acknowledgement.reason = in.u16();
  return acknowledgement;
}

std::optional<TypingNotice> read_typing(std::string_view body) {
  Reader in(body);
  in.take(cookie_octets);
  in.u16();
  TypingNotice notice;
  notice.name = in.text8();
  notice.state = static_cast<TypingState>(in.u16());
  if (!in.ok() || notice.name.empty()) return std::nullopt;
  return notice;
}

std::string write_typing(const TypingNotice& notice) {
  Writer out;
  out.u32(0).u32(0).u16(1).text8(notice.name).u16(static_cast<std::uint32_t>(notice.state));
  return out.take();
}

std::optional<IncomingMessage> read_stored_message(Reader& in) {
  IncomingMessage message;
  message.channel = 4;
  message.sender.name = std::to_string(in.little32());
  message.sender.is_icq = true;
  const int year = in.little16();
  const unsigned month = in.u8(), day = in.u8();
  const unsigned hour = in.u8(), minute = in.u8();
  const std::uint8_t kind = in.u8();
  in.u8();
  std::string text = in.little_text16();
  if (!in.ok() || !is_kind(kind)) return std::nullopt;
  message.kind = static_cast<IncomingMessage::Kind>(kind);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (date.ok() && year >= 1990 && year < 2100 && hour < 24 && minute < 60) {
    const auto time = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute);
    message.stored_at =
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
  }
  TextPiece piece;
  piece.octets = without_nul(std::move(text));
  message.pieces.push_back(std::move(piece));
  return message;
}

}  // namespace wherry::oscar
