#include "tests/simulation/oscar_peer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <utility>

namespace wherry::simulation {

namespace {

constexpr Microseconds first_watch = 1'000, last_watch = 1'000'000;

}  // namespace

OscarPeer::OscarPeer(asio::io_context& loop, int descriptor, std::uint64_t number, Recorder& recorder)
    : recorder_(recorder),
      number_(number),
      socket_(loop, asio::local::stream_protocol(), descriptor),
      processing_(loop),
      writing_(loop),
      watching_(loop) {
  socket_.non_blocking(true);
}

void OscarPeer::start(Events events) {
  events_ = std::move(events);
  read();
}

Microseconds OscarPeer::delay(const char* purpose) {
  const Microseconds most = recorder_.is_healed() ? 50'000 : recorder_.plan.most_network_delay;
  return recorder_.draw.wait(most, purpose, number_, ++counted_);
}

void OscarPeer::wait_for(asio::steady_timer& timer, Microseconds due, void (OscarPeer::*next)()) {
  timer.expires_after(std::chrono::microseconds(std::max<Microseconds>(due - now(), 0)));
  timer.async_wait([self = shared_from_this(), next](boost::system::error_code error) {
    if (!error && !self->is_closed_) ((*self).*next)();
  });
}

// ---- What the client says ----

void OscarPeer::read() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                            if (self->is_closed_ || self->is_ending_) return;
                            self->take({self->buffer_.data(), error ? 0 : size});
                            if (!error && !self->is_closed_) self->read();
                          });
}

// Nothing: the client has closed its end.
void OscarPeer::take(std::string_view octets) {
  input_.feed(octets);
  while (auto frame = input_.next()) {
    last_in_ = std::max(last_in_, now() + delay("hears"));
    heard_.push_back({last_in_, std::move(*frame)});
  }
  if (input_.is_broken()) recorder_.add(What::breach, "", "", "", "", "the client's framing is lost");
  if (octets.empty()) heard_.push_back({std::max(last_in_, now()), std::nullopt});
  if (!is_processing_ && !heard_.empty()) process();
}

void OscarPeer::process() {
  is_processing_ = true;
  const auto self = shared_from_this();
  while (!heard_.empty() && heard_.front().due <= now()) {
    const Heard next = std::move(heard_.front());
    heard_.pop_front();
    if (!next.frame) return end();
    events_.heard(*next.frame);
    if (is_closed_) return;
  }
  is_processing_ = !heard_.empty();
  if (is_processing_) wait_for(processing_, heard_.front().due, &OscarPeer::process);
}

// ---- What is said ----

void OscarPeer::say(oscar::Channel channel, std::string_view data, Read read) {
  if (is_closed_ || is_ending_) {
    if (read) read(false);
    return;
  }
  last_out_ = std::max(last_out_, now() + delay("says"));
  said_.push_back({last_out_, output_.frame(channel, data), std::move(read)});
  if (!is_writing_) write();
}

void OscarPeer::say_octets(std::string octets) {
  if (is_closed_ || is_ending_) return;
  last_out_ = std::max(last_out_, now());
  said_.push_back({last_out_, std::move(octets), {}});
  if (!is_writing_) write();
}

void OscarPeer::finish() {
  is_ending_ = true;
  if (!is_writing_) write();
}

void OscarPeer::write() {
  is_writing_ = true;
  on_the_wire_.clear();
  std::deque<Read> reads;
  while (!said_.empty() && said_.front().due <= now()) {
    on_the_wire_ += said_.front().octets;
    if (said_.front().read) reads.push_back(std::move(said_.front().read));
    said_.pop_front();
  }
  if (on_the_wire_.empty()) {
    is_writing_ = !said_.empty();
    if (is_writing_) wait_for(writing_, said_.front().due, &OscarPeer::write);
    else if (is_ending_) end();
    return;
  }
  asio::async_write(
      socket_, asio::buffer(on_the_wire_),
      [self = shared_from_this(), reads = std::move(reads)](boost::system::error_code error, std::size_t) {
        const bool is_over = self->is_closed_ || error;
        for (const Read& read : reads) {
          if (is_over) read(false);
          else self->unread_.push_back(read);
        }
        if (is_over) return self->end();
        if (!self->unread_.empty() && !std::exchange(self->is_watching_, true)) {
          self->next_watch_ = first_watch;
          self->watch();
        }
        self->write();
      });
}

bool OscarPeer::has_read_all() const {
  int left = 0;
  return ::ioctl(const_cast<OscarPeer*>(this)->socket_.native_handle(), SIOCOUTQ, &left) == 0 && left == 0;
}

void OscarPeer::settle(bool is_read) {
  for (const Read& read : std::exchange(unread_, {})) read(is_read);
}

void OscarPeer::watch() {
  if (has_read_all()) settle(true);
  is_watching_ = !unread_.empty();
  if (!is_watching_) return;
  wait_for(watching_, now() + next_watch_, &OscarPeer::watch);
  next_watch_ = std::min(next_watch_ * 2, last_watch);
}

// ---- The end ----

void OscarPeer::cut() { end(); }

void OscarPeer::orphan() {
  if (is_closed_) return;
  const auto self = shared_from_this();
  while (!is_closed_) {
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(buffer_), error);
    if (error || size == 0) break;
    take({buffer_.data(), size});
  }
  is_ending_ = true;  // nobody reads
  settle(false);
  for (const Said& said : std::exchange(said_, {})) {
    if (said.read) said.read(false);
  }
  if (!is_closed_) take({});
}

void OscarPeer::end() {
  if (std::exchange(is_closed_, true)) return;
  if (socket_.is_open() && has_read_all()) settle(true);
  settle(false);
  for (const Said& said : std::exchange(said_, {})) {
    if (said.read) said.read(false);
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
  processing_.cancel();
  writing_.cancel();
  watching_.cancel();
  if (auto gone = std::exchange(events_.gone, {})) gone();
}

}  // namespace wherry::simulation
