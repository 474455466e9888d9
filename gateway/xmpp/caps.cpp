#include "gateway/xmpp/caps.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <algorithm>
#include <vector>

namespace wherry::xmpp {

namespace {

void append_sorted(std::string& text, std::vector<std::string> entries) {
  std::sort(entries.begin(), entries.end());
  for (const std::string& entry : entries) text += entry + '<';
}

std::string identity_of(const Element& identity) {
  std::string text(identity.attribute("category"));
  for (const char* name : {"type", "xml:lang", "name"}) text.append("/").append(identity.attribute(name));
  return text;
}

// A field as the text of step 7: its name, then its values in order.
std::string field_of(const Element& field) {
  std::string text(field.attribute("var"));
  std::vector<std::string> values;
  for (const Element& value : field.children()) values.push_back(value.text());
  std::sort(values.begin(), values.end());
  for (const std::string& value : values) text.append("<").append(value);
  return text;
}

std::string form_of(const Element& form) {
  std::string text;
  std::vector<std::string> fields;
  for (const Element& field : form.children()) {
    if (field.attribute("var") == "FORM_TYPE") text = field.child_text("value", ns::data_forms);
    else fields.push_back(field_of(field));
  }
  text += '<';
  append_sorted(text, std::move(fields));
  text.pop_back();  // append_sorted ends the last field as it ends a form
  return text;
}

}  // namespace

std::string caps_hash(const Element& query) {
  std::vector<std::string> identities, features, forms;
  for (const Element& child : query.children()) {
    if (child.is("identity", ns::disco_info)) identities.push_back(identity_of(child));
    else if (child.is("feature", ns::disco_info)) features.emplace_back(child.attribute("var"));
    else if (child.is("x", ns::data_forms)) forms.push_back(form_of(child));
  }
  std::string text;
  append_sorted(text, std::move(identities));
  append_sorted(text, std::move(features));
  append_sorted(text, std::move(forms));
  return base::to_base64(base::sha1(text));
}

std::string caps_node(std::string_view hash) { return std::string(caps_uri).append("#").append(hash); }

void add_caps(Element& presence, std::string_view hash) {
  presence.add("c", ns::caps).set("hash", "sha-1").set("node", caps_uri).set("ver", hash);
}

}  // namespace wherry::xmpp
