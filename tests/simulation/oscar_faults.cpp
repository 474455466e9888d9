// What the simulated OSCAR server says, and how it goes wrong.
#include "tests/simulation/oscar_server.hpp"

#include <fmt/format.h>

namespace wherry::simulation {

using oscar::Channel;
using oscar::Writer;
namespace family = oscar::family;

namespace {

constexpr Microseconds too_late = 22'000'000;  // for whoever waits for an answer
constexpr std::uint32_t from_server = 0x80000000;

std::string packet(std::uint16_t of_family, std::uint16_t subtype, std::string_view body, std::uint32_t id) {
  oscar::Snac snac;
  snac.family = of_family;
  snac.subtype = subtype;
  snac.id = id;
  snac.body = body;
  return oscar::write_snac(snac);
}

}  // namespace

void OscarServer::say(const GuestPtr& guest, std::uint16_t of_family, std::uint16_t subtype, std::string_view body,
                      std::uint32_t id, OscarPeer::Read read, Microseconds after) {
  if (after > 0) {
    return later(after, [this, guest, of_family, subtype, body = std::string(body), id] {
      say(guest, of_family, subtype, body, id);
    });
  }
  const std::uint32_t number = id == 0 ? from_server + static_cast<std::uint32_t>(++events_ % 0x10000) : id;
  guest->peer->say(Channel::data, packet(of_family, subtype, body, number), std::move(read));
}

void OscarServer::answer(const GuestPtr& guest, const oscar::Snac& to, std::uint16_t of_family, std::uint16_t subtype,
                         std::string_view body) {
  const auto fault = fails("answers", 120) ? draw().between(1, 8, "answers_how", events_) : 0;
  if (fault > 0) note(fmt::format("answers {} in the way {}: {:02x}/{:02x}", guest->person, fault, of_family, subtype));
  switch (fault) {
    case 1: return;
    case 2: return guest->peer->cut();
    case 3: say(guest, of_family, subtype, body, to.id); return guest->peer->finish();
    case 4: return say(guest, of_family, subtype, body, to.id, {}, too_late);
    case 5: return say_garbage(guest);
    case 6: say_nonsense(guest); break;
    case 7:
      if (of_family == family::lists && subtype == 0x06) return;  // half of a list would be another list
      return say(guest, of_family, subtype, body.substr(0, body.size() / 2), to.id);
    case 8: return say(guest, of_family, 0x01, Writer().u16(5).octets(), to.id);
    default: break;
  }
  say(guest, of_family, subtype, body, to.id);
}

// After which nothing more is understood.
void OscarServer::say_garbage(const GuestPtr& guest) {
  guest->is_garbled = true;
  const auto kind = draw().between(0, 4, "garbage", ++events_);
  if (kind == 0) guest->peer->say_octets("HTTP/1.1 400 Bad Request\r\n\r\n");
  if (kind == 1) guest->peer->say_octets(std::string("\x2A\x09\x00\x00\x00\x01X", 7));
  if (kind == 2) guest->peer->say(Channel::data, "abc");
  if (kind == 3) guest->peer->say_octets(Writer().u8(0x2A).u8(2).u16(0).u16(0xFFFF).raw("and then nothing").take());
  if (kind == 4) guest->peer->say_octets(std::string("\x2A", 1));
}

// What can be passed over, and nothing is lost with it.
void OscarServer::say_nonsense(const GuestPtr& guest) {
  const auto kind = draw().between(0, 7, "nonsense", ++events_);
  const std::string cut_off = Writer().u8(200).raw("half a na").take();
  switch (kind) {
    case 0: return say(guest, family::messages, 0x07, Writer().raw("cookie88").u16(1).raw(cut_off).octets());
    case 1: return say(guest, family::buddies, 0x0B, cut_off);
    case 2: return say(guest, family::lists, 0x09, Writer().u16(4000).raw("cut off").octets());
    case 3: return say(guest, 0x7777, 0x42, std::string(60'000, 'x'));
    case 4: return say(guest, family::messages, 0x0C, "short");
    case 5: return say(guest, family::icq, 0x03, Writer().tlv(0x01, "ab").octets());
    case 6: return say(guest, family::lists, 0x1B, {});
    default: return guest->peer->say(Channel::keep_alive, {});
  }
}

}  // namespace wherry::simulation
