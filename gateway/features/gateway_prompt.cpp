// XEP-0100 §6.3, jabber:iq:gateway: what a person types becomes a JID.
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/transport/addressing.hpp"

namespace wherry::features {

namespace {

constexpr std::size_t most_typed_bytes = 512;

// In the language that was asked for where the network has it, else in English (rule B1.49).
void ask(Transport& transport, const xmpp::Stanza& iq) {
  const connector::Network& network = transport.network();
  const std::string language = base::to_lower_ascii(iq.lang().substr(0, iq.lang().find('-')));
  const auto found = network.contact_prompts.find(language);
  const bool is_known = found != network.contact_prompts.end();
  xmpp::Element result = xmpp::result_of(iq);
  result.set("xml:lang", is_known ? language : "en");
  xmpp::Element& query = result.add("query", ns::gateway);
  query.add_text_child("desc", is_known ? found->second.help : network.contact_help);
  query.add_text_child("prompt", is_known ? found->second.prompt : network.contact_prompt);
  transport.send(result);
}

base::AccountId account_of(Transport& transport, const xmpp::Jid& user) {
  const LiveAccount* account = transport.accounts().find(user);
  return account ? account->id() : base::AccountId{};
}

// What was typed, as the network may know it (rule B1.47): the local part where it is an address of ours; and with "@" for
// the "%" of clients that know no escaping, then as it stands.
std::vector<std::string> readings_of(Transport& transport, std::string typed) {
  const auto pasted = xmpp::Jid::parse(typed);
  if (pasted && pasted->domain() == transport.domain().domain() && !pasted->local().empty()) typed = transport::typed_by(*pasted);
  std::vector<std::string> readings;
  if (const auto percent = typed.rfind('%'); percent != std::string::npos && typed.find('@') == std::string::npos) {
    readings.push_back(typed);
    readings.back()[percent] = '@';
  }
  readings.push_back(std::move(typed));
  return readings;
}

// The first reading that is a contact, or why the first is none.
asio::awaitable<base::Result<base::ContactId>> find(Transport& transport, base::AccountId account, std::vector<std::string> readings) {
  base::Result<base::ContactId> contact = base::Error{base::Errc::unavailable, "The network's connector failed; please try again later."};
  try {
    const std::string first = readings.front();
    contact = co_await transport.connector().parse_contact(first, account);
    if (contact || readings.size() == 1) co_return contact;
    const std::string second = readings.back();
    auto other = co_await transport.connector().parse_contact(second, account);
    if (other) contact = std::move(other);
  } catch (const std::exception& e) {
    log::warn("gateway_prompt.failed", {{"transport", transport.domain().str()}, {"error", e.what()}});
  }
  co_return contact;
}

asio::awaitable<void> answer(Transport& transport, xmpp::Stanza iq, std::vector<std::string> readings) {
  const auto contact = co_await find(transport, account_of(transport, iq.from), std::move(readings));
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
  std::string typed = transport::tidy(prompt);
  if (typed.empty() || typed.size() > most_typed_bytes) {
    const std::string text = "Please type: " + transport.network().contact_prompt + ". " + transport.network().contact_help;
    return transport.reply_error(iq, xmpp::StanzaError{"modify", "not-acceptable", text});
  }
  transport.tasks().spawn("gateway_prompt", answer(transport, std::move(iq), readings_of(transport, std::move(typed))));
}

}  // namespace

void install_gateway_prompt(Transport& transport) {
  transport.router().on_iq(AddressForm::gateway, Request::get, ns::gateway, [&](xmpp::Stanza iq) { ask(transport, iq); });
  transport.router().on_iq(AddressForm::gateway, Request::set, ns::gateway, [&](xmpp::Stanza iq) { translate(transport, std::move(iq)); });
}

}  // namespace wherry::features
