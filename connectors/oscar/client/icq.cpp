#include "connectors/oscar/client/icq.hpp"

namespace wherry::oscar {

namespace {

constexpr std::uint16_t short_info_question = 0x4BA, short_info_answer = 0x104;
constexpr std::uint8_t succeeded = 0x0A;

std::string text_of(Reader& in) {
  std::string text = in.little_text16();
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

}  // namespace

std::string write_icq(const IcqPacket& packet) {
  Writer inner;
  inner.little32(packet.uin).little16(packet.type).little16(packet.sequence).raw(packet.data);
  Writer counted;
  counted.little16(static_cast<std::uint32_t>(inner.octets().size())).raw(inner.octets());
  return Writer().tlv(0x01, counted.octets()).take();
}

std::optional<IcqPacket> read_icq(std::string_view body) {
  Reader in(body);
  const Tlvs tlvs = read_tlvs(in);
  const std::string* block = find(tlvs, 0x01);
  if (!block) return std::nullopt;
  Reader inner(*block);
  inner.little16();  // the length, which the TLV has said already
  IcqPacket packet;
  packet.uin = inner.little32();
  packet.type = inner.little16();
  packet.sequence = inner.little16();
  if (!inner.ok()) return std::nullopt;
  packet.data = inner.rest();
  return packet;
}

IcqPacket ask_short_info(std::uint32_t own_uin, std::uint32_t of, std::uint16_t sequence) {
  IcqPacket packet;
  packet.uin = own_uin;
  packet.type = IcqPacket::question;
  packet.sequence = sequence;
  packet.data = Writer().little16(short_info_question).little32(of).take();
  return packet;
}

std::optional<ShortInfo> read_short_info(const IcqPacket& answer) {
  Reader in(answer.data);
  const std::uint16_t subtype = in.little16();
  const std::uint8_t result = in.u8();
  if (answer.type != IcqPacket::answer || subtype != short_info_answer || result != succeeded) return std::nullopt;
  ShortInfo info;
  info.nick = text_of(in);
  info.first = text_of(in);
  info.last = text_of(in);
  info.mail = text_of(in);
  if (!in.ok()) return std::nullopt;
  return info;
}

}  // namespace wherry::oscar
