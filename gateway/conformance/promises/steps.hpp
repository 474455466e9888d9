// What several promises do on their way.
#pragma once

#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promise.hpp"

#include <string>
#include <string_view>

namespace wherry::conformance {

// Code and text, as they are shown.
std::string in_words(const connector::Error& error);
// That it says why, to the user: for good, and in a sentence. `what` begins the complaint.
void expect_refusal(const connector::Error& error, const std::string& what);

inline bool is_done(connector::Support support) {
  return support == connector::Support::partial || support == connector::Support::full;
}

// The contact that may be written to; NotTried where the description names none.
connector::ContactId contact_of(const Host& host);
// NotTried where the description does not say that this comes back.
void require_back(const Host& host, std::string_view what);
// NotTried where the description has no second account that could log in.
void require_second_account(const Host& host);

// A process that is asked by hand, with a session of the first account online; every other one has ended.
asio::awaitable<RawChild*> raw_session(Host& host);

struct Sent {
  connector::SendMessage action;
  std::vector<connector::MessageId> ids;
  const std::string& text() const { return action.content.text; }
};
// A text to the contact, with a key of its own; an empty one is replaced by the key.
connector::SendMessage new_text(Host& host, std::string text = {});
asio::awaitable<connector::Result<connector::Receipt>> perform(Host& host, std::size_t account,
                                                               connector::Action action);
// Throws Broken where it is not taken.
asio::awaitable<Sent> send(Host& host, std::size_t account, connector::SendMessage message);
asio::awaitable<Sent> send_text(Host& host, std::size_t account);
// Until the text has come back to the account.
asio::awaitable<connector::MessageReceived> wait_back(Host& host, std::size_t account, std::string text);
// Until what was sent before has come back, as order in a chat is kept: sends one more, and waits for it.
asio::awaitable<void> settle(Host& host, std::size_t account);

}  // namespace wherry::conformance
