#include "gateway/xmpp/reconnect.hpp"

#include <algorithm>

namespace wherry::xmpp {

namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds healthy_after{10};  // a link that lasted so long starts the back-off anew
// COMPAT(ejabberd 23.01): what users send before it has noticed the end of the old stream goes to that one, and is
// lost.
constexpr milliseconds least_after_cut{250};
constexpr std::chrono::seconds most_after_cut{10};  // however often: what takes a connection is there, and users wait

// What only a person can mend is not asked again every second; a conflict ends when the old connection has timed out.
milliseconds least_after(std::string_view condition) {
  if (condition == "host-unknown" || condition == "not-authorized") return std::chrono::seconds(10);
  if (condition == "conflict") return std::chrono::seconds(2);
  return milliseconds(0);
}

}  // namespace

Reconnect::Reconnect(base::BackoffPolicy policy, std::uint64_t seed)
    : listening_({.first = milliseconds(700), .most = milliseconds(700), .jitter = 0.25}, seed),
      failing_(policy, seed),
      cutting_(policy, seed) {
  listening_.next();  // these two begin with a pause
  failing_.next();
}

milliseconds Reconnect::after(LinkEnd end, std::string_view condition, std::chrono::steady_clock::duration up) {
  const milliseconds least = least_after(condition);
  switch (end) {
    case LinkEnd::refused: return listening_.next();
    case LinkEnd::failed: return failing_.next_at_least(std::max(least, milliseconds(500)));
    case LinkEnd::cut: break;
  }
  failing_.reset();
  failing_.next();
  if (up >= healthy_after) cutting_.reset();
  return std::max({least, least_after_cut, std::min<milliseconds>(cutting_.next(), most_after_cut)});
}

}  // namespace wherry::xmpp
