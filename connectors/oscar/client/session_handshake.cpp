// How a session begins: step by step, each with its limit.
#include "connectors/oscar/client/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_roster_items = 10'000;

struct Spoken {
  std::uint16_t family, version;
};
// Version 3 of the first: with 4 the server tells of a session in several blocks.
constexpr std::array<Spoken, 10> spoken{
    {{0x01, 3}, {0x02, 1}, {0x03, 1}, {0x04, 1}, {0x09, 1}, {0x0A, 1}, {0x0B, 1}, {0x10, 1}, {0x13, 4}, {0x15, 1}}};
constexpr std::uint16_t tool = 0x0110, tool_version = 0x08E4;

// What this side can do: messages in UTF-16, messages between ICQ and AIM, typing. Whoever is told more sends more, and
// in other forms.
constexpr std::string_view capabilities(
    "\x09\x46\x13\x4E\x4C\x7F\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00"
    "\x09\x46\x13\x4D\x4C\x7F\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00"
    "\x56\x3F\xC8\x09\x0B\x6F\x41\xBD\x9F\x79\x42\x26\x09\xDF\xA2\xF3",
    48);

}  // namespace

void OscarSession::begin(Step step, Time now) {
  step_ = step;
  deadline_ = now + limits_.step;
}

void OscarSession::advance(const Snac& snac, Time now) {
  if (step_ == Step::families && snac.is(family::generic, 0x03)) {
    Reader in(snac.body);
    while (in.rest().size() >= 2) {
      const std::uint16_t service = in.u16();
      if (speaks(service)) families_.insert(service);
    }
    say_versions(now);
  } else if (step_ == Step::versions && snac.is(family::generic, 0x18)) {
    begin(Step::rates, now);
    tell(family::generic, 0x06, {}, now);
  } else if (step_ == Step::rates && snac.is(family::generic, 0x07)) {
    rates_.read(snac.body, now);
    say_limits(now);
  } else if (step_ == Step::roster && (snac.is(family::lists, 0x06) || snac.is(family::lists, 0x0F))) {
    take_roster(snac, now);
  } else if (step_ == Step::roster && snac.is(family::lists, 0x01) && snac.id == list_question_) {
    families_.erase(family::lists);  // out of order: messages go all the same
    say_ready(now);
  } else if (step_ == Step::last && last_question_ != 0 && snac.id == last_question_) {
    be_ready();
  } else if (snac.is(family::generic, 0x01)) {
    Reader in(snac.body);
    finish(Ended::Kind::broken, fmt::format("the server refuses the session with error {}", in.u16()));
  }
}

bool OscarSession::speaks(std::uint16_t family) const {
  // Icons have a connection of their own.
  if (service_ == 0 ? family == family::icons : family != family::generic && family != service_) return false;
  return std::any_of(spoken.begin(), spoken.end(), [&](const Spoken& one) { return one.family == family; });
}

void OscarSession::be_ready() {
  step_ = Step::ready;
  events_.emplace_back(Ready{});
  for (News& news : early_) events_.emplace_back(std::move(news));
  early_.clear();
  early_.shrink_to_fit();
}

void OscarSession::say_versions(Time now) {
  Writer versions;
  for (const Spoken& one : spoken) {
    if (offers(one.family)) versions.u16(one.family).u16(one.version);
  }
  begin(Step::versions, now);
  tell(family::generic, 0x17, versions.take(), now);
}

// Not every server answers all of these, and nothing depends on it.
void OscarSession::say_limits(Time now) {
  const auto classes = rates_.classes();
  if (!classes.empty()) {
    Writer known;
    for (const std::uint16_t id : classes) known.u16(id);
    tell(family::generic, 0x08, known.take(), now);
  }
  if (service_ != 0) return say_ready(now);
  tell(family::generic, 0x0E, {}, now);
  for (const std::uint16_t service : {family::locate, family::buddies, family::privacy, family::lists}) {
    if (offers(service)) tell(service, 0x02, {}, now);
  }
  if (!offers(family::lists)) return say_ready(now);
  begin(Step::roster, now);
  list_question_ = tell(family::lists, 0x04, {}, now);
}

void OscarSession::take_roster(const Snac& snac, Time now) {
  if (snac.subtype == 0x06) {
    Reader in(snac.body);
    in.u8();  // the version of the form
    const std::size_t count = in.u16();
    RosterChange part;
    part.items = read_items(in, std::min(count, most_roster_items - roster_items_));
    if (part.items.size() < count) is_roster_whole_ = false;
    roster_items_ += part.items.size();
    roster_.apply(part);
    if (snac.has_more()) return begin(Step::roster, now);
  }
  tell(family::lists, 0x07, {}, now);
  say_ready(now);
}

void OscarSession::say_ready(Time now) {
  if (service_ == 0) {
    Writer parameters;  // for all channels; typing too; the longest text, and whose messages
    parameters.u16(0).u32(0x0B).u16(8000).u16(999).u16(999).u32(0);
    tell(family::messages, 0x02, parameters.take(), now);
    tell(family::locate, 0x04, Writer().tlv(0x05, capabilities).take(), now);
    tell(family::generic, 0x1E, Writer().tlv32(0x06, status_).take(), now);
  }
  Writer families;
  for (const Spoken& one : spoken) {
    if (offers(one.family)) families.u16(one.family).u16(one.version).u16(tool).u16(tool_version);
  }
  tell(family::generic, 0x02, families.take(), now);
  if (service_ != 0) return be_ready();
  begin(Step::last, now);
  last_question_ = ask(family::messages, 0x04, {}, now);
}

}  // namespace wherry::oscar
