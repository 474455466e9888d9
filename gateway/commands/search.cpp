// search: who the network knows by a name, a number, an address.
#include "gateway/commands/commands.hpp"

#include <fmt/format.h>

namespace wherry::commands {

namespace {

constexpr std::size_t most_shown = 20;

std::vector<Field> search_fields(const Call&) {
  Field words;
  words.name = "words";
  words.label = "Name, number or address";
  return {std::move(words)};
}

asio::awaitable<Result<Output>> search_people(Call call) {
  const base::AccountId id = call.account()->id();
  const auto place = call.transport.contacts().place_for(call.user, id);
  if (!place) co_return Error{Errc::unavailable, "You ask for too much at once; please try again in a moment."};
  auto found = co_await call.transport.people().search(id, call.input.at("words"));
  if (!found) co_return found.error();
  Output output;
  for (const auto& [contact, name, groups] : *found) {
    const auto address = call.transport.jid_of(contact, call.alias);
    if (address && output.rows.size() < most_shown)
      output.rows.push_back({name.empty() ? contact.value : name, address->str()});
  }
  if (output.rows.empty()) output.text = "Nobody was found.";
  else output.text = "Add one of these addresses to your contacts, or write to it:";
  if (found->size() > most_shown) output.text = fmt::format("The first {} of {}:", most_shown, found->size());
  co_return output;
}

}  // namespace

const Command search{"search",        "find people of the network: search WORDS",
                     Who::registered, search_fields,
                     search_people,   &connector::Network::has_search};

}  // namespace wherry::commands
