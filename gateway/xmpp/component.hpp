// The link to the XMPP server (XEP-0114 v1.6): connects, shakes hands, reads, writes, comes back.
//
// XEP-0114 acknowledges nothing, so the link proves by a double ping what the server has taken (DECISIONS.md 3): a
// stanza is confirmed when a ping that was sent after the answer to a ping that was sent after the stanza is answered.
#pragma once

#include "gateway/base/log_limit.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/reconnect.hpp"
#include "gateway/xmpp/stanza.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace wherry::xmpp {

struct ComponentConfig {
  std::string host;  // of the server's component listener
  std::uint16_t port = 5347;
  Jid domain;  // ours: a bare domain
  // whom the pings go to: a domain of the server's own; on the next connection at a resource of it, where a ping went
  // unanswered
  Jid server;
  base::Secret secret;
  StreamLimits limits{};
  std::chrono::seconds connect_limit{10};
  std::chrono::seconds idle_before_ping{30};  // nothing received for so long: ask whether the link lives
  std::chrono::seconds ping_limit{20};        // no answer for so long: it is dead
  // how long a barrier's ping waits for more stanzas to cover, and for the server to give them to its clients
  std::chrono::milliseconds barrier_delay{100};
  std::size_t most_unsent_bytes = 4 << 20;  // beyond it can_send() is false, and reading pauses
  // Of what is tracked, sent and not confirmed: beyond it can_send_tracked() is false. A ping waits behind all of it,
  // so after one that was not answered in time it is halved, down to the least, and after quick answers doubled again.
  std::size_t most_unconfirmed_bytes = 1 << 20, least_unconfirmed_bytes = 16 << 10;
  // of what may be dropped, on its way and not yet proven to be with the server
  std::size_t most_volatile_bytes = 64 << 10;
  base::BackoffPolicy backoff{};
};

// Counts the stanzas sent over one connection; starts again at 1 with each.
using Sequence = std::uint64_t;

struct ComponentEvents {
  std::function<void(Stanza)> received;
  std::function<void()> connected;          // shaken hands: send what is waiting
  std::function<void()> disconnected;       // everything not confirmed must be sent again
  std::function<void(Sequence)> confirmed;  // everything up to and including this is with the server
  std::function<void()> writable;           // can_send() or one of its kinds has become true again
  // An attempt to connect failed: why, and what to do. `may_pass`: the configuration may be right.
  std::function<void(std::string why, bool may_pass)> refused{};
};

// Opens the connection the link runs over, or throws; is cancelled when the connect limit is over.
using Dial = std::function<asio::awaitable<asio::ip::tcp::socket>(std::string host, std::uint16_t port)>;

class Component {
 public:
  Component(asio::any_io_executor executor, ComponentConfig config, Dial dial, ComponentEvents events);
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  // Connects and reconnects until cancelled or closed; never throws for what the peer does.
  asio::awaitable<void> run();
  // Writes what is queued, ends the stream, and reads on until the server has ended it, too: all within `grace`. run()
  // then ends.
  asio::awaitable<void> close(std::chrono::milliseconds grace);

  bool is_connected() const { return connected_; }
  std::size_t unsent_bytes() const { return out_.size(); }
  bool can_send() const { return connected_ && !closing_ && out_.size() < config_.most_unsent_bytes; }

  // The same for what is tracked.
  bool can_send_tracked() const { return can_send() && !is_tracked_full(); }

  // What may be dropped waits behind all else, and only so much of it is on its way that it delays nothing: beyond
  // that, a ping must first prove that the server has worked it off.
  bool can_send_volatile() const {
    return can_send() && out_.size() < config_.most_volatile_bytes && !is_volatile_full();
  }

  // Queues a stanza for the next write; what is sent in one turn of the loop goes in one write. A stanza that has no
  // `to`, whose `from` is not of our domain, or that is too large would end the stream for everybody: it is logged as
  // stanza.withheld, and nothing is returned; in place of an iq's result that is too large an error goes. 0: the link
  // is down, or far too much presence waits already. With Track::yes `confirmed` will be told of it.
  enum class Track { no, yes };
  std::optional<Sequence> send(const Element& stanza, Track track = Track::no);
  // The same for what may be dropped; it is dropped unless can_send_volatile(). Whether it was taken.
  bool send_volatile(const Element& stanza);

  const ComponentConfig& config() const { return config_; }

 private:
  struct Point {  // of what was sent over this connection
    Sequence stanza = 0;
    std::uint64_t bytes = 0;  // tracked ones
  };
  struct Ping {  // the one ping on its way
    std::string id, to;
    Point covers;                      // sent before it
    Point proves;                      // covered by an answer that came before it was sent
    std::uint64_t volatile_bytes = 0;  // sent before it
    std::chrono::steady_clock::time_point at;
  };

  asio::awaitable<void> connect_once();
  asio::awaitable<void> shake_hands();
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> ended();
  asio::awaitable<void> watch();
  asio::awaitable<void> await_answer();
  asio::awaitable<void> await_pong();
  void tell_writable();
  void send_ping();
  void accept(StreamItem item);
  void take(Element element);
  void decline(StanzaRefused refused);
  void answer_error(const Element& element, const StanzaError& error);
  void accept_handshake(const Element& element);
  bool accept_pong(const Element& element);
  bool is_safe(const Element& stanza) const;
  bool is_tracked_full() const { return sent_.bytes - confirmed_.bytes >= window_; }
  bool is_volatile_full() const { return volatile_sent_ - volatile_taken_ >= config_.most_volatile_bytes; }
  void went_down();

  asio::any_io_executor executor_;
  ComponentConfig config_;
  Dial dial_;
  ComponentEvents events_;
  Reconnect reconnect_;

  asio::ip::tcp::socket socket_;
  std::unique_ptr<StreamParser> parser_;
  std::string out_;  // queued, not yet given to the socket
  base::Signal out_filled_, out_drained_, barrier_wanted_, answered_;
  bool connected_ = false;  // shaken hands
  bool writing_ = false;    // what was queued before out_ is with the socket, not all of it taken
  bool closing_ = false;
  Point sent_, covered_, confirmed_;
  Sequence tracked_ = 0;
  std::size_t window_;                                    // of unconfirmed bytes; kept over connections
  std::uint64_t written_ = 0;                             // bytes that the socket took
  bool drops_presence_ = false;                           // on this connection some was, so it is in the log
  std::uint64_t volatile_sent_ = 0, volatile_taken_ = 0;  // bytes; the second: proven by one ping, which is enough here
  std::optional<Ping> ping_;
  std::uint64_t next_ping_ = 1;
  std::string ping_prefix_;
  bool pings_resource_ = false;
  base::LogLimit not_ours_ = base::LogLimit::of_stanzas(), refused_ = base::LogLimit::of_stanzas(),
                 invalid_ = base::LogLimit::of_stanzas();
  std::chrono::steady_clock::time_point last_received_{}, up_since_{};
};

}  // namespace wherry::xmpp
