// What a user can ask of the gateway, defined once for every face (a line of chat, an ad-hoc command, later a page): a
// name, what it needs to know, who may, and what it does. A command knows no face.
#pragma once

#include "gateway/accounts/dialogues.hpp"
#include "gateway/transport/transport.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::commands {

using connector::Answers;
using connector::Errc;
using connector::Error;
using connector::Field;
using connector::Result;
using transport::Transport;

// Who asks, of which account, with what.
struct Call {
  Transport& transport;
  xmpp::Jid user;     // the device that asked
  std::string alias;  // of the account whose face was asked
  std::string lang;
  Answers input;                                   // checked against the command's fields
  std::shared_ptr<accounts::Presenter> presenter;  // shows the questions of a login that the command begins
  bool is_named = false;                           // … at the gateway's address with a local part
  std::string stanza_id{};                         // of the message that asked; empty: another stanza did

  xmpp::Jid face() const { return transport.face_of(convert::face_address(alias, is_named)); }

  // Null where the user has none of that alias; valid until the next co_await.
  accounts::LiveAccount* account() const { return transport.accounts().find(user, alias); }
};

struct Row {
  std::string name;
  std::string value;
};
// A sentence, rows, or both. Neither: the presenter goes on.
struct Output {
  std::string text;
  std::vector<Row> rows;
};

enum class Who {
  everybody,         // who has an account, or may have one
  who_may_register,  // … for the face that was asked
  registered,        // at the face that was asked
};

struct Command {
  std::string_view name;   // "log out": lower-case words
  std::string_view title;  // what it does, as a line of a list
  Who who;
  std::vector<Field> (*fields)(const Call& call);         // what it needs to know
  asio::awaitable<Result<Output>> (*perform)(Call call);  // by run() alone, which has asked refusal()
  bool connector::Network::*needs = nullptr;              // what the network must have for it; null: nothing
};

// Why this person may not, or nothing.
std::optional<xmpp::StanzaError> refusal(const Command& command, const Call& call);

// Does what was asked, where this person still may: what was checked a turn of the loop ago may have changed.
asio::awaitable<Result<Output>> run(const Command& command, Call call);

// Whom the user means by what they typed, as the network knows them.
asio::awaitable<Result<base::ContactId>> typed_contact(Call call, std::string typed);

inline std::vector<Field> no_fields(const Call&) { return {}; }

}  // namespace wherry::commands
