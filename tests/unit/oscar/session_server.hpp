// The server's side of a session, said by hand: for tests of the machine alone.
#pragma once

#include "connectors/oscar/client/session.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "tests/unit/oscar/octets.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace wherry::tests {

using namespace wherry::oscar;

// The server's side, said by hand.
struct SessionServer {
  Machine::Time now{std::chrono::seconds(1000)};
  Flap server, client;
  OscarSession session{"cookie", 0, plain_name, SessionLimits{}, now};
  std::vector<Snac> heard;

  void say(Channel channel, std::string_view data) { session.feed(server.frame(channel, data), now); }
  void say(std::uint16_t family, std::uint16_t subtype, std::string_view body, std::uint32_t id = 0,
           std::uint16_t flags = 0) {
    say(Channel::data, snac(family, subtype, body, id, flags));
  }
  // What was said since, as "01/17 13/04"; the packets stay in `heard`.
  std::string listen() {
    client.feed(session.take_output());
    std::string all;
    heard.clear();
    while (const auto frame = client.next()) {
      if (frame->channel != Channel::data) {
        all += "ch" + std::to_string(static_cast<int>(frame->channel)) + " ";
        continue;
      }
      heard.push_back(read_snac(frame->data).value());
      all += base::to_hex(octets_of(heard.back())) + " ";
    }
    if (!all.empty()) all.pop_back();
    return all;
  }
  static std::string octets_of(const Snac& packet) { return Writer().u8(packet.family).u8(packet.subtype).take(); }
  const Snac& last(std::uint16_t family, std::uint16_t subtype) {
    for (auto packet = heard.rbegin(); packet != heard.rend(); ++packet) {
      if (packet->is(family, subtype)) return *packet;
    }
    throw std::runtime_error("it has not said that");
  }
  std::string events() {
    std::string all;
    for (const auto& event : session.take_events()) {
      if (std::holds_alternative<Ready>(event)) all += "ready; ";
      if (const auto* a = std::get_if<Answer>(&event))
        all += (a->is_presumed ? "presumed " : "answer ") + std::to_string(a->id) + "; ";
      if (const auto* u = std::get_if<Unanswered>(&event))
        all += (u->was_sent ? "unanswered " : "unsent ") + std::to_string(u->id) + "; ";
      if (const auto* n = std::get_if<News>(&event)) all += "news " + std::to_string(n->index()) + "; ";
      if (const auto* e = std::get_if<Ended>(&event)) all += "ended: " + e->reason + "; ";
    }
    return all;
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    session.tick(now);
  }

  void to_rates() {
    say(Channel::hello, octets("00000001"));
    say(1, 0x03, octets("0001 0002 0003 0004 0009 0013 0015 7777"));
    say(1, 0x18, octets("0001 0003"));
  }
  // `rates`: the body of 01/07.
  void to_roster(std::string_view rates = std::string_view("\0\0", 2)) {
    to_rates();
    say(1, 0x07, rates);
  }
  void log_in(std::string_view rates = std::string_view("\0\0", 2)) {
    to_roster(rates);
    say(0x13, 0x06, octets("00 0000 00000000"));
    listen();
    say(4, 0x05, "", last(4, 0x04).id);
    events();
  }
};

inline OutgoingMessage message_to_send(const char* cookie = "cookie01") {
  OutgoingMessage made;
  made.cookie = cookie;
  made.to = "100002";
  made.text.octets = "hello";
  return made;
}

inline std::string acknowledgement(const char* cookie = "cookie01") {
  return Writer().raw(cookie).u16(1).text8("100002").take();
}

// One class with the messages in it: bursts of three, then one in five seconds.
inline std::string slow_rates() {
  Writer out;
  out.u16(1).u16(3).u32(20).u32(5100).u32(5000).u32(4000).u32(3000).u32(6000).u32(6000).u32(0).u8(0);
  out.u16(3).u16(1).u16(4).u16(6);
  return out.take();
}

}  // namespace wherry::tests
