// When the link to the XMPP server is tried again: pure, but for the random numbers it is given.
#pragma once

#include "gateway/base/backoff.hpp"

#include <string_view>

namespace wherry::xmpp {

// How an attempt at a link ended.
enum class LinkEnd {
  refused,  // nothing listens there: a server that restarts
  failed,   // no link came of it for another reason
  cut,      // it was up
};

class Reconnect {
 public:
  Reconnect(base::BackoffPolicy policy, std::uint64_t seed);

  // The pause before the next attempt. `condition` is of the stream error that ended the last one, or ""; `up` is how
  // long it was up.
  std::chrono::milliseconds after(LinkEnd end, std::string_view condition, std::chrono::steady_clock::duration up);

 private:
  base::Backoff listening_;  // of a port that refuses: even, so that its opening is seen within a second
  base::Backoff failing_, cutting_;
};

}  // namespace wherry::xmpp
