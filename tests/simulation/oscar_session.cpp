// A session at the simulated OSCAR server, from its cookie on.
#include "connectors/oscar/convert/charset.hpp"
#include "tests/simulation/oscar_server.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace wherry::simulation {

using oscar::Channel;
using oscar::IcqPacket;
using oscar::Reader;
using oscar::Snac;
using oscar::Writer;
namespace family = oscar::family;

namespace {

constexpr std::array<std::uint16_t, 7> families{0x01, 0x02, 0x03, 0x04, 0x09, 0x0A, 0x13};
constexpr std::uint16_t icq_class = 0x50, aim_class = 0x10;

}  // namespace

void OscarServer::enter(const GuestPtr& guest, const std::string& cookie) {
  const auto ticket = tickets_.find(cookie);
  if (ticket == tickets_.end()) {
    guest->peer->say(Channel::close, {});
    return guest->peer->finish();
  }
  guest->person = ticket->second;
  guest->is_session = true;
  tickets_.erase(ticket);
  post_.entered(guest->person);
  Writer offered;
  for (const std::uint16_t one : families) offered.u16(one);
  if (traits().has_icq_services) offered.u16(family::icq);
  say(guest, family::generic, 0x03, offered.octets());
}

// Nobody is in two classes; what is not named may be sent at any time.
std::string OscarServer::rates() const {
  if (!traits().is_slow) return Writer().u16(0).take();
  Writer out;
  out.u16(1).u16(3).u32(20).u32(5100).u32(5000).u32(4000).u32(3000).u32(6000).u32(6000).u32(0).u8(0);
  out.u16(3).u16(1).u16(4).u16(6);
  return out.take();
}

void OscarServer::serve(const GuestPtr& guest, const Snac& snac) {
  if (fails("speaks_nonsense", 30)) say_nonsense(guest);
  if (snac.is(family::generic, 0x17)) return answer(guest, snac, family::generic, 0x18, snac.body);
  if (snac.is(family::generic, 0x06)) return answer(guest, snac, family::generic, 0x07, rates());
  if (snac.is(family::generic, 0x02)) return be_ready(guest);
  if (snac.is(family::generic, 0x04)) return answer(guest, snac, family::generic, 0x01, Writer().u16(5).octets());
  if (snac.is(family::locate, 0x05)) return answer(guest, snac, family::locate, 0x01, Writer().u16(4).octets());
  if (snac.is(family::messages, 0x04)) return answer(guest, snac, family::messages, 0x05, std::string(16, '\0'));
  if (snac.is(family::messages, 0x06)) return take_message(guest, snac);
  if (snac.is(family::messages, 0x10)) return give_kept(guest, snac, {});
  if (snac.is(family::lists, 0x04)) return give_list(guest, snac);
  if (snac.family == family::lists && snac.subtype >= 0x08 && snac.subtype <= 0x0A) return change(guest, snac);
  if (snac.is(family::lists, 0x18)) return take_request(guest, snac);
  if (snac.is(family::icq, 0x02)) return serve_icq(guest, snac);
}

void OscarServer::be_ready(const GuestPtr& guest) {
  Account& account = accounts_[guest->person];
  guest->is_ready = true;
  account.session = guest;
  note(fmt::format("has a session of {}", guest->person));
  for (const auto& [key, item] : account.list) {
    if (item.type == oscar::RosterItem::contact && !item.awaits_authorisation())
      say_presence(guest, person_of(item.name));
  }
}

// ---- Presence ----

std::string OscarServer::info_of(const std::string& person, bool is_there) const {
  Writer out;
  std::string spelt = name_of(person);
  if (traits().is_aim) spelt = fmt::format("{} {}", static_cast<char>(std::toupper(spelt[0])), spelt.substr(1));
  out.text8(spelt).u16(0).u16(is_there ? 2 : 1).tlv16(0x01, traits().is_aim ? aim_class : icq_class);
  if (is_there) out.tlv32(0x06, 0);
  return out.take();
}

