// What an ICQ or AIM server sends, at the login and in the session: cut or whole it is answered alike, and every
// message becomes a text.
#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/client/services/icon.hpp"
#include "connectors/oscar/client/session.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/people.hpp"
#include "connectors/oscar/convert/status.hpp"
#include "connectors/oscar/convert/text.hpp"
#include "gateway/base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry;
using namespace wherry::oscar;

namespace {

constexpr Machine::Time now{};

LoginRequest request() {
  LoginRequest made;
  made.name = "100001";
  made.password = base::Secret("secret01");
  return made;
}

std::string step(std::uint16_t family, std::uint16_t subtype, std::string_view body, std::uint32_t id = 0) {
  Snac snac;
  snac.family = family;
  snac.subtype = subtype;
  snac.id = id;
  snac.body = body;
  return Flap().frame(Channel::data, write_snac(snac));
}

// Logged in as far as the input wants.
void begin(OscarSession& session, unsigned steps) {
  if (steps > 0) session.feed(Flap().frame(Channel::hello, std::string_view("\0\0\0\1", 4)), now);
  if (steps > 1) session.feed(step(1, 0x03, std::string_view("\0\1\0\2\0\3\0\4\0\x13\0\x15", 12)), now);
  if (steps > 2) session.feed(step(1, 0x18, ""), now);
  if (steps > 3) session.feed(step(1, 0x07, std::string_view("\0\0", 2)), now);
  if (steps > 4) session.feed(step(0x13, 0x06, std::string_view("\0\0\0\0\0\0\0", 7)), now);
  (void)session.take_output();
  (void)session.take_events();
}

void read(const News& news) {
  if (const auto* message = std::get_if<IncomingMessage>(&news)) {
    HOLDS(base::is_utf8(text_of(*message, "windows-1251")));
    HOLDS(base::is_utf8(reason_of(*message, "windows-1251")));
    HOLDS(!id_of(*message).empty());
    HOLDS(base::is_utf8(id_of(*message)));
  } else if (const auto* arrived = std::get_if<Arrived>(&news)) {
    for (const UserInfo& user : arrived->users) (void)to_availability(user);
  } else if (const auto* packet = std::get_if<IcqPacket>(&news)) {
    Reader in(packet->data);
    const auto stored = read_stored_message(in);
    if (stored) HOLDS(base::is_utf8(text_of(*stored, "windows-1251")));
    IcqDetails details;
    read_details(*packet, details);
    (void)ends_answer(*packet);
    for (const auto& [key, text] : to_profile(details, "windows-1251").details) HOLDS(base::is_utf8(text));
    for (const FoundUser& user : read_found(*packet)) HOLDS(base::is_utf8(to_listed(user, "windows-1251").name));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t length = input.byte() + std::size_t{1};
  const unsigned steps = input.byte() % 6U;
  const std::string_view octets = input.rest();

  (void)read_icon(octets);
  Login login(request(), now);
  login.feed(octets, now);
  login.closed();
  HOLDS(login.ended());

  OscarSession whole("cookie", 0, plain_name, SessionLimits{}, now), cut("cookie", 0, plain_name, SessionLimits{}, now);
  begin(whole, steps);
  begin(cut, steps);
  whole.feed(octets, now);
  for (std::size_t i = 0; i < octets.size(); i += length) cut.feed(octets.substr(i, length), now);
  HOLDS(whole.ended() == cut.ended());
  HOLDS(whole.take_output() == cut.take_output());
  const auto events = whole.take_events();
  HOLDS(events.size() == cut.take_events().size());
  for (const auto& event : events) {
    if (const auto* news = std::get_if<News>(&event)) read(*news);
  }
  for (const RosterContact& contact : whole.roster().contacts()) {
    (void)whole.roster().to_remove(contact.name);
    HOLDS(whole.roster().to_add(contact.name, false).empty());
  }
  return 0;
}
