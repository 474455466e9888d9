// SMPP 3.4 protocol data units: octets to structs and back. Pure; decoding is bounded by the PDU and never throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::smpp {

// SMPP 3.4 §5.1.2.1. A response is its request with the highest bit set.
enum class Command : std::uint32_t {
  bind_receiver = 0x01,
  bind_transmitter = 0x02,
  query_sm = 0x03,
  submit_sm = 0x04,
  deliver_sm = 0x05,
  unbind = 0x06,
  replace_sm = 0x07,
  cancel_sm = 0x08,
  bind_transceiver = 0x09,
  outbind = 0x0B,
  enquire_link = 0x15,
  submit_multi = 0x21,
  alert_notification = 0x102,
  data_sm = 0x103,
  generic_nack = 0x80000000,
};
constexpr Command response_to(Command request) {
  return static_cast<Command>(static_cast<std::uint32_t>(request) | 0x80000000U);
}
constexpr bool is_response(Command command) { return (static_cast<std::uint32_t>(command) & 0x80000000U) != 0; }
bool is_known_request(Command command);

// SMPP 3.4 §5.1.3, those that are treated by name. Any other value is kept as it is.
enum class Status : std::uint32_t {
  ok = 0x00,
  invalid_message_length = 0x01,
  invalid_command_length = 0x02,
  invalid_command = 0x03,
  wrong_bind_state = 0x04,
  already_bound = 0x05,
  system_error = 0x08,
  invalid_source = 0x0A,
  invalid_destination = 0x0B,
  bind_failed = 0x0D,
  invalid_password = 0x0E,
  invalid_system_id = 0x0F,
  queue_full = 0x14,
  throttled = 0x58,
  temporary_failure = 0x64,
  permanent_failure = 0x65,
  invalid_tlv_stream = 0xC0,
  unknown_error = 0xFF,
};
std::string to_string(Status status);  // "ESME_RTHROTTLED", or the number in hexadecimal

struct Header {
  std::uint32_t length = 0;
  Command command{};
  Status status = Status::ok;
  std::uint32_t sequence = 0;
};
inline constexpr std::size_t header_octets = 16;

// SMPP 3.4 §5.3: optional parameters.
namespace tag {
inline constexpr std::uint16_t receipted_message_id = 0x001E, user_message_reference = 0x0204, source_port = 0x020A,
                               destination_port = 0x020B, sar_msg_ref_num = 0x020C, sar_total_segments = 0x020E,
                               sar_segment_seqnum = 0x020F, sc_interface_version = 0x0210, network_error_code = 0x0423,
                               message_payload = 0x0424, message_state = 0x0427;
}
struct Tlv {
  std::uint16_t tag = 0;
  std::string value;
  bool operator==(const Tlv&) const = default;
};
const std::string* find_tlv(const std::vector<Tlv>& tlvs, std::uint16_t tag);
std::optional<std::uint32_t> tlv_number(const std::vector<Tlv>& tlvs, std::uint16_t tag);  // of 1, 2 or 4 octets
// up to a NUL, if there is one
std::optional<std::string> tlv_text(const std::vector<Tlv>& tlvs, std::uint16_t tag);
Tlv number_tlv(std::uint16_t tag, std::uint32_t value, int octets);

struct NetworkAddress {
  std::uint8_t ton = 0, npi = 0;  // §5.2.5, §5.2.6
  std::string digits;
  bool operator==(const NetworkAddress&) const = default;
};

// A bit of esm_class: the text begins with a user data header (SMPP 3.4 §5.2.12).
constexpr std::uint8_t header_present = 0x40;

// submit_sm, deliver_sm (§4.4, §4.6) and data_sm (§4.7), which has fewer fields and its text in message_payload.
struct ShortMessage {
  std::string service_type;
  NetworkAddress source, destination;
  std::uint8_t esm_class = 0, protocol_id = 0, priority = 0;
  std::string schedule, validity;  // §7.1.1
  std::uint8_t registered_delivery = 0, replace_if_present = 0, data_coding = 0, default_message = 0;
  std::string text;  // short_message, with the user data header where esm_class says so; at most 254 octets
  std::vector<Tlv> tlvs;
  bool operator==(const ShortMessage&) const = default;

  // The text wherever it is: short_message, or else message_payload.
  const std::string& user_data() const;
};

struct Bind {
  std::string system_id, password, system_type;
  std::uint8_t interface_version = 0x34;
  std::uint8_t ton = 0, npi = 0;
  std::string address_range;
};

struct Pdu {
  Header header;
  std::string body;  // after the header
};

// ---- encoding ----
std::string encode(Command command, Status status, std::uint32_t sequence, std::string_view body = {});
std::string encode_body(const Bind& bind);
std::string encode_body(const ShortMessage& message, Command command);
std::string encode_c_string(std::string_view text);  // up to its first NUL

// ---- decoding ----
// The header in the first 16 octets; `octets` has at least as many.
Header decode_header(std::string_view octets);

// A body, or the status that answers it: invalid_message_length where a field reaches beyond the PDU or a text has no
// NUL, invalid_source/_destination for endless addresses, invalid_tlv_stream for a parameter that is cut off where
// nothing else is there to be read. Up to three octets after the last parameter are passed over.
struct DecodedMessage {
  Status status = Status::ok;
  bool is_cut = false;  // a parameter reaches beyond the PDU: it and what follows it is missing
  ShortMessage message;
};
DecodedMessage decode_short_message(Command command, std::string_view body);

// bind_*_resp: system_id and parameters; submit_sm_resp: message_id. Both may be absent (an error has no body in
// practice), and a missing NUL is forgiven.
struct NamedResponse {
  std::string name;
  std::vector<Tlv> tlvs;
};
NamedResponse decode_named_response(std::string_view body);

}  // namespace wherry::sms::smpp
