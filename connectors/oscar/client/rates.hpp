// How fast packets may be sent (01/07, 01/0A): the server's own formula, kept on our side, so that nothing is sent that
// it would drop. Pure.
#pragma once

#include "connectors/oscar/client/wire.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace wherry::oscar {

class Rates {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The body of 01/07. False where it cannot be read: then there are no limits.
  bool read(std::string_view body, Time now);
  // The body of 01/0A.
  void change(std::string_view body, Time now);
  std::vector<std::uint16_t> classes() const;

  // The class of a packet; 0: none, it may be sent at any time.
  std::uint16_t class_of(std::uint16_t family, std::uint16_t subtype) const;
  // When a packet of that class may be sent: now, or later.
  Time when(std::uint16_t rate_class, Time now) const;
  // When one may be sent that leaves room for `others` at once; where there is never so much room, when all of it is
  // free.
  Time when_spare(std::uint16_t rate_class, int others, Time now) const;
  void sent(std::uint16_t rate_class, Time now);

 private:
  struct Class {
    std::uint32_t window = 1, clear = 0, alert = 0, limit = 0, disconnect = 0, most = 0;
    double level = 0;
    Time last{};
    bool is_limited = false;  // the server says that it drops
    double goal() const;      // the level that a packet must leave
  };
  static bool read_class(Reader& in, std::uint16_t& id, Class& one, Time now);
  static double level_after(const Class& one, Time now);
  static Time when_leaves(const Class& one, double goal, Time now);

  std::map<std::uint16_t, Class> classes_;
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint16_t> members_;
};

}  // namespace wherry::oscar
