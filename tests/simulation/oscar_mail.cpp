// Messages at the simulated OSCAR server (family 4).
#include "tests/simulation/oscar_server.hpp"

#include <fmt/format.h>

namespace wherry::simulation {

using oscar::Channel;
using oscar::Reader;
using oscar::Snac;
using oscar::Writer;
namespace family = oscar::family;

namespace {

constexpr Microseconds acknowledged_too_late = 22'000'000, most_wait_to_confirm = 5'000'000;
constexpr std::size_t cookie_octets = 8;

// The text of TLV 02, and its charset. False: it is none.
bool read_text(std::string_view fragments, OscarMessage& message) {
  Reader in(fragments);
  in.u16();
  in.text16();
  const std::uint16_t kind = in.u16();
  const std::string text = in.text16();
  Reader inner(text);
  message.charset = inner.u16();
  inner.u16();
  message.octets = inner.rest();
  return in.ok() && inner.ok() && kind == 0x0101 && in.empty() && !message.octets.empty();
}

std::string write_text(const OscarMessage& message) {
  Writer text;
  text.u16(message.charset).u16(0).raw(message.octets);
  return Writer().u8(5).u8(1).u16(1).u8(1).u8(1).u8(1).text16(text.octets()).take();
}

}  // namespace

void OscarServer::take_message(const GuestPtr& guest, const Snac& snac) {
  Reader in(snac.body);
  OscarMessage message;
  message.from = guest->person;
  message.cookie = in.take(cookie_octets);
  const std::uint16_t channel = in.u16();
  message.to = person_of(in.text8());
  const auto tlvs = oscar::read_tlvs(in);
  const auto* fragments = oscar::find(tlvs, 0x02);
  const bool is_readable = channel == 1 && fragments && read_text(*fragments, message);
  if (!is_readable || !guest->is_ready)
    return recorder_.add(What::breach, "", guest->person, "", "", "a message that cannot be read, or too early");
  const std::uint64_t attempt = ++attempts_[message.cookie];
  if (const std::uint16_t code = refusal(message, attempt)) {
    note(fmt::format("refuses a message of {} to {} with code {}", message.from, message.to, code));
    return say(guest, family::messages, 0x01, Writer().u16(code).octets(), snac.id);
  }
  enum Kind { none, cut_before, cut_after, silent, late, lost };
  const auto kind = fails("message", 400) ? static_cast<Kind>(draw().between(1, 5, "message_how", events_)) : none;
  if (kind != none) note(fmt::format("takes a message of {} to {} in the way {}", message.from, message.to, +kind));
  if (kind == cut_before) return guest->peer->cut();
  // Where silence means that it is kept, no message is lost in silence.
  if (kind == lost && !traits().keeps_silently) return;
  post_.taken(message);
  confirm(message);
  if (kind == cut_after) return guest->peer->cut();
  const bool is_kept_silently = traits().keeps_silently && !guest->present.contains(message.to);
  if (kind == silent || is_kept_silently) return;
  acknowledge(guest, message, snac.id, kind == late ? acknowledged_too_late : 0);
}

// A code, or 0.
std::uint16_t OscarServer::refusal(const OscarMessage& message, std::uint64_t attempt) {
  constexpr std::uint16_t busy = 0x02, not_possible = 0x05, away = 0x04, too_long = 0x0B;
  const std::uint64_t about = hash_of(message.cookie);
  if (attempt < 3 && fails("puts_off", 80)) return draw().happens(500, "puts_off_how", about) ? busy : not_possible;
  if (fails("refuses_message", 60)) return draw().happens(500, "refuses_how", about) ? away : too_long;
  return 0;
}

void OscarServer::acknowledge(const GuestPtr& guest, const OscarMessage& message, std::uint32_t id,
                              Microseconds after) {
  const std::string body = Writer().raw(message.cookie).u16(1).text8(name_of(message.to)).take();
  say(guest, family::messages, 0x0C, body, id, {}, after);
  if (fails("acknowledges_twice", 60)) say(guest, family::messages, 0x0C, body, id);
}

// Few programs tell that they have it; some do before the server has, some twice.
void OscarServer::confirm(const OscarMessage& message) {
  const std::uint64_t about = hash_of(message.cookie);
  if (!draw().happens(400, "confirms", about)) return;
  const Microseconds after =
      draw().happens(300, "confirms_early", about) ? 0 : draw().wait(most_wait_to_confirm, "confirms_after", about);
  for (int times = draw().happens(200, "confirms_twice", about) ? 2 : 1; times > 0; --times) {
    later(after * times, [this, message] {
      const GuestPtr guest = accounts_[message.from].session;
      if (!guest) return;
      post_.confirmed(message);
      say(guest, family::messages, 0x0B,
          Writer().raw(message.cookie).u16(1).text8(name_of(message.to)).u16(3).octets());
    });
  }
}

// ---- To users ----

void OscarServer::deliver(OscarMessage message) {
  Account& account = accounts_[message.to];
  const GuestPtr guest = account.session;
  if (guest && guest->is_ready && !guest->is_garbled && guest->peer->is_open())
    return give(guest, message, std::nullopt);
  post_.kept(message);
  account.kept.push_back({std::move(message), now(), false});
}

void OscarServer::give(const GuestPtr& guest, const OscarMessage& message, std::optional<Microseconds> kept_at) {
  Writer body;
  body.raw(message.cookie).u16(1).raw(info_of(message.from, true)).tlv(0x02, write_text(message)).tlv(0x0B);
  if (kept_at) body.tlv32(0x16, static_cast<std::uint32_t>(1'795'000'000 + *kept_at / 1'000'000));
  say(guest, family::messages, 0x07, body.octets(), 0,
      [this, guest, message](bool is_read) { post_.left(message, is_read && !guest->is_garbled); });
}

}  // namespace wherry::simulation
