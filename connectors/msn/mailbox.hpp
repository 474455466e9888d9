// The letters of one session (convert/letters.hpp): those that wait for the user are fetched, published, and deleted
// from the server once they are kept; those for people who are away are left there.
//
//   announced ──► fetched ──► published ──► deleted
//       ▲            │            │            │
//       └── a pause ─┴────────────┴────────────┘   what has failed is tried again; the inbox knows a letter's id
#pragma once

#include "connectors/msn/convert/letters.hpp"
#include "connectors/msn/login/login.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <string>
#include <vector>

namespace wherry::msn {

class Mailbox {
 public:
  // `ticket`: of the session, by which the server knows it here, too. All references outlive this.
  Mailbox(Upstream& upstream, const base::Clock& clock, std::string email, std::string ticket,
          connector::EventSink& events);

  void announce(MailNotice notice);
  // Brings what is announced, until it is cancelled.
  asio::awaitable<void> work();

  // unsupported: this server keeps no letters. `name`: what the user is called.
  asio::awaitable<base::Result<void>> leave(std::string to, std::string name, std::string text);

 private:
  struct Waiting {
    LetterNote note;
    int failures = 0;
  };
  asio::awaitable<void> fetch_list();
  asio::awaitable<void> bring_round();
  asio::awaitable<base::Result<Letter>> fetch(LetterNote note);
  asio::awaitable<bool> publish(Letter letter);
  asio::awaitable<void> erase(std::string id);
  asio::awaitable<void> give_up(std::string id);
  asio::awaitable<base::Result<net::HttpResponse>> post(std::string path, SoapCall call, bool may_repeat);

  Upstream& upstream_;
  const base::Clock& clock_;
  const std::string email_, ticket_, run_;
  connector::EventSink& events_;
  std::map<std::string, Waiting> waiting_;  // by id
  int list_failures_ = 0;
  bool is_list_wanted_ = false, has_store_ = true;
  std::string lock_key_ = "0";  // some servers want any
  std::size_t last_number_ = 0;
  base::Signal changed_;
};

}  // namespace wherry::msn
