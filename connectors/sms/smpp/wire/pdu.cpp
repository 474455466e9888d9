#include "connectors/sms/smpp/wire/pdu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_address_octets = 65;  // data_sm's limit; the others' is 21, which the field exceeds
constexpr std::size_t most_text_octets = 254;    // §4.4.1 sm_length

std::uint32_t wire_octet(char c) { return static_cast<unsigned char>(c); }

void put(std::string& out, std::uint32_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

std::uint32_t get(std::string_view in) {
  std::uint32_t value = 0;
  for (const char c : in) value = value << 8 | wire_octet(c);
  return value;
}

// Takes fields off the front; after the first that does not fit, `ok` is false and everything is empty.
struct Reader {
  std::string_view rest;
  bool ok = true;

  std::string_view take(std::size_t count) {
    if (count > rest.size()) {
      ok = false;
      rest = {};
    }
    if (!ok) return {};
    const auto taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(get(take(1))); }
  std::string c_string() {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos) {
      ok = false;
      rest = {};
      return {};
    }
    std::string text(take(end));
    take(1);
    return text;
  }
  NetworkAddress address() {
    NetworkAddress a;
    a.ton = byte();
    a.npi = byte();
    a.digits = c_string();
    return a;
  }
};

// False where a parameter reaches beyond the end.
bool read_tlvs(std::string_view rest, std::vector<Tlv>& tlvs) {
  while (rest.size() >= 4) {
    const auto tag = static_cast<std::uint16_t>(get(rest.substr(0, 2)));
    const std::size_t length = get(rest.substr(2, 2));
    if (length + 4 > rest.size()) return false;
    tlvs.push_back({tag, std::string(rest.substr(4, length))});
    rest.remove_prefix(length + 4);
  }
  return true;
}

void put_tlvs(std::string& out, const std::vector<Tlv>& tlvs) {
  for (const Tlv& tlv : tlvs) {
    put(out, tlv.tag, 2);
    put(out, static_cast<std::uint32_t>(tlv.value.size()), 2);
    out += tlv.value;
  }
}

void put_address(std::string& out, const NetworkAddress& address) {
  put(out, address.ton, 1);
  put(out, address.npi, 1);
  out += encode_c_string(address.digits);
}

}  // namespace

bool is_known_request(Command command) {
  switch (command) {
    case Command::bind_receiver:
    case Command::bind_transmitter:
    case Command::query_sm:
    case Command::submit_sm:
    case Command::deliver_sm:
    case Command::unbind:
    case Command::replace_sm:
    case Command::cancel_sm:
    case Command::bind_transceiver:
    case Command::enquire_link:
    case Command::submit_multi:
    case Command::data_sm: return true;
    default: return false;
  }
}

std::string to_string(Status status) {
  switch (status) {
    case Status::ok: return "ESME_ROK";
    case Status::invalid_message_length: return "ESME_RINVMSGLEN";
    case Status::invalid_command_length: return "ESME_RINVCMDLEN";
    case Status::invalid_command: return "ESME_RINVCMDID";
    case Status::wrong_bind_state: return "ESME_RINVBNDSTS";
    case Status::already_bound: return "ESME_RALYBND";
    case Status::system_error: return "ESME_RSYSERR";
    case Status::invalid_source: return "ESME_RINVSRCADR";
    case Status::invalid_destination: return "ESME_RINVDSTADR";
    case Status::bind_failed: return "ESME_RBINDFAIL";
    case Status::invalid_password: return "ESME_RINVPASWD";
    case Status::invalid_system_id: return "ESME_RINVSYSID";
    case Status::queue_full: return "ESME_RMSGQFUL";
    case Status::throttled: return "ESME_RTHROTTLED";
    case Status::temporary_failure: return "ESME_RX_T_APPN";
    case Status::permanent_failure: return "ESME_RX_P_APPN";
    case Status::invalid_tlv_stream: return "ESME_RINVTLVSTREAM";
    case Status::unknown_error: return "ESME_RUNKNOWNERR";
  }
  return fmt::format("0x{:08X}", static_cast<std::uint32_t>(status));
}

const std::string* find_tlv(const std::vector<Tlv>& tlvs, std::uint16_t tag) {
  for (const Tlv& tlv : tlvs) {
    if (tlv.tag == tag) return &tlv.value;
  }
  return nullptr;
}

std::optional<std::uint32_t> tlv_number(const std::vector<Tlv>& tlvs, std::uint16_t tag) {
  const std::string* value = find_tlv(tlvs, tag);
  if (!value || value->empty() || value->size() > 4) return std::nullopt;
  return get(*value);
}

