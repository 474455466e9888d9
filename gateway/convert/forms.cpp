#include "gateway/convert/forms.hpp"

#include "gateway/convert/answers.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/forms.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <algorithm>
#include <array>

namespace wherry::convert {

using connector::Errc;
using connector::Error;
using connector::Field;
namespace ns = xmpp::ns;

namespace {

constexpr std::size_t most_answer_bytes = 4096;

// XEP-0077 §14.2; nothing else may stand in the namespace (§5, rule B4.5).
constexpr std::array plain_names = {"username", "nick", "password", "name", "first", "last", "email", "address", "city",
                                    "state",    "zip",  "phone",    "url",  "date",  "misc", "text",  "key"};

bool is_plain(const Field& field) {
  return std::find(plain_names.begin(), plain_names.end(), field.name) != plain_names.end() &&
         field.type != Field::Type::boolean;
}

// A client without data forms can register where every required field has a plain one.
bool is_plainly_expressible(const connector::Form& form) {
  return std::all_of(form.fields.begin(), form.fields.end(), [](const Field& f) { return is_plain(f) || !f.required; });
}

xmpp::FormField to_form_field(const Field& field) {
  xmpp::FormField out;
  out.var = field.name;
  out.label = field.label;
  out.required = field.required;
  if (!field.value.empty() && field.type != Field::Type::secret) out.values.push_back(field.value);
  switch (field.type) {
    case Field::Type::text: out.type = "text-single"; break;
    case Field::Type::secret: out.type = "text-private"; break;
    case Field::Type::boolean: out.type = "boolean"; break;
    case Field::Type::choice:
      out.type = "list-single";
      out.options = field.choices;
      break;
  }
  return out;
}

connector::Result<connector::Answers> check(const connector::Answers& given, const connector::Form& form) {
  connector::Answers answers;
  for (const Field& field : form.fields) {
    const std::string name = field.label.empty() ? field.name : field.label;
    const auto found = given.find(field.name);
    const std::string value = found == given.end()
                                  ? ""
                                  : std::string(field.type == Field::Type::secret ? std::string_view(found->second)
                                                                                  : base::trim(found->second));
    if (value.empty()) {
      if (field.required) return Error{Errc::bad_input, "Please fill in: " + name + "."};  // §3.1, rule B4.3
      continue;
    }
    if (value.size() > most_answer_bytes) return Error{Errc::bad_input, name + " is too long."};
    std::optional<std::string> meant = value;
    if (field.type == Field::Type::choice) meant = meant_choice(field, value);
    if (field.type == Field::Type::boolean) meant = meant_truth(value);
    if (!meant) {
      return Error{Errc::bad_input,
                   name + " must be " + (field.type == Field::Type::boolean ? "yes or no" : offered(field)) + "."};
    }
    answers[field.name] = std::move(*meant);
  }
  return answers;
}

}  // namespace

void show_form(xmpp::Element& query, const connector::Form& form) {
  query.add_text_child("instructions", form.instructions);
  if (is_plainly_expressible(form)) {
    for (const Field& field : form.fields) {
      if (!is_plain(field)) continue;
      query.add_text_child(field.name, field.type == Field::Type::secret ? "" : field.value);
    }
  }
  xmpp::DataForm x;
  x.type = "form";
  x.title = form.title;
  x.instructions = form.instructions;
  xmpp::FormField type;
  type.var = "FORM_TYPE";
  type.type = "hidden";
  type.values.emplace_back(ns::registration);
  x.fields.push_back(std::move(type));
  for (const Field& field : form.fields) x.fields.push_back(to_form_field(field));
  query.add(xmpp::to_element(x));
}

connector::Result<connector::Answers> read_answers(const xmpp::Element& query, const connector::Form& form) {
  connector::Answers given;
  // Of two answers to one question nobody can tell which was meant (XEP-0004 §3.2).
  std::optional<Error> twice;
  const auto give = [&](const std::string& name, const std::string& value) {
    const auto asked =
        std::find_if(form.fields.begin(), form.fields.end(), [&](const Field& field) { return field.name == name; });
    if (asked == form.fields.end() || given.emplace(name, value).second) return;
    twice = Error{Errc::bad_input, (asked->label.empty() ? name : asked->label) + " is answered twice."};
  };
  if (const xmpp::Element* x = query.child("x", ns::data_forms)) {
    const auto submitted = xmpp::parse_form(*x);
    if (!submitted) return submitted.error();
    if (submitted->type != "submit") return Error{Errc::bad_input, "Please submit the form."};
    const std::string_view purpose = submitted->value("FORM_TYPE");  // where it is missing, what else could it be
    if (!purpose.empty() && purpose != ns::registration)
      return Error{Errc::bad_input, "This is another form than the one for registering."};
    for (const auto& field : submitted->fields) {
      for (const std::string& value : field.values) give(field.var, value);
    }
  } else {
    for (const xmpp::Element& child : query.children()) {
      if (child.ns() == ns::registration) give(child.name(), child.text());
    }
  }
  if (twice) return *twice;
  return check(given, form);
}

}  // namespace wherry::convert
