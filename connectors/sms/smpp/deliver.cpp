#include "connectors/sms/smpp/deliver.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wherry::sms::smpp {

namespace {

// An address in a Piece::group: its type and its text.
constexpr std::string_view type_letters = "isa";  // in the order of Address::Type
std::string to_key(const Address& address) {
  return type_letters[static_cast<std::size_t>(address.type)] + escape_key(address.text);
}
Address address_in(std::string_view group, std::size_t index) {
  const auto fields = base::split(group, '|');
  const std::string_view key = index < fields.size() ? fields[index] : std::string_view();
  const auto type = type_letters.find(key.substr(0, 1));
  if (key.empty() || type == std::string_view::npos) return alphanumeric({});
  return {static_cast<Address::Type>(type), unescape_key(key.substr(1))};
}

// sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (§5.3.2.22 to .24), where all three make sense.
std::optional<Position> sar_position(const std::vector<Tlv>& tlvs) {
  const auto reference = tlv_number(tlvs, tag::sar_msg_ref_num), total = tlv_number(tlvs, tag::sar_total_segments),
             part = tlv_number(tlvs, tag::sar_segment_seqnum);
  if (!reference || !total || !part || *total == 0 || *total > 255 || *part == 0 || *part > *total) return std::nullopt;
  return Position{Position::Kind::sar, *reference, *total, *part};
}

// The port of the application on a phone that the message is for, as phones pass it on: TS 23.040 §9.2.3.24.3 and .4,
// or SMPP's parameter (§5.3.2.21). Zero, which some centres always write, is none.
unsigned application_port(const ShortMessage& message, const UserDataHeader& header) {
  return header.port ? *header.port : tlv_number(message.tlvs, tag::destination_port).value_or(0);
}

// Whose picture it is: in the notice an address is "+14155550100/TYPE=PLMN" (OMA-TS-MMS_ENC §7.2.20, §8).
std::string sender_in_notice(std::string_view octets) {
  const std::size_t end = octets.find("/TYPE=PLMN");
  if (end == octets.npos) return {};
  std::size_t begin = end;
  const auto may_be_in_number = [](char c) { return (c >= '0' && c <= '9') || c == '+'; };
  while (begin > 0 && may_be_in_number(octets[begin - 1])) --begin;
  return std::string(octets.substr(begin, end - begin));
}

// A push (WAP-230-WSP §8.2.4.1) whose content type is a notice's: by its name, or by its number (OMNA, 0x3E), which the
// length of the type may precede.
bool is_picture_notice(std::string_view octets) {
  if (octets.size() < 5 || octets[1] != '\x06') return false;
  return octets.find("application/vnd.wap.mms-message") != octets.npos ||
         octets.substr(3, 2).find('\xBE') != octets.npos;
}

// What its reader is told in the place of data for a program.
std::string notice_of(std::string_view octets, unsigned port) {
  if (!is_picture_notice(octets))
    return fmt::format("[Data for an application on a phone came (port {}). It is not for reading.]", port);
  const std::string sender = sender_in_notice(octets);
  return fmt::format(
      "[A picture message (MMS){}{} came, which this gateway cannot fetch. Ask for the picture in another way.]",
      sender.empty() ? "" : " from ", sender);
}

// Receipts are written in ASCII whatever data_coding says; in GSM 7 an id's '_' would become '§'. Some centres copy the
// data_coding of the text that they report on: what is sure to be a receipt is tried in all ways that one can be
// written.
std::optional<Receipt> find_receipt(const ShortMessage& message, std::string_view octets, const std::string& data,
                                    Alphabet alphabet) {
  const bool wide = alphabet == Alphabet::ucs2;
  auto receipt = parse_receipt(message.tlvs, wide ? decode(data, Alphabet::ucs2) : data);
  if (receipt || !is_receipt(message.esm_class)) return receipt;
  receipt = parse_receipt(message.tlvs, octets);
  return receipt ? receipt : parse_receipt(message.tlvs, decode(octets, Alphabet::ucs2));
}

}  // namespace

