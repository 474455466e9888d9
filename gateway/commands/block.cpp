// block, unblock: whether somebody on the network can write to the user and see them there.
#include "gateway/commands/commands.hpp"

#include "gateway/convert/refusals.hpp"

namespace wherry::commands {

namespace {

std::vector<Field> whom(const Call& call) {
  Field contact;
  contact.name = "contact";
  contact.label = call.transport.network().contact_prompt;
  return {std::move(contact)};
}

asio::awaitable<Result<Output>> set_blocked(Call call, bool blocked) {
  const base::AccountId id = call.account()->id();
  const auto contact = co_await typed_contact(call, call.input.at("contact"));
  if (!contact) co_return contact.error();
  accounts::LiveAccount* account = call.transport.accounts().find(id);
  if (!account) co_return Error{Errc::rejected, "You are no longer registered."};
  const auto address = call.transport.jid_of(*contact, account->alias());
  if (!address) co_return address.error();
  connector::Action action = connector::BlockContact{*contact, blocked};
  const auto done = co_await call.transport.people().perform(id, std::move(action));
  if (!done) co_return done.error();
  Output output;
  output.text = address->str() + (blocked ? " is blocked: they can no longer write to you there. Write “unblock " +
                                                call.input.at("contact") + "” to take it back."
                                          : " is no longer blocked.");
  co_return output;
}

asio::awaitable<Result<Output>> block_contact(Call call) { return set_blocked(std::move(call), true); }
asio::awaitable<Result<Output>> unblock_contact(Call call) { return set_blocked(std::move(call), false); }

}  // namespace

const Command block{"block",         "let somebody on the network no longer write to you: block CONTACT",
                    Who::registered, whom,
                    block_contact,   &connector::Network::has_blocking};
const Command unblock{"unblock",       "take that back: unblock CONTACT", Who::registered, whom,
                      unblock_contact, &connector::Network::has_blocking};

}  // namespace wherry::commands
