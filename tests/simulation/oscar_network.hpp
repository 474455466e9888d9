// ICQ or AIM in a simulated run: keeps the books of the simulated server, for the history. The connector is the real
// one.
#pragma once

#include "tests/simulation/network.hpp"
#include "tests/simulation/oscar_server.hpp"
#include "tests/simulation/watched.hpp"

namespace wherry::simulation {

class OscarNetwork final : public Network, private Watcher, private OscarPost {
 public:
  OscarNetwork(asio::io_context& loop, Recorder& recorder);

  std::unique_ptr<connector::Connector> make_connector(connector::Services services) override;

  // ---- The plan's steps ----
  void write(const Step& step) override;
  void report_nonsense(const Step& step) override;
  void change_presence(const Step& step) override;
  void ask(const Step& step) override;
  void list(const Step& step) override;
  void break_session(const std::string& user) override { server_.break_session(user); }
  void break_all() override;
  void want_login(const std::string& user) override;
  void note_mail_left(std::vector<Record>& left) const override;
  void process_died() override;

 private:
  // ---- Watcher ----
  std::string person_of(const connector::Account& account) const override;
  void performing(const std::string& user, const connector::Action& action) override;
  void performed(const std::string& user, const connector::Action& action) override;
  void published(const std::string& user, const connector::Event& event, bool is_stored) override;
  // ---- OscarPost ----
  bool is_known(const std::string& user) const override;
  void entered(const std::string& user) override { needs_login_.erase(user); }
  void sent_away(const std::string& user) override { needs_login_.insert(user); }
  void taken(const OscarMessage& message) override;
  void kept(const OscarMessage& message) override;
  void left(const OscarMessage& message, bool is_read) override;
  void deleted(const OscarMessage& message) override;
  void confirmed(const OscarMessage& message) override;

  std::string text_in(const OscarMessage& message) const;
  void report(const std::string& cookie);
  void pass_on(const OscarMessage& message, const std::string& tag);
  void expect(const OscarMessage& message, const std::string& tag);
  std::string to_octets(const std::string& text, std::uint16_t* charset) const;

  asio::io_context& loop_;
  OscarServer server_;
  std::set<std::string> needs_login_;
  std::map<std::string, std::string> keys_;  // the newest of each text
  struct Open {
    std::string body;
    std::vector<std::string> cookies;
  };
  std::map<std::string, Open> open_;  // texts that come in pieces, by who writes to whom
  struct Sent {
    std::string user, contact, tag;
    std::size_t parts = 1;
  };
  std::map<std::string, Sent> sent_;                        // by cookie
  std::set<std::string> early_;                             // cookies whose text is not all there
  std::map<std::string, std::set<std::string>> delivered_;  // cookies, by tag
  std::map<std::string, Record> written_;                   // that no session has, by who gets what
  std::set<std::string> settled_;                           // read from the server, and stored or not: by who gets what
  std::uint64_t lives_ = 0;
};

}  // namespace wherry::simulation
