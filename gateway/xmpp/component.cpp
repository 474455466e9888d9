#include "gateway/xmpp/component.hpp"

#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/write.hpp>

#include <array>

namespace wherry::xmpp {

namespace {

// Presence outside of send_volatile() answers somebody. It is bounded, too: so many times as much unsent as stops the
// reading.
constexpr std::size_t most_unsent_presence = 4;
constexpr std::size_t most_piece_bytes = 64 << 10;  // given to the socket at once
// of one stanza: Prosody ends the stream of a component that sends 512 KiB
constexpr std::size_t most_sent_bytes = 500 << 10;

// The server ended the stream, or what it sent is no stream (RFC 6120 §4.9).
struct StreamError : std::runtime_error {
  StreamError(std::string c, const std::string& text)
      : std::runtime_error(c + (text.empty() ? "" : ": " + text)), condition(std::move(c)) {}
  std::string condition;
};

constexpr std::string_view no_answer = "no answer";  // in place of a condition

std::string_view advice(std::string_view condition, LinkEnd end) {
  if (end == LinkEnd::refused)
    return "nobody listens there: let the server listen for components, and compare its port and address with ours";
  if (condition == "host-unknown")
    return "the server has no component of this name: add it to the server's configuration";
  if (condition == "not-authorized") return "the secret differs from the server's: make both the same";
  if (condition == "conflict")
    return "another connection holds this component: an older one that is not yet dead, or a second wherry";
  if (condition == "invalid-namespace") return "this is not the server's component port";
  if (condition == no_answer) return "nothing that a component port says came in time: is this one?";
  return "";
}

// XEP-0114 §3: lower-case hexadecimal SHA-1 of the stream's id and the secret.
std::string handshake_of(std::string_view stream_id, const base::Secret& secret) {
  std::string plain(stream_id);
  plain += secret.reveal();
  return base::to_hex(base::sha1(plain));
}

// RFC 6120 §8.2.3: an iq is answered, if not with what was asked for.
Element too_large_instead_of(const Element& result) {
  Element answer("iq", ns::component);
  for (const char* name : {"from", "to", "id"}) answer.set(name, result.attribute(name));
  answer.set("type", "error")
      .add(error_element({"cancel", "resource-constraint", "The answer would be larger than servers take."}));
  return answer;
}

std::string_view domain_of(std::string_view address) {
  const auto slash = address.find('/');
  address = address.substr(0, slash);
  const auto at = address.find('@');
  return at == std::string_view::npos ? address : address.substr(at + 1);
}

}  // namespace

Component::Component(asio::any_io_executor executor, ComponentConfig config, Dial dial, ComponentEvents events)
    : executor_(executor),
      config_(std::move(config)),
      dial_(std::move(dial)),
      events_(std::move(events)),
      reconnect_(config_.backoff, base::random_number()),
      socket_(executor),
      out_filled_(executor),
      out_drained_(executor),
      barrier_wanted_(executor),
      answered_(executor),
      window_(config_.most_unconfirmed_bytes),
      ping_prefix_("wherry-" + base::random_hex(4) + "-") {}

asio::awaitable<void> Component::run() {
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  while (!closing_) {
    std::string error, condition;
    LinkEnd end = LinkEnd::failed;
    try {
      co_await connect_once();
    } catch (const std::exception& e) {
      error = e.what();
      if (const auto* stream = dynamic_cast<const StreamError*>(&e)) condition = stream->condition;
      if (dynamic_cast<const base::TimedOut*>(&e)) condition = no_answer;
      const auto* system = dynamic_cast<const boost::system::system_error*>(&e);
      if (system && system->code() == asio::error::connection_refused) end = LinkEnd::refused;
    }
    const bool was_up = connected_;
    went_down();
    // Whatever broke just then, this was its end anyway.
    if (closing_ || cancellation.cancelled() != asio::cancellation_type::none) co_return;
    if (was_up) end = LinkEnd::cut;
    const std::string_view what_to_do = was_up ? advice(condition, LinkEnd::cut) : advice(condition, end);
    log::warn(was_up ? "component.disconnected" : "component.refused", {{"domain", config_.domain.str()},
                                                                        {"host", config_.host},
                                                                        {"port", config_.port},
                                                                        {"error", error},
                                                                        {"advice", what_to_do}});
    const bool may_pass = condition.empty() || condition == no_answer || condition == "conflict";
    if (!was_up && events_.refused)
      events_.refused(error + (what_to_do.empty() ? "" : ": ") + std::string(what_to_do), may_pass);
    const auto pause = reconnect_.after(end, condition, std::chrono::steady_clock::now() - up_since_);
    if (pause.count() > 0) co_await base::sleep(pause);
  }
}

void Component::went_down() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  const bool was_up = connected_;
  connected_ = writing_ = false;
  out_.clear();
  ping_.reset();
  out_drained_.notify();
  if (was_up && events_.disconnected) events_.disconnected();
}