std::optional<std::string> tlv_text(const std::vector<Tlv>& tlvs, std::uint16_t tag) {
  const std::string* value = find_tlv(tlvs, tag);
  if (!value) return std::nullopt;
  return value->substr(0, value->find('\0'));
}

Tlv number_tlv(std::uint16_t tag, std::uint32_t value, int octets) {
  Tlv tlv{tag, {}};
  put(tlv.value, value, octets);
  return tlv;
}

const std::string& ShortMessage::user_data() const {
  const std::string* payload = find_tlv(tlvs, tag::message_payload);
  return text.empty() && payload ? *payload : text;
}

std::string encode_c_string(std::string_view text) {
  std::string out(text.substr(0, text.find('\0')));
  out += '\0';
  return out;
}

std::string encode(Command command, Status status, std::uint32_t sequence, std::string_view body) {
  std::string out;
  out.reserve(header_octets + body.size());
  put(out, static_cast<std::uint32_t>(header_octets + body.size()), 4);
  put(out, static_cast<std::uint32_t>(command), 4);
  put(out, static_cast<std::uint32_t>(status), 4);
  put(out, sequence, 4);
  out += body;
  return out;
}

std::string encode_body(const Bind& bind) {
  std::string out =
      encode_c_string(bind.system_id) + encode_c_string(bind.password) + encode_c_string(bind.system_type);
  put(out, bind.interface_version, 1);
  put(out, bind.ton, 1);
  put(out, bind.npi, 1);
  return out + encode_c_string(bind.address_range);
}

std::string encode_body(const ShortMessage& message, Command command) {
  std::string out = encode_c_string(message.service_type);
  put_address(out, message.source);
  put_address(out, message.destination);
  put(out, message.esm_class, 1);
  if (command == Command::data_sm) {
    put(out, message.registered_delivery, 1);
    put(out, message.data_coding, 1);
  } else {
    put(out, message.protocol_id, 1);
    put(out, message.priority, 1);
    out += encode_c_string(message.schedule);
    out += encode_c_string(message.validity);
    put(out, message.registered_delivery, 1);
    put(out, message.replace_if_present, 1);
    put(out, message.data_coding, 1);
    put(out, message.default_message, 1);
    const std::string_view text = std::string_view(message.text).substr(0, most_text_octets);
    put(out, static_cast<std::uint32_t>(text.size()), 1);
    out += text;
  }
  put_tlvs(out, message.tlvs);
  return out;
}

Header decode_header(std::string_view octets) {
  return {get(octets.substr(0, 4)), static_cast<Command>(get(octets.substr(4, 4))),
          static_cast<Status>(get(octets.substr(8, 4))), get(octets.substr(12, 4))};
}

DecodedMessage decode_short_message(Command command, std::string_view body) {
  DecodedMessage decoded;
  ShortMessage& m = decoded.message;
  Reader in{body};
  m.service_type = in.c_string();
  m.source = in.address();
  m.destination = in.address();
  m.esm_class = in.byte();
  if (command == Command::data_sm) {
    m.registered_delivery = in.byte();
    m.data_coding = in.byte();
  } else {
    m.protocol_id = in.byte();
    m.priority = in.byte();
    m.schedule = in.c_string();
    m.validity = in.c_string();
    m.registered_delivery = in.byte();
    m.replace_if_present = in.byte();
    m.data_coding = in.byte();
    m.default_message = in.byte();
    const std::size_t length = in.byte();
    m.text = in.take(length);
  }
  if (!in.ok) decoded.status = Status::invalid_message_length;
  else if (m.source.digits.size() >= most_address_octets) decoded.status = Status::invalid_source;
  else if (m.destination.digits.size() >= most_address_octets) decoded.status = Status::invalid_destination;
  else decoded.is_cut = !read_tlvs(in.rest, m.tlvs);
  const bool is_empty = m.user_data().empty() && !find_tlv(m.tlvs, tag::receipted_message_id);
  if (decoded.is_cut && is_empty) decoded.status = Status::invalid_tlv_stream;
  return decoded;
}

NamedResponse decode_named_response(std::string_view body) {
  NamedResponse response;
  const auto end = body.find('\0');
  response.name = body.substr(0, end);
  if (end != std::string_view::npos) read_tlvs(body.substr(end + 1), response.tlvs);
  return response;
}

}  // namespace wherry::sms::smpp
