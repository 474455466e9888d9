#include "gateway/transport/described.hpp"

namespace wherry::transport {

namespace ns = xmpp::ns;

namespace {

void add_feature(xmpp::Element& query, std::string_view var) { query.add("feature", ns::disco_info).set("var", var); }

void add_identity(xmpp::Element& query, std::string_view category, std::string_view type, std::string_view name) {
  query.add("identity", ns::disco_info).set("category", category).set("type", type).set("name", name);
}

xmpp::Element& add_form(xmpp::Element& query, std::string_view type) {
  xmpp::Element& form = query.add("x", ns::data_forms).set("type", "result");
  form.add("field", ns::data_forms).set("var", "FORM_TYPE").set("type", "hidden").add_text_child("value", type);
  return form;
}

void add_field(xmpp::Element& form, std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  xmpp::Element& field = form.add("field", ns::data_forms).set("var", name);
  for (const std::string& value : values) field.add_text_child("value", value);
}

// XEP-0444 §3.3.
void add_restrictions(xmpp::Element& query, const connector::Capabilities& can) {
  if (can.reactions.empty() && can.most_reactions == 0) return;
  xmpp::Element& form = add_form(query, ns::reactions + std::string(":restrictions"));
  if (can.most_reactions > 0) add_field(form, "max_reactions_per_user", {std::to_string(can.most_reactions)});
  add_field(form, "allowlist", can.reactions);
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
  if (can.files < connector::Support::fall_back) return;
  add_feature(query, ns::oob);  // at least as a link
  add_feature(query, ns::file_sharing);
}

// XEP-0157 §2; XEP-0504 §3, of which only what is so for every network of ours.
void add_service(xmpp::Element& query, const ServiceInfo& service) {
  if (!service.contacts.empty()) {
    xmpp::Element& form = add_form(query, "http://jabber.org/network/serverinfo");
    for (const char* kind : {"abuse-addresses", "admin-addresses", "support-addresses"})
      add_field(form, kind, service.contacts);
  }
  xmpp::Element& policy = add_form(query, "urn:xmpp:data-policy:0");
  add_field(policy, "access_policy", {"admins"});
  add_field(policy, "data_retention", {std::to_string(service.kept.count())});
  add_field(policy, "full_erasure", {"true"});
  if (!service.terms.empty()) add_field(policy, "tos", {service.terms});
}

}  // namespace

std::string name_of(const Transport& transport, const std::string& alias) {
  return alias.empty() ? transport.name() : transport.name() + " (" + alias + ")";
}

xmpp::Element describe_face(Transport& transport, const Address& face, bool may_register) {
  xmpp::Element query("query", ns::disco_info);
  add_identity(query, "gateway", transport.network().disco_type, name_of(transport, face.alias));
  for (const std::string& feature : transport.router().namespaces(face.form)) {
    // XEP-0077 §11: announced to those for whom it will work.
    const bool is_for_some = feature == ns::registration || feature == ns::commands || feature == ns::search;
    if (!is_for_some || may_register) add_feature(query, feature);
  }
  add_feature(query, ns::caps);
  add_feature(query, ns::escaping);
  if (transport.network().has_contact_list) add_feature(query, ns::rosterx);  // XEP-0144 §7.2
  add_service(query, transport.config().service);
  return query;
}

xmpp::Element describe_contact(Transport& transport, const accounts::LiveAccount* account,
                               const base::ContactId& contact, std::string_view name) {
  xmpp::Element query("query", ns::disco_info);
  add_identity(query, "client", transport.network().client_type, name);
  for (const std::string& feature : transport.router().namespaces(AddressForm::contact)) add_feature(query, feature);
  add_feature(query, ns::caps);
  // XEP-0184 §6: only where the network tells us of deliveries; a receipt for less would be a lie.
  if (transport.network().reports_delivery) add_feature(query, ns::receipts);
  const auto can = account ? account->capabilities(contact) : std::nullopt;
  if (can) add_abilities(query, *can);
  return query;
}

}  // namespace wherry::transport
