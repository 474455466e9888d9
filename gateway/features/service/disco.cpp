// XEP-0030 (v2.5.0): what the gateway and its contacts are and can do. Features come from the router, so that nothing
// is announced that is not handled.
#include "gateway/commands/commands.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/features/features.hpp"
#include "gateway/transport/for_contact.hpp"

namespace wherry::features {

namespace {

void add_feature(xmpp::Element& query, std::string_view var) { query.add("feature", ns::disco_info).set("var", var); }

void add_identity(xmpp::Element& query, std::string_view category, std::string_view type, std::string_view name) {
  query.add("identity", ns::disco_info).set("category", category).set("type", type).set("name", name);
}

// §3.2: a node that we do not have is not found.
bool refuse_node(Transport& transport, const xmpp::Stanza& iq) {
  if (iq.payload()->attribute("node").empty()) return false;
  transport.reply_error(iq, convert::no_such_node());
  return true;
}

// "SMS"; of a further account "SMS (work)".
std::string name_of(const Transport& transport, const std::string& alias) {
  return alias.empty() ? transport.name() : transport.name() + " (" + alias + ")";
}

// ---- Commands are nodes (XEP-0050 §2.2) ----

bool may_run(Transport& transport, const commands::Command& command, const xmpp::Stanza& iq, const Party& party) {
  const commands::Call call{transport, iq.from, party.to.alias, {}, {}, nullptr, party.to.is_named};
  return !commands::refusal(command, call);
}

void command_list(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::disco_items);
  query.set("node", ns::commands);
  for (const commands::Command* command : commands::all()) {
    if (!may_run(transport, *command, iq, party)) continue;
    xmpp::Element& item = query.add("item", ns::disco_items);
    item.set("jid", iq.to.bare_view()).set("node", command->name);
    item.set("name", std::string(command->name) + ": " + std::string(command->title));
  }
  transport.send(result);
}

// Whether the node is the list's or a command's; then it is answered.
bool command_info(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  const std::string_view node = iq.payload()->attribute("node");
  const commands::Command* command = commands::find(node);
  if (node != ns::commands && !(command && may_run(transport, *command, iq, party))) return false;
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::disco_info);
  query.set("node", node);
  add_identity(query, "automation", command ? "command-node" : "command-list", command ? command->title : "Commands");
  if (command) add_feature(query, ns::commands);
  if (command) add_feature(query, ns::data_forms);
  transport.send(result);
  return true;
}

void face_info(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  if (command_info(transport, iq, party) || refuse_node(transport, iq)) return;
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::disco_info);
  add_identity(query, "gateway", transport.network().disco_type, name_of(transport, party.to.alias));
  for (const std::string& feature : transport.router().namespaces(party.to.form)) {
    // XEP-0077 §11: announced to those for whom it will work.
    const bool is_for_some = feature == ns::registration || feature == ns::commands;
    const bool concerns = !is_for_some || transport.config().registration.allows(iq.from) || party.account;
    if (concerns) add_feature(query, feature);
  }
  add_feature(query, ns::escaping);
  if (transport.network().has_contact_list) add_feature(query, ns::rosterx);  // XEP-0144 §7.2
  transport.send(result);
}

// XEP-0444 §3.3.
void add_restrictions(xmpp::Element& query, const connector::Capabilities& can) {
  if (can.reactions.empty() && can.most_reactions == 0) return;
  xmpp::Element& form = query.add("x", ns::data_forms).set("type", "result");
  const auto add_field = [&](std::string_view name) -> xmpp::Element& {
    return form.add("field", ns::data_forms).set("var", name);
  };
  add_field("FORM_TYPE").set("type", "hidden").add_text_child("value", ns::reactions + std::string(":restrictions"));
  if (can.most_reactions > 0)
    add_field("max_reactions_per_user").add_text_child("value", std::to_string(can.most_reactions));
  if (can.reactions.empty()) return;
  xmpp::Element& allowed = add_field("allowlist");
  for (const std::string& reaction : can.reactions) allowed.add_text_child("value", reaction);
}

