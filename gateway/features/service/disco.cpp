// XEP-0030 (v2.5.0): what the gateway and its contacts are and can do (transport/described), which commands and
// accounts there are.
#include "gateway/commands/commands.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/features/features.hpp"
#include "gateway/transport/described.hpp"
#include "gateway/transport/for_contact.hpp"
#include "gateway/xmpp/caps.hpp"

namespace wherry::features {

namespace {

// §3.2: a node that we do not have is not found.
bool refuse_node(Transport& transport, const xmpp::Stanza& iq) {
  if (iq.payload()->attribute("node").empty()) return false;
  transport.reply_error(iq, convert::no_such_node());
  return true;
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
  xmpp::Element& identity = query.add("identity", ns::disco_info).set("category", "automation");
  identity.set("type", command ? "command-node" : "command-list").set("name", command ? command->title : "Commands");
  for (const char* feature : {ns::commands, ns::data_forms})
    if (command) query.add("feature", ns::disco_info).set("var", feature);
  transport.send(result);
  return true;
}

// §3.2: a node that we do not have is not found; that of our capabilities is the whole (XEP-0115 §6.2).
void answer_info(Transport& transport, const xmpp::Stanza& iq, xmpp::Element described) {
  const std::string_view node = iq.payload()->attribute("node");
  if (!node.empty() && node != xmpp::caps_node(xmpp::caps_hash(described)))
    return transport.reply_error(iq, convert::no_such_node());
  described.set("node", node);
  xmpp::Element result = xmpp::result_of(iq);
  result.add(std::move(described));
  transport.send(result);
}

void face_info(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  if (command_info(transport, iq, party)) return;
  const bool may_register = transport.config().registration.allows(iq.from) || party.account;
  answer_info(transport, iq, transport::describe_face(transport, party.to, may_register));
}

// Where the capabilities are asked for it has no name: they are the same for all who can do the same.
void contact_info(Transport& transport, const xmpp::Stanza& iq, const LiveAccount* account,
                  const base::ContactId& contact) {
  std::string name;
  if (iq.payload()->attribute("node").empty()) name = account ? account->name_of(contact) : contact.value;
  answer_info(transport, iq, transport::describe_contact(transport, account, contact, name));
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
    item.set("jid", transport.face_of(alias).str()).set("name", transport::name_of(transport, alias));
  }
  transport.send(result);
}

void answer_contact_info(Transport& transport, xmpp::Stanza iq, const Party& party) {
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