asio::awaitable<void> Component::connect_once() {
  out_.clear();
  sent_ = covered_ = confirmed_ = Point();
  tracked_ = 0;
  volatile_sent_ = volatile_taken_ = 0;
  drops_presence_ = false;
  co_await base::within(config_.connect_limit, shake_hands());
  log::info("component.connected", {{"domain", config_.domain.str()}, {"host", config_.host}, {"port", config_.port}});
  if (events_.connected) events_.connected();
  co_await base::together(read(), base::together(write(), watch()));
}

asio::awaitable<void> Component::shake_hands() {
  socket_ = co_await dial_(config_.host, config_.port);
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);

  parser_ = std::make_unique<StreamParser>(ns::component, config_.limits);
  const std::string header = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='" +
                             std::string(ns::streams) + "' to='" + config_.domain.str() + "'>";
  co_await asio::async_write(socket_, asio::buffer(header), asio::use_awaitable);
  std::array<char, 4096> buffer;
  const auto space = asio::buffer(buffer);
  while (!connected_) {
    const std::size_t size = co_await socket_.async_read_some(space, asio::use_awaitable);
    for (StreamItem& item : parser_->feed({buffer.data(), size})) {
      if (const auto* opened = std::get_if<StreamOpened>(&item)) {
        out_ = "<handshake>" + handshake_of(opened->id, config_.secret) + "</handshake>";
      } else {
        accept(std::move(item));
      }
    }
    if (!out_.empty()) {
      const std::string handshake = std::move(out_);
      out_.clear();
      co_await asio::async_write(socket_, asio::buffer(handshake), asio::use_awaitable);
    }
  }
}

asio::awaitable<void> Component::read() {
  std::vector<char> buffer(64 << 10);
  const auto space = asio::buffer(buffer);
  for (;;) {
    // A server that does not read is not read from either: answers to what it sends would only pile up.
    while (out_.size() >= config_.most_unsent_bytes) co_await out_drained_.wait();
    const std::size_t size = co_await socket_.async_read_some(space, asio::use_awaitable);
    last_received_ = std::chrono::steady_clock::now();
    for (StreamItem& item : parser_->feed({buffer.data(), size})) accept(std::move(item));
  }
}

void Component::accept(StreamItem item) {
  if (auto* element = std::get_if<Element>(&item)) {
    if (element->is("error", ns::streams)) {
      const Element* condition = element->child_of(ns::stream_errors);
      throw StreamError(condition ? condition->name() : "undefined-condition",
                        std::string(element->child_text("text", ns::stream_errors)));
    }
    if (!connected_) return accept_handshake(*element);
    if (ping_ && accept_pong(*element)) return;
    return take(std::move(*element));
  }
  if (auto* refused = std::get_if<StanzaRefused>(&item)) return decline(std::move(*refused));
  if (const auto* broken = std::get_if<StreamBroken>(&item)) {
    // RFC 6120 §4.9.1.1: the other side is told why.
    boost::system::error_code ignored;
    const std::string farewell =
        "<stream:error><" + broken->condition + " xmlns='" + ns::stream_errors + "'/></stream:error></stream:stream>";
    socket_.non_blocking(true, ignored);
    socket_.write_some(asio::buffer(farewell), ignored);
    throw StreamError(broken->condition, broken->text);
  }
  if (std::holds_alternative<StreamClosed>(item)) throw StreamError("closed", "the server closed the stream");
}

void Component::take(Element element) {
  auto stanza = to_stanza(std::move(element));
  if (!stanza) return answer_error(element, {"modify", "jid-malformed", "This is no address."});
  // No answer may come from an address that is not ours (XEP-0114 §3), so nothing is done for one either.
  if (stanza->to.domain() == config_.domain.domain()) return events_.received(std::move(*stanza));
  not_ours_.write(log::Level::warn, "stanza.not_ours",
                  {{"domain", config_.domain.str()}, {"name", stanza->element.name()}});
}

