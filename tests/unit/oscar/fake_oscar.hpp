// A small scripted server for faults: it logs in whoever has the password, keeps a session, and says what a test tells
// it.
#pragma once

#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/client/roster.hpp"
#include "connectors/oscar/client/services/icq.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "tests/unit/oscar/octets.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <map>
#include <set>

namespace wherry::tests {

class FakeOscar {
  using tcp = asio::ip::tcp;

 public:
  explicit FakeOscar(const asio::any_io_executor& executor)
      : changed(executor), acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), tasks_(executor) {
    tasks_.spawn("fake_oscar", accept());
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  // ---- How it behaves ----
  std::map<std::string, std::string> passwords{{"100001", "secret01"}};
  std::uint32_t refusal = 0;            // of every login
  std::vector<oscar::RosterItem> list;  // of everybody
  std::set<std::string> careful;        // who wants to be asked before being added
  std::vector<std::string> stored;      // data of 0041
  bool ends_stored = true;              // else it ends the session in place of saying that these were all
  bool acknowledges = true, knows_challenges = true;
  std::uint16_t message_error = 0;                                                    // 04/01 for every message
  std::function<std::uint16_t(const oscar::Snac&, const oscar::RosterItem&)> ruling;  // of 13/0E, in place of ours
  std::uint16_t counted_besides = 0;  // items that the list is said to have, and that do not come
  bool has_icons = true;              // the service beside the session
  std::uint8_t icon_flags = 0x41;     // of what it says to an icon in a list; 0: it says nothing
  // What is answered to what this server answers nothing by itself.
  std::function<std::vector<oscar::Snac>(const oscar::Snac&)> answers;

  // ---- What it has heard ----
  std::vector<oscar::Snac> heard;
  int logins = 0;
  base::Signal changed;

  std::size_t count(std::uint16_t family, std::uint16_t subtype) const {
    std::size_t found = 0;
    for (const auto& packet : heard) found += packet.is(family, subtype) ? 1 : 0;
    return found;
  }
  const oscar::Snac& last(std::uint16_t family, std::uint16_t subtype) const {
    for (auto packet = heard.rbegin(); packet != heard.rend(); ++packet) {
      if (packet->is(family, subtype)) return *packet;
    }
    throw std::runtime_error("the client has not said that");
  }
  // Requests of ICQ's services, by their type.
  std::size_t count_icq(std::uint16_t type) const {
    std::size_t found = 0;
    for (const auto& packet : heard) {
      if (!packet.is(0x15, 0x02)) continue;
      const auto inner = oscar::read_icq(packet.body);
      found += inner && inner->type == type ? 1 : 0;
    }
    return found;
  }

  // To the newest session.
  void say(std::uint16_t family, std::uint16_t subtype, std::string_view body, std::uint32_t id = 0) {
    session_->write(oscar::Channel::data, snac(family, subtype, body, id));
  }
  // To the newest session of that account.
  void say_to(const std::string& name, std::uint16_t family, std::uint16_t subtype, std::string_view body) {
    sessions_.at(name)->write(oscar::Channel::data, snac(family, subtype, body, 0));
  }
  bool has_session(const std::string& name) const {
    const auto found = sessions_.find(name);
    return found != sessions_.end() && !found->second->has_ended;
  }
  // Those that an account's client has asked us to delete.
  std::map<std::string, int> deletions;
  void close(std::string_view tlvs = {}) {
    session_->write(oscar::Channel::close, tlvs);
    session_->ends = true;
  }
  void cut() {
    boost::system::error_code ignored;
    session_->socket.close(ignored);
  }

  asio::awaitable<void> until(std::function<bool()> done) {
    auto waiting = wait(std::move(done));
    co_await base::within(std::chrono::seconds(30), std::move(waiting));
  }
  asio::awaitable<void> stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    tasks_.cancel();
    co_await tasks_.join();
  }

 private:
  struct Peer {
    explicit Peer(tcp::socket s) : socket(std::move(s)) {}
    void write(oscar::Channel channel, std::string_view data) {
      boost::system::error_code ignored;  // small packets on the loopback: they fit
      asio::write(socket, asio::buffer(flap.frame(channel, data)), ignored);
    }
    tcp::socket socket;
    oscar::Flap flap;
    bool is_session = false, ends = false, has_ended = false;
    std::string name;
  };

