// A notification session, fed by hand.
#pragma once

#include "connectors/msn/client/notification.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::tests {

using namespace std::chrono_literals;
using msn::Time;

inline const Time begin = Time() + 1h;

// The machine, and what a server would read of it and say to it.
struct Talk {
  msn::Notification machine{"romeo@x.test", begin};
  Time now = begin;
  std::vector<msn::NotificationEvent> events;

  std::string sent() { return machine.protocol().take_output(); }
  void says(std::string_view bytes) {
    machine.feed(bytes, now);
    collect();
  }
  void passes(Time::duration time) {
    now += time;
    machine.tick(now);
    collect();
  }
  void collect() {
    for (auto& event : machine.take_events()) events.push_back(std::move(event));
  }
  template <class E>
  std::vector<E> all() const {
    std::vector<E> found;
    for (const auto& event : events) {
      if (const auto* it = std::get_if<E>(&event)) found.push_back(*it);
    }
    return found;
  }
  void to_ticket() {
    says("VER 1 MSNP12\r\nCVR 2 7.5.0324 7.5.0324 7.5.0324 u u\r\nUSR 3 TWN S ct=1,rver=1\r\n");
    sent();
  }
  void sign_in(std::string_view list = "SYN 5 0 0 0 0\r\nGTC A\r\nBLP AL\r\n") {
    to_ticket();
    machine.give_ticket("t=abc", now);
    says("USR 4 OK romeo@x.test 1 0\r\nSBS 0 null\r\nMSG Hotmail Hotmail 2\r\n\r\n");
    says(list);
    sent();
  }
  bool ended_as(msn::End end) const { return machine.protocol().ended() && machine.protocol().how_ended() == end; }
};

}  // namespace wherry::tests