// A stranger's stanza that is too much or damaged is that stranger's to hear of, and no reason to end everybody's
// stream.
void Component::decline(StanzaRefused refused) {
  refused_.write(log::Level::warn, "stanza.refused",
                 {{"domain", config_.domain.str()}, {"name", refused.head.name()}, {"reason", refused.text}});
  const char* what = refused.condition == "policy-violation" ? "This is more than the gateway takes. "
                                                             : "The XML of this cannot be read. ";
  answer_error(refused.head, {"modify", refused.condition, what + refused.text});
}

// To a stanza that goes no further. From the gateway itself where the stanza's `to` is no address of ours.
void Component::answer_error(const Element& element, const StanzaError& error) {
  const auto to = Jid::parse(element.attribute("to"));
  const bool ours = to && to->domain() == config_.domain.domain();
  Element head(element.name(), element.ns());
  for (const char* name : {"from", "id", "type"}) head.set(name, element.attribute(name));
  const auto stanza = to_stanza(std::move(head.set("to", ours ? to->str() : config_.domain.str())));
  if (!stanza)
    return invalid_.write(log::Level::warn, "stanza.invalid",
                          {{"domain", config_.domain.str()}, {"reason", "no stanza, or its from is no JID"}});
  // RFC 6120 §8.3.1: never an error about an error.
  if (stanza->type() != "error" && stanza->type() != "result") send(error_reply(*stanza, error));
}

void Component::accept_handshake(const Element& element) {
  if (!element.is("handshake", ns::component)) return;
  connected_ = true;
  up_since_ = last_received_ = std::chrono::steady_clock::now();
}

asio::awaitable<void> Component::write() {
  std::string writing;
  for (;;) {
    while (out_.empty()) co_await out_filled_.wait();
    writing.clear();
    writing.swap(out_);
    writing_ = true;
    // by pieces, so that a server that reads slowly is seen to read
    for (std::string_view left = writing; !left.empty();) {
      const std::string_view piece = left.substr(0, most_piece_bytes);
      co_await asio::async_write(socket_, asio::buffer(piece), asio::use_awaitable);
      left.remove_prefix(piece.size());
      written_ += piece.size();
    }
    writing_ = false;
    if (writing.capacity() > (1 << 20)) writing = std::string();  // one burst must not cost memory for ever
    const bool was_full = writing.size() >= config_.most_unsent_bytes;
    const bool was_full_for_volatile = writing.size() >= config_.most_volatile_bytes;
    out_drained_.notify();
    if ((was_full && can_send()) || (was_full_for_volatile && can_send_volatile())) tell_writable();
  }
}

void Component::tell_writable() {
  if (events_.writable) events_.writable();
}

// Sends the barrier's pings, and one now and then on an idle link; a ping without an answer ends the connection.
asio::awaitable<void> Component::watch() {
  for (;;) {
    if (confirmed_.stanza < tracked_ || is_volatile_full()) {
      co_await base::sleep(config_.barrier_delay);  // also behind a full window: on ejabberd it is part of the proof
    } else {
      const auto idle = std::chrono::steady_clock::now() - last_received_;
      if (idle < config_.idle_before_ping) {
        try {
          co_await base::within(config_.idle_before_ping - idle, barrier_wanted_.wait());
        } catch (const base::TimedOut&) {}
        continue;
      }
    }
    send_ping();
    co_await await_pong();
  }
}

// As long as the server reads, the ping may still be on its way to it.
asio::awaitable<void> Component::await_pong() {
  for (std::uint64_t before = written_; ping_; before = written_) {
    try {
      co_await base::within(config_.ping_limit, await_answer());
    } catch (const base::TimedOut&) {
      if (written_ != before) continue;
      pings_resource_ = !pings_resource_;
      window_ = std::max(config_.least_unconfirmed_bytes, window_ / 2);
      throw StreamError("connection-timeout", config_.server.str() + " did not answer a ping");
    }
  }
}

asio::awaitable<void> Component::await_answer() {
  while (ping_) co_await answered_.wait();
}

