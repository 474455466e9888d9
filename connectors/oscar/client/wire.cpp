#include "connectors/oscar/client/wire.hpp"

#include <algorithm>

namespace wherry::oscar {

namespace {

constexpr char start_octet = 0x2A;
constexpr std::size_t header_octets = 6;
constexpr std::size_t most_frame = 0xFFFF;
constexpr std::uint16_t has_extra_block = 0x8000;

std::uint32_t octet(char c) { return static_cast<unsigned char>(c); }

}  // namespace

std::string_view Reader::take(std::size_t count) {
  if (count > rest_.size()) {
    ok_ = false;
    rest_ = {};
  }
  if (!ok_) return {};
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint32_t Reader::big(std::size_t octets) {
  std::uint32_t value = 0;
  for (const char c : take(octets)) value = value << 8 | octet(c);
  return value;
}

std::uint32_t Reader::little(std::size_t octets) {
  std::uint32_t value = 0;
  int shift = 0;
  for (const char c : take(octets)) {
    value |= octet(c) << shift;
    shift += 8;
  }
  return value;
}

Writer& Writer::big(std::uint32_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
    octets_ += static_cast<char>(static_cast<unsigned char>(value >> shift));
  return *this;
}

Writer& Writer::little(std::uint32_t value, int octets) {
  for (int shift = 0; shift < octets * 8; shift += 8)
    octets_ += static_cast<char>(static_cast<unsigned char>(value >> shift));
  return *this;
}

Writer& Writer::raw(std::string_view octets) {
  octets_ += octets;
  return *this;
}

Writer& Writer::text8(std::string_view text) {
  text = text.substr(0, 0xFF);
  return u8(static_cast<std::uint32_t>(text.size())).raw(text);
}

Writer& Writer::text16(std::string_view text) {
  text = text.substr(0, 0xFFFF);
  return u16(static_cast<std::uint32_t>(text.size())).raw(text);
}

Writer& Writer::tlv(std::uint16_t type, std::string_view value) { return u16(type).text16(value); }
Writer& Writer::tlv16(std::uint16_t type, std::uint32_t value) { return u16(type).u16(2).u16(value); }
Writer& Writer::tlv32(std::uint16_t type, std::uint32_t value) { return u16(type).u16(4).u32(value); }

const std::string* find(const Tlvs& tlvs, std::uint16_t type) {
  const auto found = std::find_if(tlvs.begin(), tlvs.end(), [&](const Tlv& tlv) { return tlv.type == type; });
  return found == tlvs.end() ? nullptr : &found->value;
}

std::optional<std::uint32_t> number(const Tlvs& tlvs, std::uint16_t type) {
  const std::string* value = find(tlvs, type);
  if (!value || (value->size() != 1 && value->size() != 2 && value->size() != 4)) return std::nullopt;
  std::uint32_t result = 0;
  for (const char c : *value) result = result << 8 | octet(c);
  return result;
}

Tlvs read_tlvs(Reader& in) { return read_tlvs(in, most_frame); }

Tlvs read_tlvs(Reader& in, std::size_t count) {
  Tlvs tlvs;
  while (tlvs.size() < count && !in.empty()) {
    Tlv tlv;
    tlv.type = in.u16();
    tlv.value = in.text16();
    if (!in.ok()) break;
    tlvs.push_back(std::move(tlv));
  }
  return tlvs;
}

std::string write_tlvs(const Tlvs& tlvs) {
  Writer out;
  for (const Tlv& tlv : tlvs) out.tlv(tlv.type, tlv.value);
  return out.take();
}

std::optional<Snac> read_snac(std::string_view data) {
  Reader in(data);
  Snac snac;
  snac.family = in.u16();
  snac.subtype = in.u16();
  snac.flags = in.u16();
  snac.id = in.u32();
  if ((snac.flags & has_extra_block) != 0) in.text16();
  if (!in.ok()) return std::nullopt;
  snac.body = in.rest();
  return snac;
}

std::string write_snac(const Snac& snac) {
  Writer out;
  out.u16(snac.family).u16(snac.subtype).u16(snac.flags).u32(snac.id).raw(snac.body);
  return out.take();
}

std::optional<Frame> Flap::next() {
  if (broken_ || input_.empty()) return std::nullopt;
  const auto channel = input_.size() > 1 ? octet(input_[1]) : 1;
  if (input_[0] != start_octet || channel < 1 || channel > 5) {
    broken_ = true;
    input_.clear();
    return std::nullopt;
  }
  if (input_.size() < header_octets) return std::nullopt;
  const std::size_t length = octet(input_[4]) << 8 | octet(input_[5]);
  if (input_.size() < header_octets + length) return std::nullopt;
  Frame frame;
  frame.channel = static_cast<Channel>(channel);
  frame.data = input_.substr(header_octets, length);
  input_.erase(0, header_octets + length);
  return frame;
}

bool Flap::ends_in_close() const {
  return input_.size() > 1 && input_.size() < header_octets &&
         octet(input_[1]) == static_cast<unsigned>(Channel::close);
}

std::string Flap::frame(Channel channel, std::string_view data) {
  Writer out;
  out.u8(octet(start_octet)).u8(static_cast<std::uint32_t>(channel)).u16(sequence_++).text16(data);
  return out.take();
}

}  // namespace wherry::oscar
