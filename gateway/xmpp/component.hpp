// The link to the XMPP server (XEP-0114 v1.6): connects, shakes hands, reads, writes, comes back.
//
// XEP-0114 acknowledges nothing, so the link proves by a double ping what the server has taken (DECISIONS.md 3): a
// stanza is confirmed when a ping that was sent after the answer to a ping that was sent after the stanza is answered.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/stanza.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace wherry::xmpp {

struct ComponentConfig {
  std::string host;  // of the server's component listener
  std::uint16_t port = 5347;
  Jid domain;        // ours: a bare domain
  base::Secret secret;
  StreamLimits limits;
  std::chrono::seconds connect_limit{10};
  std::chrono::seconds idle_before_ping{30};  // nothing received for so long: ask whether it lives
  std::chrono::seconds ping_limit{20};        // no answer for so long: dead
  std::chrono::milliseconds barrier_delay{20};  // how long a barrier ping waits for more stanzas to cover
  std::size_t most_unsent_bytes = 8 << 20;    // then can_send() is false
  base::BackoffPolicy backoff;
};

// Counts the stanzas sent over one connection; starts again at 1 with each.
using Sequence = std::uint64_t;

struct ComponentEvents {
  std::function<void(Stanza)> received;
  std::function<void()> connected;            // shaken hands: send what is waiting
  std::function<void()> disconnected;         // everything not confirmed must be sent again
  std::function<void(Sequence)> confirmed;    // everything up to and including this is with the server
  std::function<void()> writable;             // can_send() has become true again
};

class Component {
 public:
  Component(asio::any_io_executor executor, ComponentConfig config, ComponentEvents events);

  // Connects and reconnects until cancelled; never throws for what the peer does.
  asio::awaitable<void> run();
  // Flushes what is written (at most `grace`), closes the stream and the socket. run() then ends.
  asio::awaitable<void> close(std::chrono::milliseconds grace);

  bool is_connected() const;
  // Whether send() may be called: connected, and the peer reads.
  bool can_send() const;

  // Queues one stanza for the next write; all that is sent in one turn of the loop goes in one write. A stanza whose
  // `from` is not of our domain, or that lacks `to`, is not sent but logged as stanza.withheld: it would end the stream
  // for everybody. Returns 0 then, and when not connected. `track`: its confirmation matters (else no barrier is made for it).
  enum class Track { no, yes };
  Sequence send(const Element& stanza, Track track = Track::no);

  const ComponentConfig& config() const { return config_; }

 private:
  ComponentConfig config_;
  ComponentEvents events_;
  // the rest is in component.cpp's State
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace wherry::xmpp
