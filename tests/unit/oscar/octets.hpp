// Octets as a server would send them, for tests of the OSCAR connector.
#pragma once

#include "connectors/oscar/client/message.hpp"
#include "connectors/oscar/client/wire.hpp"
#include "gateway/base/text.hpp"

#include <string>
#include <string_view>

namespace wherry::tests {

inline std::string octets(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  return base::from_hex(digits).value();
}

inline std::string snac(std::uint16_t family, std::uint16_t subtype, std::string_view body, std::uint32_t id = 0,
                        std::uint16_t flags = 0) {
  oscar::Snac packet;
  packet.family = family;
  packet.subtype = subtype;
  packet.flags = flags;
  packet.id = id;
  packet.body = body;
  return oscar::write_snac(packet);
}

inline std::string user_info(std::string_view name, const oscar::Tlvs& tlvs = {}) {
  oscar::Writer out;
  out.text8(name).u16(0).u16(static_cast<std::uint32_t>(tlvs.size())).raw(oscar::write_tlvs(tlvs));
  return out.take();
}

inline std::string icq_user(std::string_view name, std::uint32_t status = 0) {
  return user_info(name, {{0x01, oscar::Writer().u16(0x40).take()}, {0x06, oscar::Writer().u32(status).take()}});
}

// The body of 04/07 on channel 1.
inline std::string text_from(std::string_view user, std::string_view text, std::uint16_t charset = 0,
                             std::string_view cookie = "cookie01") {
  oscar::Writer piece;
  piece.u16(charset).u16(0).raw(text);
  oscar::Writer fragments;
  fragments.raw(octets("05010004010101 02")).u8(1).u8(1).text16(piece.octets());
  oscar::Writer out;
  out.raw(cookie).u16(1).raw(user).tlv(0x02, fragments.octets());
  return out.take();
}

}  // namespace wherry::tests