// Contacts are there or not for a whole run; users are there while they have a session.
void OscarServer::say_presence(const GuestPtr& guest, const std::string& person) {
  const auto known = accounts_.find(person);
  const bool has_session = known != accounts_.end() && known->second.session;
  const bool is_there = post_.is_known(person) ? has_session : draw().happens(600, "is_there", hash_of(person));
  if (!is_there) return;
  guest->present.insert(person);
  say(guest, family::buddies, 0x0B, info_of(person, true));
}

void OscarServer::show(const std::string& user, const std::string& contact, bool is_there) {
  const GuestPtr guest = accounts_[user].session;
  if (!guest) return;
  if (is_there) guest->present.insert(contact);
  else guest->present.erase(contact);
  say(guest, family::buddies, is_there ? 0x0B : 0x0C, info_of(contact, is_there));
}

void OscarServer::say_news(const std::string& user, std::uint16_t of_family, std::uint16_t subtype,
                           std::string_view body) {
  if (const GuestPtr guest = accounts_[user].session) say(guest, of_family, subtype, body);
}

void OscarServer::ask(const std::string& user, const std::string& contact) {
  say_news(user, family::lists, 0x19, Writer().text8(name_of(contact)).text16("may I?").u16(0).octets());
}

// ---- ICQ's own services ----

void OscarServer::serve_icq(const GuestPtr& guest, const Snac& snac) {
  const auto request = oscar::read_icq(snac.body);
  if (!request) return recorder_.add(What::breach, "", guest->person, "", "", "a request to ICQ that cannot be read");
  if (request->type == IcqPacket::fetch_stored) return give_kept(guest, snac, *request);
  if (request->type != IcqPacket::delete_stored) return;  // nothing is known of anybody
  std::list<Kept>& kept = accounts_[guest->person].kept;
  for (auto one = kept.begin(); one != kept.end();) {
    if (!one->is_given) {
      ++one;
      continue;
    }
    post_.deleted(one->message);
    one = kept.erase(one);
  }
}

// By ICQ's way they stay until they are deleted; by the other one the server has given them away.
void OscarServer::give_kept(const GuestPtr& guest, const Snac& snac, const IcqPacket& request) {
  std::list<Kept>& kept = accounts_[guest->person].kept;
  if (request.type != IcqPacket::fetch_stored) {
    for (const Kept& one : std::exchange(kept, {})) give(guest, one.message, one.at);
    return answer(guest, snac, family::messages, 0x17, {});
  }
  IcqPacket reply = request;
  for (Kept& one : kept) {
    const std::time_t at = 1'795'000'000 + one.at / 1'000'000;
    std::tm date{};
    ::gmtime_r(&at, &date);
    Writer data;
    data.little32(static_cast<std::uint32_t>(std::stoul(name_of(one.message.from))));
    data.little16(static_cast<std::uint32_t>(date.tm_year + 1900)).u8(static_cast<std::uint32_t>(date.tm_mon + 1));
    data.u8(static_cast<std::uint32_t>(date.tm_mday)).u8(static_cast<std::uint32_t>(date.tm_hour));
    data.u8(static_cast<std::uint32_t>(date.tm_min)).u8(1).u8(0);
    const std::string text = one.message.charset == 2 ? oscar::from_utf16(one.message.octets) : one.message.octets;
    data.little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
    reply.type = IcqPacket::stored_message;
    reply.data = data.take();
    one.is_given = true;
    say(guest, family::icq, 0x03, oscar::write_icq(reply), snac.id);
    if (fails("cut_among_kept", 80)) return guest->peer->finish();
  }
  reply.type = IcqPacket::end_of_stored;
  reply.data = std::string(1, '\0');
  answer(guest, snac, family::icq, 0x03, oscar::write_icq(reply));
}

}  // namespace wherry::simulation
