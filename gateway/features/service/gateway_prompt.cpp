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

// The address of a contact here that was pasted.
std::optional<convert::Address> pasted_address(Transport& transport, const std::string& typed) {
  const auto pasted = xmpp::Jid::parse(typed);
  if (!pasted || pasted->domain() != transport.domain().domain()) return std::nullopt;
  auto address = convert::read(*pasted);
  if (!address || address->form != AddressForm::contact) return std::nullopt;
  return std::move(*address);
}

// What was typed, as the network may know it (rule B1.47): as it stands, and before that with "@" for the "%" of
// clients that know no escaping.
std::vector<std::string> readings_of(std::string typed) {
  std::vector<std::string> readings;
  if (const auto percent = typed.rfind('%'); percent != std::string::npos && typed.find('@') == std::string::npos) {
    readings.push_back(typed);
    readings.back()[percent] = '@';
  }
  readings.push_back(std::move(typed));
  return readings;
}

// Who asks, as far as it is needed after a wait.
struct Asker {
  base::AccountId account;
  std::string alias;
};

// The first reading that is a contact, or why the first is none.
asio::awaitable<base::Result<base::ContactId>> find(Transport& transport, base::AccountId account,
                                                    std::vector<std::string> readings) {
  auto contact = co_await transport.contacts().look_up(readings.front(), account);
  if (contact || readings.size() == 1) co_return contact;
  auto other = co_await transport.contacts().look_up(readings.back(), account);
  co_return other ? other : contact;
}

asio::awaitable<void> answer(Transport& transport, xmpp::Stanza iq, Asker asker, std::vector<std::string> readings,
                             std::optional<base::ContactId> minted, accounts::Quota::Place) {
  auto contact = co_await find(transport, asker.account, std::move(readings));
  if (contact && minted) contact = std::move(*minted);
  if (!contact) co_return transport.reply_error(iq, contact.error());
  const auto jid = transport.jid_of(*contact, asker.alias);
  if (!jid) co_return transport.reply_error(iq, jid.error());
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::gateway);
  query.add_text_child("jid", jid->str());
  query.add_text_child("prompt", jid->str());  // older clients look here (rule B1.51)
  transport.send(result);
}

void translate(Transport& transport, xmpp::Stanza iq, const Party& party) {
  const std::string_view prompt = iq.payload()->child_text("prompt", ns::gateway);
  std::string typed = convert::tidy(prompt);
  if (typed.empty() || typed.size() > most_typed_bytes) return refuse_to_guess(transport, iq);
  Asker asker{party.account ? party.account->id() : base::AccountId{}, party.to.alias};
  auto place = transport.contacts().place_for(iq.from, asker.account);
  if (!place) return transport.reply_error(iq, convert::too_many_questions());
  std::optional<base::ContactId> minted;
  if (auto pasted = pasted_address(transport, typed)) {
    if (pasted->spelling == convert::Spelling::minted) minted = pasted->contact();
    typed = std::move(pasted->id);
  }
  auto work =
      answer(transport, iq, std::move(asker), readings_of(std::move(typed)), std::move(minted), std::move(*place));
  transport.answer_later("gateway_prompt", std::move(iq), std::move(work));
}

}  // namespace

void install_gateway_prompt(Transport& transport) {
  for (const AddressForm face : faces) {
    transport.router().on_iq(face, Request::get, ns::gateway,
                             [&](const xmpp::Stanza& iq, const Party&) { ask(transport, iq); });
    transport.router().on_iq(face, Request::set, ns::gateway,
                             [&](xmpp::Stanza iq, const Party& party) { translate(transport, std::move(iq), party); });
  }
}

}  // namespace wherry::features
