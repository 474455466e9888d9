#include "tests/simulation/oscar_server.hpp"

#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "tests/simulation/addresses.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <stdexcept>

namespace wherry::simulation {

using oscar::Channel;
using oscar::Reader;
using oscar::Snac;
using oscar::Writer;
namespace family = oscar::family;

namespace {

constexpr std::uint16_t wrong_password = 5, out_of_order = 0x14, too_fast_code = 0x1D;

}  // namespace

OscarServer::OscarServer(asio::io_context& loop, Recorder& recorder, OscarPost& post)
    : loop_(loop), recorder_(recorder), post_(post) {
  for (int i = 0; i < recorder.plan.contacts; ++i)
    accounts_[contact_name(i)].asks_first = draw().happens(300, "asks_first", static_cast<std::uint64_t>(i));
}

std::string OscarServer::name_of(const std::string& person) const { return address_of(recorder_.plan, person); }
std::string OscarServer::person_of(std::string_view name) const {
  return contact_at(recorder_.plan, oscar::plain_name(name));
}

bool OscarServer::fails(std::string_view purpose, int per_mille) {
  if (recorder_.is_healed()) return false;
  ++events_;
  return draw().happens(recorder_.plan.bad_luck, "unlucky", hash_of(purpose), events_) &&
         draw().happens(per_mille, purpose, events_);
}

void OscarServer::note(const std::string& text) const {
  recorder_.add(What::note, network_name(0), "", "", "", "the server " + text);
}

void OscarServer::later(Microseconds after, std::function<void()> then) {
  const auto timer = std::make_shared<asio::steady_timer>(loop_, std::chrono::microseconds(after));
  timer->async_wait([timer, then = std::move(then)](boost::system::error_code error) {
    if (!error) then();
  });
}

// ---- Connections ----

int OscarServer::dial(const std::string& host, std::uint16_t) {
  if (host == "nowhere" || fails("refuses", 150)) return -1;
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socketpair");
  const auto guest = std::make_shared<Guest>();
  guest->peer = std::make_shared<OscarPeer>(loop_, ends[0], ++connections_, recorder_);
  guests_.push_back(guest);
  OscarPeer::Events events;
  events.heard = [this, guest](const oscar::Frame& frame) { hear(guest, frame); };
  events.gone = [this, guest] { gone(guest); };
  guest->peer->start(std::move(events));
  if (fails("closes_at_once", 60)) guest->peer->finish();
  else if (fails("begins_with_garbage", 60)) say_garbage(guest);
  else if (!fails("says_no_hello", 60)) guest->peer->say(Channel::hello, Writer().u32(1).octets());
  return ends[1];
}

void OscarServer::gone(const GuestPtr& guest) {
  guests_.remove(guest);
  if (!guest->is_session) return;
  Account& account = accounts_[guest->person];
  if (account.session == guest) {
    account.session = nullptr;
    note(fmt::format("has no session of {} any more", guest->person));
  }
  for (Kept& kept : account.kept) kept.is_given = false;
}

void OscarServer::hear(const GuestPtr& guest, const oscar::Frame& frame) {
  if (frame.channel == Channel::hello) {
    Reader in(frame.data);
    in.u32();
    const auto tlvs = oscar::read_tlvs(in);
    if (const auto* cookie = oscar::find(tlvs, 0x06)) enter(guest, *cookie);
  } else if (frame.channel == Channel::close) {
    guest->peer->finish();
  } else if (frame.channel == Channel::data) {
    const auto snac = oscar::read_snac(frame.data);
    if (!snac) return recorder_.add(What::breach, "", guest->person, "", "", "a packet that cannot be read");
    if (guest->is_session) serve(guest, *snac);
    else log_in(guest, *snac);
  }
}

// ---- Logins ----

void OscarServer::log_in(const GuestPtr& guest, const Snac& snac) {
  Reader in(snac.body);
  const auto tlvs = oscar::read_tlvs(in);
  const auto* name = oscar::find(tlvs, 0x01);
  if (!name) return recorder_.add(What::breach, "", "", "", "", "a login without a name");
  guest->person = person_of(*name);
  if (snac.is(family::authorisation, 0x06)) {
    guest->challenge = fmt::format("challenge {}", ++events_);
    return answer(guest, snac, family::authorisation, 0x07, Writer().text16(guest->challenge).octets());
  }
  if (snac.is(family::authorisation, 0x02)) return give_verdict(guest, snac);
  recorder_.add(What::breach, "", guest->person, "", "", "a login in another way");
}

void OscarServer::give_verdict(const GuestPtr& guest, const Snac& snac) {
  Reader in(snac.body);
  const auto tlvs = oscar::read_tlvs(in);
  const auto* hash = oscar::find(tlvs, 0x25);
  const bool is_right = post_.is_known(guest->person) && hash &&
                        *hash == oscar::md5_answer(guest->challenge, recorder_.password_of(guest->person));
  Writer out;
  out.tlv(0x01, name_of(guest->person));
  if (!is_right) {
    out.tlv16(0x08, wrong_password);
  } else if (fails("is_out_of_order", 60)) {
    out.tlv16(0x08, fails("is_too_fast", 500) ? too_fast_code : out_of_order);
  } else {
    const std::string cookie = fmt::format("cookie {}", ++events_);
    tickets_[cookie] = guest->person;
    const char* host = fails("redirects_nowhere", 60)     ? "nowhere:5190"
                       : fails("redirects_to_nobody", 60) ? "[:0"
                                                          : "session";
    out.tlv(0x05, host).tlv(0x06, fails("gives_bad_ticket", 60) ? "no cookie" : cookie);
  }
  note(fmt::format("{} the login of {}", is_right ? "takes" : "refuses", guest->person));
  answer(guest, snac, family::authorisation, 0x03, out.octets());
  guest->peer->say(Channel::close, {});
  guest->peer->finish();
}

// ---- What breaks ----

void OscarServer::break_session(const std::string& user) {
  const GuestPtr guest = accounts_[user].session;
  std::erase_if(tickets_, [&](const auto& ticket) { return ticket.second == user; });
  if (guest) send_away(guest);
}

void OscarServer::send_away(const GuestPtr& guest) {
  const auto kind = draw().between(0, 5, "sends_away", ++events_);
  note(fmt::format("ends the session of {} in the way {}", guest->person, kind));
  if (kind == 0 || recorder_.is_healed()) return guest->peer->cut();
  if (kind == 1) guest->peer->say(Channel::close, {});
  if (kind == 2) {
    post_.sent_away(guest->person);
    guest->peer->say(Channel::close, Writer().tlv16(0x09, 1).octets());
  }
  if (kind == 3) say(guest, family::generic, 0x12, {});
  if (kind == 4) guest->peer->say(Channel::error, "oops");
  guest->peer->finish();
}

void OscarServer::break_all() {
  for (const GuestPtr& guest : std::list<GuestPtr>(guests_)) guest->peer->cut();
}

void OscarServer::process_died() {
  ++lives_;
  for (const GuestPtr& guest : std::list<GuestPtr>(guests_)) guest->peer->orphan();
}

std::vector<OscarMessage> OscarServer::waiting() const {
  std::vector<OscarMessage> all;
  for (const auto& [person, account] : accounts_) {
    for (const Kept& kept : account.kept) all.push_back(kept.message);
  }
  return all;
}

}  // namespace wherry::simulation
