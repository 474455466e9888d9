#include "tests/simulation/link.hpp"

#include "gateway/xmpp/namespaces.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace wherry::simulation {

Link::Link(asio::io_context& loop, int descriptor, std::int64_t number, Recorder& recorder, Events events)
    : recorder_(recorder),
      number_(number),
      events_(std::move(events)),
      socket_(loop, asio::local::stream_protocol(), descriptor),
      reading_(loop),
      processing_(loop),
      writing_(loop),
      parser_(xmpp::ns::component) {}

void Link::start() { read(); }

// In order, each a little after the one before.
Microseconds Link::next_due(Microseconds last, const char* purpose) {
  const Microseconds delay = recorder_.draw.wait(recorder_.is_healed() ? 1000 : recorder_.plan.most_link_delay, purpose,
                                                 static_cast<std::uint64_t>(number_), ++stanzas_);
  return std::max(last, now() + delay);
}

void Link::wait_for(asio::steady_timer& timer, Microseconds due, void (Link::*next)()) {
  timer.expires_after(std::chrono::microseconds(std::max<Microseconds>(due - now(), 0)));
  timer.async_wait([self = shared_from_this(), next](boost::system::error_code error) {
    if (!error && !self->is_closed_) ((*self).*next)();
  });
}

void Link::read() {
  if (now() < stalled_until_ && !recorder_.is_healed()) return wait_for(reading_, stalled_until_, &Link::read);
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                            if (self->is_closed_) return;
                            if (error) return self->end(false);
                            self->take({self->buffer_.data(), size});
                            if (!self->is_closed_) self->read();
                          });
}

void Link::take(std::string_view bytes) {
  for (xmpp::StreamItem& item : parser_.feed(bytes)) {
    if (const auto* opened = std::get_if<xmpp::StreamOpened>(&item)) {
      send(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
          "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='" +
          opened->to + "'>");
    } else if (auto* element = std::get_if<xmpp::Element>(&item)) {
      last_in_ = next_due(last_in_, "processes");
      incoming_.push_back({last_in_, std::move(*element), ""});
    } else if (std::holds_alternative<xmpp::StreamClosed>(item)) {
      incoming_.push_back({last_in_, std::nullopt, ""});
    } else {
      recorder_.add(What::breach, "", "", "", "", "the gateway broke its stream");
      return end(false);
    }
  }
  if (!is_processing_ && !incoming_.empty()) process();
}

void Link::process() {
  is_processing_ = true;
  while (!incoming_.empty() && incoming_.front().due <= now()) {
    const Dated next = std::move(incoming_.front());
    incoming_.pop_front();
    if (!next.element) return bid_farewell();
    if (next.element->is("handshake", xmpp::ns::component)) {
      send("<handshake/>");
      is_open_ = true;
      events_.opened();
    } else {
      events_.received(*next.element);
    }
    if (is_closed_) return;
  }
  is_processing_ = false;
  if (incoming_.empty()) return;
  is_processing_ = true;
  wait_for(processing_, incoming_.front().due, &Link::process);
}

// The component has ended its stream: what was written for it before goes to it, then ours ends, too (RFC 6120 §4.4).
void Link::bid_farewell() {
  is_open_ = false;
  is_ending_ = true;
  send("</stream:stream>");
}

void Link::send(std::string xml) {
  if (is_closed_) return;
  last_out_ = next_due(last_out_, "writes");
  outgoing_.push_back({last_out_, std::nullopt, std::move(xml)});
  if (!is_writing_) write();
}

void Link::write() {
  is_writing_ = true;
  on_the_wire_.clear();
  while (!outgoing_.empty() && outgoing_.front().due <= now()) {
    on_the_wire_ += outgoing_.front().xml;
    outgoing_.pop_front();
  }
  if (on_the_wire_.empty()) {
    is_writing_ = !outgoing_.empty();
    if (is_writing_) wait_for(writing_, outgoing_.front().due, &Link::write);
    else if (is_ending_) end(true);
    return;
  }
  asio::async_write(socket_, asio::buffer(on_the_wire_),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      if (self->is_closed_) return;
                      if (error) return self->end(false);
                      self->write();
                    });
}

void Link::stall_until(Microseconds time) { stalled_until_ = time; }

void Link::cut() { end(false); }

void Link::end(bool farewell) {
  if (std::exchange(is_closed_, true)) return;
  is_open_ = false;
  boost::system::error_code ignored;
  socket_.close(ignored);
  reading_.cancel();
  processing_.cancel();
  writing_.cancel();
  events_.closed(farewell);
}

}  // namespace wherry::simulation
