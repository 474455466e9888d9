// XEP-0055 (v1.3): who the network knows by a name, a number, an address.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/xmpp/forms.hpp"

namespace wherry::features {

namespace {

constexpr std::size_t most_search_bytes = 512, most_found = 100;
constexpr const char* search_instructions = "Type a name, a number or an address.";

void send_search_form(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  if (!party.account) return transport.reply_error(iq, convert::not_registered(transport.face_of(party.to)));
  xmpp::DataForm form;
  form.type = "form";
  form.title = "Search " + transport.name();
  form.instructions = search_instructions;
  form.fields.push_back({"FORM_TYPE", "hidden", "", false, {ns::search}, {}});
  form.fields.push_back({"words", "text-single", "Name, number or address", true, {}, {}});
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::search);
  query.add_text_child("instructions", search_instructions);
  query.add("nick", ns::search);  // the plain field of programs without forms (§2.1)
  query.add(to_element(form));
  transport.send(result);
}

// What is looked for, as a form or in the plain fields of the specification.
std::string search_words_of(const xmpp::Element& query) {
  if (const xmpp::Element* x = query.child("x", ns::data_forms)) {
    const auto form = xmpp::parse_form(*x);
    return form ? std::string(base::trim(form->value("words"))) : std::string();
  }
  std::string words;
  for (const char* field : {"nick", "first", "last", "email"}) {
    const std::string_view text = base::trim(query.child_text(field, ns::search));
    if (!text.empty()) words.append(words.empty() ? "" : " ").append(text);
  }
  return words;
}

using FoundPeople = std::vector<std::pair<xmpp::Jid, std::string>>;  // address and name

void add_found_cell(xmpp::Element& item, const char* var, std::string_view text) {
  item.add("field", ns::data_forms).set("var", var).add_text_child("value", text);
}

// §3.
xmpp::Element form_of_found(const FoundPeople& found) {
  xmpp::Element form("x", ns::data_forms);
  form.set("type", "result");
  form.add("field", ns::data_forms).set("var", "FORM_TYPE").set("type", "hidden").add_text_child("value", ns::search);
  xmpp::Element& reported = form.add("reported", ns::data_forms);
  reported.add("field", ns::data_forms).set("var", "jid").set("label", "Address").set("type", "jid-single");
  reported.add("field", ns::data_forms).set("var", "name").set("label", "Name").set("type", "text-single");
  for (const auto& [jid, name] : found) {
    xmpp::Element& item = form.add("item", ns::data_forms);
    add_found_cell(item, "jid", jid.str());
    add_found_cell(item, "name", name);
  }
  return form;
}

// §2.2, in the form of the question.
xmpp::Element answer_of(const xmpp::Stanza& iq, const FoundPeople& found) {
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::search);
  if (iq.payload()->child("x", ns::data_forms)) {
    query.add(form_of_found(found));
    return result;
  }
  for (const auto& [jid, name] : found) {
    xmpp::Element& item = query.add("item", ns::search);
    item.set("jid", jid.str()).add_text_child("nick", name);
  }
  return result;
}

asio::awaitable<void> look_for(Transport& transport, xmpp::Stanza iq, base::AccountId account, std::string alias,
                               std::string words, accounts::Quota::Place) {
  const auto people = co_await transport.people().search(account, std::move(words));
  if (!people) co_return transport.reply_error(iq, people.error());
  FoundPeople found;
  for (const auto& one : *people) {
    if (found.size() >= most_found) break;
    if (auto jid = transport.jid_of(one.contact, alias)) found.emplace_back(std::move(*jid), one.name);
  }
  transport.send(answer_of(iq, found));
}

void begin_search(Transport& transport, xmpp::Stanza iq, const Party& party) {
  if (!party.account) return transport.reply_error(iq, convert::not_registered(transport.face_of(party.to)));
  std::string words = search_words_of(*iq.payload());
  if (words.empty() || words.size() > most_search_bytes)
    return transport.reply_error(iq, xmpp::StanzaError{"modify", "not-acceptable", search_instructions});
  auto place = transport.contacts().place_for(iq.from, party.account->id());
  if (!place) return transport.reply_error(iq, convert::too_many_questions());
  auto work = look_for(transport, iq, party.account->id(), party.to.alias, std::move(words), std::move(*place));
  transport.answer_later("search", std::move(iq), std::move(work));
}

}  // namespace

void install_search(Transport& transport) {
  if (!transport.network().has_search) return;
  for (const AddressForm face : faces) {
    transport.router().on_iq(face, Request::get, ns::search, [&transport](const xmpp::Stanza& iq, const Party& party) {
      send_search_form(transport, iq, party);
    });
    transport.router().on_iq(face, Request::set, ns::search, [&transport](xmpp::Stanza iq, const Party& party) {
      begin_search(transport, std::move(iq), party);
    });
  }
}

}  // namespace wherry::features
