// The server's end of one connection of a component (XEP-0114). What was written and not yet processed is lost when it
// is cut.
#pragma once

#include "gateway/xmpp/stream_parser.hpp"
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

class Link : public std::enable_shared_from_this<Link> {
 public:
  struct Events {
    std::function<void()> opened;                        // shaken hands
    std::function<void(const xmpp::Element&)> received;  // processed, in order
    std::function<void(bool farewell)> closed;           // once; farewell: the component ended its stream
  };

  Link(asio::io_context& loop, int descriptor, std::int64_t number, Recorder& recorder, Events events);

  void start();
  void send(std::string xml);
  void cut();
  void stall_until(Microseconds time);
  std::int64_t number() const { return number_; }
  bool is_open() const { return is_open_; }

 private:
  struct Dated {
    Microseconds due = 0;
    std::optional<xmpp::Element> element;  // none: the stream's end
    std::string xml;
  };
  void read();
  void take(std::string_view bytes);
  void process();
  void write();
  void bid_farewell();
  void end(bool farewell);
  void wait_for(asio::steady_timer& timer, Microseconds due, void (Link::*next)());
  Microseconds next_due(Microseconds last, const char* purpose);

  Recorder& recorder_;
  std::int64_t number_;
  Events events_;
  asio::local::stream_protocol::socket socket_;
  asio::steady_timer reading_, processing_, writing_;
  xmpp::StreamParser parser_;
  std::array<char, 16384> buffer_{};
  std::deque<Dated> incoming_, outgoing_;
  std::string on_the_wire_;
  bool is_processing_ = false, is_writing_ = false, is_open_ = false, is_ending_ = false, is_closed_ = false;
  Microseconds last_in_ = 0, last_out_ = 0, stalled_until_ = 0;
  std::uint64_t stanzas_ = 0;
};

}  // namespace wherry::simulation
