// The users of a simulated run, and their XMPP server, as one component of it sees them.
#pragma once

#include "gateway/xmpp/stanza.hpp"
#include "tests/simulation/link.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wherry::simulation {

inline constexpr const char* server_domain = "x.test";

class Server {
 public:
  // The component is that of network `index`.
  Server(asio::io_context& loop, int index, Recorder& recorder) : loop_(loop), index_(index), recorder_(recorder) {}

  // For the component: a connection, or connection_refused.
  asio::awaitable<asio::ip::tcp::socket> dial(asio::any_io_executor executor);

  // ---- The plan's steps ----
  void act(const Step& step);
  void cut();
  void stall(Microseconds until);
  void refuse(Microseconds until) { refuses_until_ = until; }
  void process_died();

 private:
  void opened();
  void closed(bool farewell);
  void received(const xmpp::Element& element);
  void take_message(const std::string& user, const xmpp::Element& element);
  void take_error(const std::string& user, const xmpp::Element& element);
  void take_presence(const std::string& user, const xmpp::Element& element);
  void take_iq(const std::string& user, const xmpp::Element& element);
  // What a user wrote to a contact.
  struct Written {
    std::string id, text;
    std::string about = {};  // the id of the stanza that it names
    xmpp::Element stanza;
  };
  struct Said {
    std::string text, about;
    std::string body = {};
  };
  Written write(const Step& step) const;
  Written refer(const Step& step);
  std::string named_by(const Step& step) const;
  void send_message(const Step& step, Written written);
  Said said_in(const std::string& user, const xmpp::Element& element) const;
  void show_presence(const Step& step, const std::string& type);
  void send_presence(const std::string& user, const std::string& to, const std::string& type);
  // `of`: the contact's address; empty: the gateway.
  void ask(const Step& step, const std::string& type, const std::string& payload, const std::string& of = "");
  void talk(const std::string& user, const std::string& line);
  void hear(const std::string& user, const std::string& said);
  std::string login_of(const Step& step) const;
  std::string answer_to(const std::string& user, const std::string& said) const;
  void send(xmpp::Element element);
  void note_foreign(const std::string& user, const std::string& what);
  void tell_failed(const std::string& user, std::string_view id, const std::string& text, bool uncertain);
  bool is_of(const std::string& user, std::string_view id) const { return id.ends_with("-" + user + "-" + name()); }
  std::string name() const { return network_name(index_); }
  std::string domain() const { return name() + ".test"; }
  // Of a user's account, as every user is one here (account_name()), and of a contact of it.
  std::string face_of(const std::string& user) const {
    return mark_of(user).empty() ? domain() : mark_of(user) + "@" + domain();
  }
  std::string jid_of(const std::string& user, const std::string& contact) const;

  asio::io_context& loop_;
  int index_;
  Recorder& recorder_;
  std::shared_ptr<Link> link_;
  int component_end_ = -1;  // of the connection
  std::int64_t links_ = 0;
  Microseconds refuses_until_ = 0;
  std::set<std::string> online_;           // owners of accounts, by name
  std::map<std::string, Written> newest_;  // of a user to a contact
  struct Message {
    std::string contact, id;
  };
  std::map<std::string, std::vector<Message>> own_, received_;  // by user
  std::set<std::string> registering_;                           // ids of iqs that register
  std::map<std::string, std::vector<std::string>> lines_;       // to the gateway, by user, that wait for an answer
  std::uint64_t asked_ = 0;
};

}  // namespace wherry::simulation
