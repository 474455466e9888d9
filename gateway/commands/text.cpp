// text: one message to somebody who is no contact yet.
#include "gateway/commands/commands.hpp"

#include "gateway/convert/refusals.hpp"

namespace wherry::commands {

namespace {

std::vector<Field> text_fields(const Call& call) {
  Field to;
  to.name = "to";
  to.label = call.transport.network().contact_prompt;
  Field words;
  words.name = "words";
  words.label = "Text";
  return {std::move(to), std::move(words)};
}

asio::awaitable<Result<Output>> send_text(Call call) {
  const base::AccountId id = call.account()->id();
  const auto contact = co_await typed_contact(call, call.input.at("to"));
  if (!contact) co_return contact.error();
  accounts::LiveAccount* account = call.transport.accounts().find(id);
  if (!account) co_return Error{Errc::rejected, "You are no longer registered."};
  if (account->row.logged_out) co_return Error{Errc::unavailable, convert::logged_out(call.face()).text};
  if (account->state == accounts::LiveAccount::State::needs_login)
    co_return Error{Errc::not_authorized, convert::login_refused(call.face(), account->trouble).text};
  const auto address = call.transport.jid_of(*contact, account->alias());
  if (!address) co_return address.error();
  connector::SendMessage message;
  message.chat = *contact;
  message.content.text = call.input.at("words");
  convert::Origin origin;
  origin.user = call.user.str();
  origin.contact = address->str();
  origin.stanza_id = call.stanza_id;
  origin.face = call.face().str();
  origin.type = "chat";
  origin.lang = call.lang;
  origin.sent = base::to_milliseconds(call.transport.clock().now());
  queues::Envelope envelope{base::to_string(base::ChatId(*contact)), std::move(message), std::move(origin)};
  const auto put = call.transport.outbox().put(*account, std::move(envelope));
  if (!put) co_return put.error();
  Output output;
  output.text = "Your text goes to " + address->str() + "; answers come from that address.";
  co_return output;
}

}  // namespace

const Command text{"text", "send a message to somebody who is no contact yet: text NUMBER WORDS", Who::registered,
                   text_fields, send_text};

}  // namespace wherry::commands
