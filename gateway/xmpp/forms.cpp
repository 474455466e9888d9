#include "gateway/xmpp/forms.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/namespaces.hpp"

namespace wherry::xmpp {

namespace {

constexpr std::size_t most_fields = 200;

base::Error bad_form(std::string text) { return {base::Errc::bad_input, std::move(text)}; }

Element to_element(const FormField& field) {
  Element element("field", ns::data_forms);
  element.set("var", field.var).set("type", field.type).set("label", field.label);
  if (field.required) element.add("required", ns::data_forms);
  for (const auto& value : field.values) element.add_text_child("value", value);
  for (const auto& option : field.options) {
    element.add("option", ns::data_forms).set("label", option).add_text_child("value", option);
  }
  return element;
}

FormField parse_field(const Element& element) {
  FormField field;
  field.var = element.attribute("var");
  field.type = element.attribute("type");
  field.label = element.attribute("label");
  for (const auto& child : element.children()) {
    if (child.is("required", ns::data_forms)) field.required = true;
    if (child.is("value", ns::data_forms)) field.values.push_back(child.text());
    if (child.is("option", ns::data_forms)) field.options.emplace_back(child.child_text("value", ns::data_forms));
  }
  return field;
}

}  // namespace

std::string_view DataForm::value(std::string_view var) const {
  for (const auto& field : fields) {
    if (field.var == var) return field.values.empty() ? std::string_view() : std::string_view(field.values.front());
  }
  return {};
}

Element to_element(const DataForm& form) {
  Element x("x", ns::data_forms);
  x.set("type", form.type);
  if (!form.title.empty()) x.add_text_child("title", form.title);
  if (!form.instructions.empty()) {
    // A line each: the text of one may hold no line feed (XEP-0004 §3).
    for (const auto line : base::split(form.instructions, '\n')) x.add_text_child("instructions", line);
  }
  for (const auto& field : form.fields) x.add(to_element(field));
  return x;
}

base::Result<DataForm> parse_form(const Element& x) {
  if (!x.is("x", ns::data_forms)) return bad_form("A data form was expected here (XEP-0004).");
  DataForm form;
  form.type = x.attribute("type");
  if (form.type != "form" && form.type != "submit" && form.type != "cancel" && form.type != "result") {
    return bad_form("The form's type must be form, submit, cancel or result.");
  }
  form.title = x.child_text("title", ns::data_forms);
  bool has_instructions = false;
  for (const auto& child : x.children()) {
    if (child.is("instructions", ns::data_forms)) {
      if (std::exchange(has_instructions, true)) form.instructions += '\n';
      form.instructions += child.text();
    } else if (child.is("field", ns::data_forms)) {
      if (form.fields.size() == most_fields) {
        return bad_form("A form may have " + std::to_string(most_fields) + " fields, and this one has more.");
      }
      auto field = parse_field(child);
      if (field.var.empty() && field.type != "fixed") return bad_form("A field of the form has no var.");
      form.fields.push_back(std::move(field));
    }
  }
  return form;
}

}  // namespace wherry::xmpp