// What the chat's network can do with messages; of an account whose session is down nothing is known.
void add_abilities(xmpp::Element& query, const connector::Capabilities& can) {
  const std::pair<connector::Support, const char*> abilities[] = {
      {can.edit, ns::correction}, {can.retract, ns::retraction}, {can.react, ns::reactions},
      {can.reply, ns::reply},     {can.typing, ns::chat_states}, {can.read_marks, ns::chat_markers}};
  for (const auto& [support, feature] : abilities) {
    if (support >= connector::Support::partial) add_feature(query, feature);
  }
  if (can.react >= connector::Support::partial) add_restrictions(query, can);
}

void contact_info(Transport& transport, const xmpp::Stanza& iq, const LiveAccount* account,
                  const base::ContactId& contact) {
  const auto known = account ? account->contacts.find(contact) : decltype(account->contacts.end()){};
  const bool is_named = account && known != account->contacts.end() && !known->second.row.name.empty();
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::disco_info);
  add_identity(query, "client", transport.network().client_type, is_named ? known->second.row.name : contact.value);
  for (const std::string& feature : transport.router().namespaces(AddressForm::contact)) add_feature(query, feature);
  // XEP-0184 §6: only where the network tells us of deliveries; a receipt for less would be a lie.
  if (transport.network().reports_delivery) add_feature(query, ns::receipts);
  const auto can = account ? account->capabilities(contact) : std::nullopt;
  if (can) add_abilities(query, *can);
  transport.send(result);
}

void no_items(Transport& transport, const xmpp::Stanza& iq) {
  xmpp::Element result = xmpp::result_of(iq);
  result.add("query", ns::disco_items);
  transport.send(result);
}

// The asker's own further accounts. Contacts are not listed: whom a user knows is for that user's roster.
void gateway_items(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  if (iq.payload()->attribute("node") == ns::commands) return command_list(transport, iq, party);
  if (refuse_node(transport, iq)) return;
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::disco_items);
  for (const base::AccountId id : transport.accounts().of(iq.from)) {
    const std::string& alias = transport.accounts().find(id)->alias();
    if (alias.empty()) continue;
    xmpp::Element& item = query.add("item", ns::disco_items);
    item.set("jid", transport.face_of(alias).str()).set("name", name_of(transport, alias));
  }
  transport.send(result);
}

void answer_contact_info(Transport& transport, xmpp::Stanza iq, const Party& party) {
  if (refuse_node(transport, iq)) return;
  for_contact(transport, std::move(iq), party,
              [&transport](const xmpp::Stanza& asked, const LiveAccount* account, const base::ContactId& contact) {
                contact_info(transport, asked, account, contact);
              });
}

void answer_contact_items(Transport& transport, xmpp::Stanza iq, const Party& party) {
  if (refuse_node(transport, iq)) return;
  for_contact(transport, std::move(iq), party,
              [&transport](const xmpp::Stanza& asked, const LiveAccount*, const base::ContactId&) {
                no_items(transport, asked);
              });
}

}  // namespace

void install_disco(Transport& transport) {
  auto& router = transport.router();
  for (const AddressForm face : faces)
    router.on_iq(face, Request::get, ns::disco_info,
                 [&](const xmpp::Stanza& iq, const Party& party) { face_info(transport, iq, party); });
  router.on_iq(AddressForm::contact, Request::get, ns::disco_info,
               [&](xmpp::Stanza iq, const Party& party) { answer_contact_info(transport, std::move(iq), party); });
  router.on_iq(AddressForm::gateway, Request::get, ns::disco_items,
               [&](const xmpp::Stanza& iq, const Party& party) { gateway_items(transport, iq, party); });
  router.on_iq(AddressForm::account, Request::get, ns::disco_items, [&](const xmpp::Stanza& iq, const Party& party) {
    if (iq.payload()->attribute("node") == ns::commands) return command_list(transport, iq, party);
    if (!refuse_node(transport, iq)) no_items(transport, iq);
  });
  router.on_iq(AddressForm::contact, Request::get, ns::disco_items,
               [&](xmpp::Stanza iq, const Party& party) { answer_contact_items(transport, std::move(iq), party); });
}

}  // namespace wherry::features