Seen read_message(const ShortMessage& message, const Setting& setting) {
  std::string_view octets = message.user_data();
  UserDataHeader header;
  if ((message.esm_class & header_present) != 0) {
    if (const auto parsed = parse_header(octets)) header = *parsed;  // else the bit lies: all of it is text
  }
  octets.remove_prefix(header.octets);
  const auto position = header.position ? header.position : sar_position(message.tlvs);

  Coding coding = coding_of(message.data_coding, setting.split.link);
  if (coding.alphabet == Alphabet::binary && !coding.charset && setting.binary_is_text)
    coding.alphabet = setting.split.link;
  std::string data(octets);
  if (coding.alphabet == Alphabet::gsm7_packed) {
    data = unpack_all_septets(octets, header.octets,
                              position && position->part < position->total ? Rest::more_follows : Rest::last);
    coding.alphabet = Alphabet::gsm7;
  }

  if (is_intermediate(message.esm_class)) return SeenNothing{"an intermediate notification"};
  auto receipt = find_receipt(message, octets, data, coding.alphabet);
  if (is_receipt(message.esm_class)) {
    if (!receipt) {
      const std::string text = coding.alphabet == Alphabet::ucs2 ? decode(data, Alphabet::ucs2) : data;
      return SeenNothing{"a receipt without an id or a state", true, guess_receipts(message.tlvs, text)};
    }
    return SeenReceipt{std::move(*receipt), true, {}};
  }

  // Centres that forget the bits have the parameter, which no handset can write. Who has neither only wrote what reads
  // like a receipt.
  if (receipt && find_tlv(message.tlvs, tag::receipted_message_id)) return SeenReceipt{std::move(*receipt), true, {}};

  if (const unsigned port = application_port(message, header); port != 0) {
    if (position && position->part > 1) return SeenNothing{"a further part of data for an application"};
    return SeenText{notice_of(octets, port)};
  }

  if (position && position->total > 1) {
    Piece piece;
    piece.group = fmt::format("{}|{}|{}|{}|{}", to_key(from_network(message.source, setting.addresses)),
                              to_key(destination_from_network(message.destination, setting.addresses)),
                              static_cast<int>(position->kind), position->reference, position->total);
    piece.total = position->total;
    piece.part = position->part;
    piece.alphabet = coding.alphabet;
    piece.charset = coding.charset ? coding.charset : "";
    piece.shifts = header.shifts;
    piece.octets = std::move(data);
    return SeenPiece{std::move(piece)};
  }

  if (coding.discard_if_empty && data.empty()) return SeenNothing{"a message waiting indication without text"};
  std::string text =
      coding.charset ? decode_charset(data, coding.charset) : decode(data, coding.alphabet, header.shifts);
  if (receipt) return SeenReceipt{std::move(*receipt), false, std::move(text)};
  return SeenText{std::move(text)};
}

std::string shape_of(std::string_view octets) {
  static constexpr std::string_view known[] = {"id", "sub", "dlvrd", "submit", "done", "date", "stat", "err", "text"};
  const std::string lower = base::to_lower_ascii(octets.substr(0, 160));
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  std::string shape;
  for (std::size_t at = 0; at < lower.size();) {
    std::size_t end = at;
    while (end < lower.size() && is_letter(lower[end])) ++end;
    const std::string_view word = std::string_view(lower).substr(at, end - at);
    if (!word.empty()) {
      shape += std::find(std::begin(known), std::end(known), word) != std::end(known) ? std::string(word)
                                                                                      : std::string(word.size(), 'x');
      at = end;
      continue;
    }
    const char c = lower[at++];
    if (c >= '0' && c <= '9') shape += '9';
    else shape += c >= 0x20 && c < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return shape;
}

Address group_sender(std::string_view group) { return address_in(group, 0); }
Address group_receiver(std::string_view group) { return address_in(group, 1); }

std::string content_digest(const ShortMessage& message) {
  return digest(fmt::format("{}|{}|{}|{}|{}|{}", escape_key(message.source.digits),
                            escape_key(message.destination.digits), message.esm_class, message.data_coding,
                            message.protocol_id, escape_key(message.user_data())));
}

}  // namespace wherry::sms::smpp