  asio::awaitable<void> wait(std::function<bool()> done) {
    while (!done()) co_await changed.wait();
  }

  asio::awaitable<void> accept() {
    for (;;) {
      boost::system::error_code error;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      tasks_.spawn("fake_oscar.peer", serve(std::make_shared<Peer>(std::move(socket))));
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Peer> peer) {
    peer->write(oscar::Channel::hello, octets("00000001"));
    oscar::Flap flap;
    std::array<char, 4096> buffer;
    const asio::mutable_buffer space(buffer.data(), buffer.size());
    while (!peer->ends) {
      boost::system::error_code error;
      const std::size_t count =
          co_await peer->socket.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
      if (error) {
        peer->has_ended = true;
        changed.notify();
        co_return;
      }
      flap.feed(std::string_view(buffer.data(), count));
      while (auto frame = flap.next()) take(*peer, peer, *frame);
      changed.notify();
    }
    peer->has_ended = true;
    boost::system::error_code ignored;
    peer->socket.shutdown(tcp::socket::shutdown_both, ignored);
    peer->socket.close(ignored);
  }

  void take(Peer& peer, const std::shared_ptr<Peer>& self, const oscar::Frame& frame) {
    if (frame.channel == oscar::Channel::hello) {
      oscar::Reader in(frame.data);
      in.u32();
      const auto tlvs = oscar::read_tlvs(in);
      if (const auto* cookie = oscar::find(tlvs, 0x06)) {
        peer.is_session = true;
        if (*cookie == "icons") return answer(peer, 1, 0x03, octets("0001 0010"), 0);
        peer.name = cookie->substr(std::string_view("cookie of ").size());
        session_ = sessions_[peer.name] = self;
        return answer(peer, 1, 0x03, octets("0001 0002 0003 0004 0009 000A 0013 0015"), 0);
      }
      const auto* roasted = oscar::find(tlvs, 0x02);
      if (!roasted) return;
      ++logins;
      peer.write(oscar::Channel::close, verdict(*oscar::find(tlvs, 0x01), oscar::roast(*roasted), ""));
      peer.ends = true;
    } else if (frame.channel == oscar::Channel::data) {
      const auto packet = oscar::read_snac(frame.data).value();
      heard.push_back(packet);
      peer.is_session ? take_session(peer, packet) : take_login(peer, packet);
    }
  }

  std::string verdict(const std::string& name, const std::string& answer, const std::string& challenge) {
    const auto known = passwords.find(name);
    const auto wanted = known == passwords.end() ? std::string()
                        : challenge.empty()      ? known->second
                                                 : oscar::md5_answer(challenge, known->second);
    const std::uint32_t code = refusal != 0 ? refusal : wanted == answer && !wanted.empty() ? 0 : 5;
    oscar::Writer out;
    out.tlv(0x01, name);
    if (code != 0) out.tlv16(0x08, code);
    else out.tlv(0x05, "127.0.0.1:" + std::to_string(port())).tlv(0x06, "cookie of " + name);
    return out.take();
  }

  void take_login(Peer& peer, const oscar::Snac& packet) {
    if (!knows_challenges) {
      peer.ends = true;
      return;
    }
    oscar::Reader in(packet.body);
    const auto tlvs = oscar::read_tlvs(in);
    if (packet.is(0x17, 0x06)) return answer(peer, 0x17, 0x07, oscar::Writer().text16("challenge").take(), packet.id);
    if (!packet.is(0x17, 0x02)) return;
    ++logins;
    answer(peer, 0x17, 0x03, verdict(*oscar::find(tlvs, 0x01), *oscar::find(tlvs, 0x25), "challenge"), packet.id);
    peer.write(oscar::Channel::close, "");
    peer.ends = true;
  }

  static void answer(Peer& peer, std::uint16_t family, std::uint16_t subtype, std::string_view body, std::uint32_t id) {
    peer.write(oscar::Channel::data, snac(family, subtype, body, id));
  }

  void take_session(Peer& peer, const oscar::Snac& packet) {
    if (packet.is(1, 0x17)) return answer(peer, 1, 0x18, packet.body, packet.id);
    if (packet.is(1, 0x06)) return answer(peer, 1, 0x07, octets("0000"), packet.id);
    if (packet.is(1, 0x04)) return take_request(peer, packet);
    if (packet.is(4, 0x04)) return answer(peer, 4, 0x05, "", packet.id);
    if (packet.is(4, 0x06)) return take_message(peer, packet);
    if (packet.is(0x15, 0x02)) return take_icq(peer, packet);
    if (packet.is(0x13, 0x04)) {
      oscar::Writer out;
      out.u8(0).u16(static_cast<std::uint32_t>(list.size() + counted_besides)).raw(oscar::write_items(list)).u32(1);
      return answer(peer, 0x13, 0x06, out.octets(), packet.id);
    }
    if (packet.is(0x13, 0x08) || packet.is(0x13, 0x09) || packet.is(0x13, 0x0A)) {
      oscar::Reader in(packet.body);
      oscar::Writer out;
      for (const auto& item : oscar::read_items(in, 100)) {
        const bool must_ask = item.type == oscar::RosterItem::contact && careful.contains(item.name);
        if (ruling) out.u16(ruling(packet, item));
        else out.u16(must_ask && packet.subtype == 0x08 && !item.awaits_authorisation() ? 0x0E : 0);
      }
      answer(peer, 0x13, 0x0E, out.octets(), packet.id);
      return note_icons(peer, packet);
    }
    answer_besides(peer, packet);
  }

  void note_icons(Peer& peer, const oscar::Snac& packet) {
    oscar::Reader in(packet.body);
    for (const auto& item : oscar::read_items(in, 100)) {
      const auto* shown = oscar::find(item.tlvs, 0xD5);
      if (item.type != oscar::RosterItem::icon || !shown || icon_flags == 0) continue;
      oscar::Reader value(*shown);
      value.u8();
      answer(peer, 1, 0x21, oscar::Writer().u16(1).u8(icon_flags).text8(value.text8()).take(), 0);
    }
  }

  void answer_besides(Peer& peer, const oscar::Snac& packet) {
    if (!answers) return;
    for (oscar::Snac& one : answers(packet)) {
      one.id = packet.id;
      peer.write(oscar::Channel::data, oscar::write_snac(one));
    }
  }

  void take_request(Peer& peer, const oscar::Snac& packet) {
    if (!has_icons || packet.body != octets("0010")) return answer(peer, 1, 0x01, octets("0005"), packet.id);
    oscar::Writer out;
    out.tlv16(0x0D, 0x10).tlv(0x05, "127.0.0.1:" + std::to_string(port())).tlv(0x06, "icons");
    answer(peer, 1, 0x05, out.octets(), packet.id);
  }

  void take_message(Peer& peer, const oscar::Snac& packet) {
    if (message_error != 0) return answer(peer, 4, 0x01, oscar::Writer().u16(message_error).take(), packet.id);
    if (!acknowledges) return;
    oscar::Reader in(packet.body);
    const std::string cookie(in.take(8));
    const auto channel = in.u16();
    const std::string to = in.text8();
    answer(peer, 4, 0x0C, oscar::Writer().raw(cookie).u16(channel).text8(to).octets(), packet.id);
  }

  void take_icq(Peer& peer, const oscar::Snac& packet) {
    const auto asked = oscar::read_icq(packet.body);
    if (asked && asked->type == oscar::IcqPacket::delete_stored) ++deletions[peer.name];
    if (!asked || asked->type != oscar::IcqPacket::fetch_stored) return answer_besides(peer, packet);
    oscar::IcqPacket reply = *asked;
    reply.type = oscar::IcqPacket::stored_message;
    for (const std::string& data : stored) {
      reply.data = data;
      answer(peer, 0x15, 0x03, oscar::write_icq(reply), packet.id);
    }
    if (!ends_stored) {
      peer.ends = true;
      return;
    }
    reply.type = oscar::IcqPacket::end_of_stored;
    reply.data.clear();
    answer(peer, 0x15, 0x03, oscar::write_icq(reply), packet.id);
  }

  tcp::acceptor acceptor_;
  std::shared_ptr<Peer> session_;
  std::map<std::string, std::shared_ptr<Peer>> sessions_;  // by account
  base::TaskGroup tasks_;
};

}  // namespace wherry::tests
