// One connection to the simulated OSCAR server, seen from there: frames come and go a little late, and in order.
#pragma once

#include "connectors/oscar/client/wire.hpp"
#include "tests/simulation/recorder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace wherry::simulation {

namespace asio = boost::asio;

class OscarPeer : public std::enable_shared_from_this<OscarPeer> {
 public:
  // Called with true once the client has surely read what was said, with false where nobody will know.
  using Read = std::function<void(bool)>;
  struct Events {
    std::function<void(const oscar::Frame&)> heard;
    std::function<void()> gone;  // once
  };

  OscarPeer(asio::io_context& loop, int descriptor, std::uint64_t number, Recorder& recorder);

  void start(Events events);
  void say(oscar::Channel channel, std::string_view data, Read read = {});
  void say_octets(std::string octets);  // as they are
  void finish();                        // closes once all is said
  void cut();
  // The client's process is dead: what it has written is still heard.
  void orphan();
  bool is_open() const { return !is_closed_; }
  std::uint64_t number() const { return number_; }

 private:
  struct Said {
    Microseconds due = 0;
    std::string octets;
    Read read;
  };
  struct Heard {
    Microseconds due = 0;
    std::optional<oscar::Frame> frame;  // none: the end
  };
  void read();
  void take(std::string_view octets);
  void process();
  void write();
  void watch();
  bool has_read_all() const;
  void settle(bool is_read);
  void end();
  Microseconds delay(const char* purpose);
  void wait_for(asio::steady_timer& timer, Microseconds due, void (OscarPeer::*next)());

  Recorder& recorder_;
  std::uint64_t number_, counted_ = 0;
  Events events_;
  asio::local::stream_protocol::socket socket_;
  asio::steady_timer processing_, writing_, watching_;
  oscar::Flap input_, output_;
  std::array<char, 16384> buffer_{};
  std::deque<Heard> heard_;
  std::deque<Said> said_;
  std::deque<Read> unread_;  // of what is written
  std::string on_the_wire_;
  Microseconds last_in_ = 0, last_out_ = 0, next_watch_ = 0;
  bool is_processing_ = false, is_writing_ = false, is_watching_ = false, is_ending_ = false, is_closed_ = false;
};

}  // namespace wherry::simulation
