// XEP-0100 §6.3, jabber:iq:gateway: what a person types becomes a JID.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/refusals.hpp"

#include <fmt/format.h>

namespace wherry::features {

namespace {

constexpr std::size_t most_typed_bytes = 512;

// "{}": the network's own word for it.
const std::map<std::string, const char*, std::less<>> no_answer = {
    {"de", "Das Feld „{}“ ist leer oder zu lang."},
    {"en", "The field “{}” is empty or too long."},
    {"es", "El campo «{}» está vacío o es demasiado largo."},
    {"fr", "Le champ « {} » est vide ou trop long."},
    {"it", "Il campo «{}» è vuoto o troppo lungo."},
    {"nl", "Het veld ‘{}’ is leeg of te lang."},
    {"pl", "Pole „{}” jest puste lub za długie."},
    {"pt", "O campo «{}» está vazio ou é demasiado longo."},
    {"ru", "Поле «{}» не заполнено или слишком длинное."},
    {"sv", "Fältet ”{}” är tomt eller för långt."},
};

struct Prompt {
  std::string language;
  connector::ContactPrompt words;
};

// In the language that was asked for where the network has it, else in English (rule B1.49).
Prompt prompt_for(Transport& transport, const xmpp::Stanza& iq) {
  const connector::Network& network = transport.network();
  std::string language = base::to_lower_ascii(iq.lang().substr(0, iq.lang().find('-')));
  const auto found = network.contact_prompts.find(language);
  if (found != network.contact_prompts.end()) return {std::move(language), found->second};
  return {"en", {network.contact_prompt, network.contact_help}};
}

void ask(Transport& transport, const xmpp::Stanza& iq) {
  const Prompt prompt = prompt_for(transport, iq);
  xmpp::Element result = xmpp::result_of(iq);
  result.set("xml:lang", prompt.language);
  xmpp::Element& query = result.add("query", ns::gateway);
  query.add_text_child("desc", prompt.words.help);
  query.add_text_child("prompt", prompt.words.prompt);
  transport.send(result);
}

void refuse_to_guess(Transport& transport, const xmpp::Stanza& iq) {
  const Prompt prompt = prompt_for(transport, iq);
  const auto sentence = no_answer.find(prompt.language);
  const std::string text = sentence == no_answer.end()
                               ? prompt.words.prompt + ":"
                               : fmt::format(fmt::runtime(sentence->second), prompt.words.prompt);
  xmpp::Element error = xmpp::error_reply(iq, {"modify", "not-acceptable", text + " " + prompt.words.help});
  transport.send(error.set("xml:lang", prompt.language));
}

base::AccountId account_of(Transport& transport, const xmpp::Jid& user) {
  const LiveAccount* account = transport.accounts().find(user);
  return account ? account->id() : base::AccountId{};
}

// The id behind an address of ours that was pasted and that nobody types.
std::optional<base::ContactId> minted_by(Transport& transport, const std::string& typed) {
  const auto pasted = xmpp::Jid::parse(typed);
  if (!pasted || pasted->domain() != transport.domain().domain()) return std::nullopt;
  return convert::minted(pasted->local());
}

// What was typed, as the network may know it (rule B1.47): the local part where it is an address of ours; and with "@"
// for the "%" of clients that know no escaping, then as it stands.
std::vector<std::string> readings_of(Transport& transport, std::string typed) {
  const auto pasted = xmpp::Jid::parse(typed);
  if (pasted && pasted->domain() == transport.domain().domain() && !pasted->local().empty())
    typed = convert::typed_by(*pasted);
  std::vector<std::string> readings;
  if (const auto percent = typed.rfind('%'); percent != std::string::npos && typed.find('@') == std::string::npos) {
    readings.push_back(typed);
    readings.back()[percent] = '@';
  }
  readings.push_back(std::move(typed));
  return readings;
}

// The first reading that is a contact, or why the first is none.
asio::awaitable<base::Result<base::ContactId>> find(Transport& transport, base::AccountId account,
                                                    std::vector<std::string> readings) {
  auto contact = co_await transport.contacts().look_up(readings.front(), account);
  if (contact || readings.size() == 1) co_return contact;
  auto other = co_await transport.contacts().look_up(readings.back(), account);
  co_return other ? other : contact;
}

asio::awaitable<void> answer(Transport& transport, xmpp::Stanza iq, std::vector<std::string> readings,
                             std::optional<base::ContactId> minted, accounts::Quota::Place) {
  auto contact = co_await find(transport, account_of(transport, iq.from), std::move(readings));
  if (contact && minted) contact = std::move(*minted);
  if (!contact) co_return transport.reply_error(iq, contact.error());
  const auto jid = transport.jid_of(*contact);
  if (!jid) co_return transport.reply_error(iq, jid.error());
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::gateway);
  query.add_text_child("jid", jid->str());
  query.add_text_child("prompt", jid->str());  // older clients look here (rule B1.51)
  transport.send(result);
}

void translate(Transport& transport, xmpp::Stanza iq) {
  const std::string_view prompt = iq.payload()->child_text("prompt", ns::gateway);
  std::string typed = convert::tidy(prompt);
  if (typed.empty() || typed.size() > most_typed_bytes) return refuse_to_guess(transport, iq);
  auto place = transport.contacts().place_for(iq.from, account_of(transport, iq.from));
  if (!place) return transport.reply_error(iq, convert::too_many_questions());
  auto minted = minted_by(transport, typed);
  transport.tasks().spawn("gateway_prompt", answer(transport, std::move(iq), readings_of(transport, std::move(typed)),
                                                   std::move(minted), std::move(*place)));
}

}  // namespace

void install_gateway_prompt(Transport& transport) {
  transport.router().on_iq(AddressForm::gateway, Request::get, ns::gateway,
                           [&](xmpp::Stanza iq) { ask(transport, iq); });
  transport.router().on_iq(AddressForm::gateway, Request::set, ns::gateway,
                           [&](xmpp::Stanza iq) { translate(transport, std::move(iq)); });
}

}  // namespace wherry::features
