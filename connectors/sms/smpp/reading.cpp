#include "connectors/sms/smpp/reading.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/keys.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::sms::smpp {

namespace {

constexpr std::uint8_t header_present = 0x40;  // esm_class (SMPP 3.4 §5.2.12)

Address address_in(std::string_view group, std::size_t index) {
  const auto fields = base::split(group, '|');
  const std::string text = index < fields.size() ? unescape_key(fields[index]) : std::string();
  if (text.starts_with('+')) return {Address::Type::international, text};
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return {digits ? Address::Type::short_code : Address::Type::alphanumeric, text};
}

// sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (§5.3.2.22 to .24), where all three make sense.
std::optional<Position> sar_position(const std::vector<Tlv>& tlvs) {
  const auto reference = tlv_number(tlvs, tag::sar_msg_ref_num), total = tlv_number(tlvs, tag::sar_total_segments),
             part = tlv_number(tlvs, tag::sar_segment_seqnum);
  if (!reference || !total || !part || *total == 0 || *total > 255 || *part == 0 || *part > *total) return std::nullopt;
  return Position{Position::Kind::sar, *reference, *total, *part};
}

}  // namespace

Seen read_message(const ShortMessage& message, const Setting& setting) {
  std::string_view octets = message.user_data();
  UserDataHeader header;
  if ((message.esm_class & header_present) != 0) {
    if (const auto parsed = parse_header(octets)) header = *parsed;  // else the bit lies: all of it is text
  }
  octets.remove_prefix(header.octets);

  Coding coding = coding_of(message.data_coding, setting.split.link);
  if (coding.alphabet == Alphabet::binary && !coding.charset && setting.binary_is_text) coding.alphabet = setting.split.link;
  std::string data(octets);
  if (coding.alphabet == Alphabet::gsm7_packed) {
    data = unpack_all_septets(octets, header.octets);
    coding.alphabet = Alphabet::gsm7;
  }

  if (is_intermediate(message.esm_class)) return SeenNothing{"an intermediate notification"};
  // Receipts are written in ASCII whatever data_coding says; in GSM 7 an id's '_' would become '§'.
  const bool wide = coding.alphabet == Alphabet::ucs2;
  auto receipt = parse_receipt(message.tlvs, wide ? decode(data, Alphabet::ucs2) : data);
  if (is_receipt(message.esm_class)) {
    if (!receipt) return SeenNothing{"a receipt without an id or a state"};
    return SeenReceipt{std::move(*receipt), true, {}};
  }

  // Centres that forget the bits have the parameter, which no handset can write. Who has neither only wrote what reads like a receipt.
  if (receipt && find_tlv(message.tlvs, tag::receipted_message_id)) return SeenReceipt{std::move(*receipt), true, {}};

  auto position = header.position ? header.position : sar_position(message.tlvs);
  if (position && position->total > 1 && !coding.charset) {
    Piece piece;
    piece.group = fmt::format("{}|{}|{}|{}|{}", escape_key(from_network(message.source, setting.addresses).text),
                              escape_key(destination_from_network(message.destination, setting.addresses).text),
                              static_cast<int>(position->kind), position->reference, position->total);
    piece.total = position->total;
    piece.part = position->part;
    piece.alphabet = coding.alphabet;
    piece.shifts = header.shifts;
    piece.octets = std::move(data);
    return SeenPiece{std::move(piece)};
  }

  if (coding.discard_if_empty && data.empty()) return SeenNothing{"a message waiting indication without text"};
  std::string text = coding.charset ? decode_charset(data, coding.charset) : decode(data, coding.alphabet, header.shifts);
  if (receipt) return SeenReceipt{std::move(*receipt), false, std::move(text)};
  return SeenText{std::move(text)};
}

Address group_sender(std::string_view group) { return address_in(group, 0); }
Address group_receiver(std::string_view group) { return address_in(group, 1); }

std::string content_digest(const ShortMessage& message) {
  return digest(fmt::format("{}|{}|{}|{}|{}|{}", escape_key(message.source.digits), escape_key(message.destination.digits),
                            message.esm_class, message.data_coding, message.protocol_id, escape_key(message.user_data())));
}

}  // namespace wherry::sms::smpp
