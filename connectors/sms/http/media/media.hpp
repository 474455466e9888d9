// Files that only we may fetch from the service. People get an address of ours for each, and the file is fetched when
// somebody opens it: nothing is kept here.
//
//   <public_url><webhook_path>/media/<code>/<name>   the name is the provider's; the code is a keyed hash of it
//
// Whoever has the address can open it, as with files of XMPP (XEP-0363); nobody can guess one. It says nothing of the
// account. It works for as long as the service keeps the file.
#pragma once

#include "connectors/sms/http/api/provider.hpp"
#include "gateway/base/log_limit.hpp"
#include "gateway/connector/contract.hpp"

namespace wherry::sms::http {

class Media {
 public:
  Media(const Provider& provider, connector::Services services) : provider_(provider), services_(services) {}

  // Before anything else: the key, which is made at the first start.
  asio::awaitable<void> load();

  // Puts our addresses in the place of links that a person cannot open.
  void make_openable(Message& message) const;

  std::string path() const { return provider_.setting.webhook_path + "/media/"; }
  // A request for an address below path().
  asio::awaitable<net::ServerResponse> answer(net::ServerRequest request);

 private:
  std::string code_of(std::string_view name) const;
  asio::awaitable<net::ServerResponse> fetch(std::string name);

  const Provider& provider_;
  connector::Services services_;
  std::string key_;
  base::LogLimit failed_ = base::LogLimit::of_stanzas();  // whoever has an address can ask for it again and again
  int fetches_ = 0;
};

// What a browser may be told that a file is: pictures, sounds, films, cards. Everything else is only to be saved.
std::string shown_type(std::string_view content_type);

}  // namespace wherry::sms::http