void Component::send_ping() {
  Ping ping;
  ping.id = ping_prefix_ + std::to_string(next_ping_++);
  ping.covers = sent_;
  ping.proves = covered_;
  ping.volatile_bytes = volatile_sent_;
  ping.at = std::chrono::steady_clock::now();
  Element iq = make_stanza(Kind::iq, config_.domain, config_.server, "get", ping.id);
  // COMPAT(ejabberd 24.10 to 26.07): with mod_privilege, which grants this component nothing, it drops an iq to a bare
  // address without an answer. To any other address it answers with an error, which is as good.
  if (pings_resource_) iq.set("to", config_.server.str() + "/wherry");
  iq.add("ping", ns::ping);
  ping.to = iq.attribute("to");
  ping_ = std::move(ping);
  send(iq);
}

bool Component::accept_pong(const Element& element) {
  if (element.name() != "iq" || element.attribute("id") != ping_->id) return false;
  const std::string_view type = element.attribute("type");
  // An error is an answer too: the server has processed what came before (RFC 6120 §10.1).
  if (type != "result" && type != "error") return false;
  const auto from = Jid::parse(element.attribute("from"));
  if (!from || from->str() != ping_->to) return false;  // anybody may send an iq to the component
  const Ping ping = std::move(*ping_);
  ping_.reset();
  covered_ = ping.covers;
  answered_.notify();
  const bool was_full = is_volatile_full() || is_tracked_full();
  volatile_taken_ = ping.volatile_bytes;
  if (8 * (std::chrono::steady_clock::now() - ping.at) < config_.ping_limit)
    window_ = std::min(config_.most_unconfirmed_bytes, window_ * 2);
  if (ping.proves.stanza > confirmed_.stanza) {
    confirmed_ = ping.proves;
    if (events_.confirmed) events_.confirmed(confirmed_.stanza);
  }
  if (was_full && (can_send_volatile() || can_send_tracked())) tell_writable();
  return true;
}

bool Component::is_safe(const Element& stanza) const {
  return domain_of(stanza.attribute("from")) == config_.domain.str() && !stanza.attribute("to").empty() &&
         (stanza.name() == "message" || stanza.name() == "presence" || stanza.name() == "iq");
}

std::optional<Sequence> Component::send(const Element& stanza, Track track) {
  if (!connected_ || closing_) return 0;
  const auto withhold = [&](const char* reason, std::size_t bytes) {
    log::error("stanza.withheld",
               {{"domain", config_.domain.str()}, {"name", stanza.name()}, {"reason", reason}, {"bytes", bytes}});
    return std::nullopt;
  };
  if (!is_safe(stanza)) return withhold("its from is not ours, or it has no to", 0);
  const std::size_t before = out_.size();
  if (track == Track::no && stanza.name() == "presence" && before >= most_unsent_presence * config_.most_unsent_bytes) {
    if (!std::exchange(drops_presence_, true))
      log::warn("component.presence_dropped", {{"domain", config_.domain.str()}, {"unsent_bytes", before}});
    return 0;
  }
  stanza.write(out_, ns::component);
  if (const std::size_t bytes = out_.size() - before; bytes > most_sent_bytes) {
    out_.resize(before);
    if (stanza.name() == "iq" && stanza.attribute("type") == "result") send(too_large_instead_of(stanza));
    return withhold("it is too large", bytes);
  }
  if (before == 0) out_filled_.notify();
  ++sent_.stanza;
  if (track == Track::yes) {
    sent_.bytes += out_.size() - before;
    if (tracked_ <= confirmed_.stanza) barrier_wanted_.notify();  // more than what was tracked may be confirmed
    tracked_ = sent_.stanza;
  }
  return sent_.stanza;
}

bool Component::send_volatile(const Element& stanza) {
  if (!can_send_volatile()) return false;
  const std::size_t before = out_.size();
  if (!send(stanza)) return false;
  volatile_sent_ += out_.size() - before;
  if (is_volatile_full()) barrier_wanted_.notify();
  return true;
}

// Until the server has ended its stream, too, or the connection (RFC 6120 §4.4): what it had on its way is read and
// handled.
asio::awaitable<void> Component::ended() {
  while (connected_ && (writing_ || !out_.empty())) co_await out_drained_.wait();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  while (connected_) co_await out_drained_.wait();
}

asio::awaitable<void> Component::close(std::chrono::milliseconds grace) {
  if (connected_ && !closing_) {
    out_ += "</stream:stream>";
    out_filled_.notify();
  }
  closing_ = true;
  if (connected_) {
    try {
      co_await base::within(grace, ended());
    } catch (const base::TimedOut&) {
      log::warn("component.cut", {{"domain", config_.domain.str()}, {"reason", "the server did not end the stream"}});
    }
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace wherry::xmpp
