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
         field.type != Field::Type::boolean && field.type != Field::Type::choices;
}

// A client without data forms can register where every required field has a plain one.
bool is_plainly_expressible(const connector::Form& form) {
  return std::all_of(form.fields.begin(), form.fields.end(),
                     [](const Field& f) { return is_plain(f) || !f.required || f.type == Field::Type::hidden; });
}

xmpp::FormField to_form_field(const Field& field) {
  xmpp::FormField out;
  out.var = field.name;
  out.label = field.label;
  out.required = field.required;
  if (!field.value.empty() && field.type == Field::Type::choices) {
    for (const auto line : base::split(field.value, '\n')) out.values.emplace_back(line);
  } else if (!field.value.empty() && field.type != Field::Type::secret) {
    out.values.push_back(field.value);
  }
  switch (field.type) {
    case Field::Type::text: out.type = "text-single"; break;
    case Field::Type::secret: out.type = "text-private"; break;
    case Field::Type::boolean: out.type = "boolean"; break;
    case Field::Type::choice:
      out.type = "list-single";
      out.options = field.choices;
      break;
    case Field::Type::choices:
      out.type = "list-multi";
      out.options = field.choices;
      break;
    case Field::Type::hidden: out.type = "hidden"; break;
  }
  return out;
}

std::string shown_name(const Field& field) { return field.label.empty() ? field.name : field.label; }

// What the field holds where nothing is said of it: the only choice, or what is hidden.
std::string only_answer(const Field& field) {
  if (field.type == Field::Type::hidden) return field.value;
  const bool is_only_choice = field.type == Field::Type::choice && field.choices.size() == 1 && field.required;
  return is_only_choice ? field.choices.front() : "";
}

// Of two answers to one question nobody can tell which was meant (XEP-0004 §3.2).
std::optional<Error> give(connector::Answers& given, const connector::Form& form, const std::string& name,
                          const std::string& value) {
  const auto asked =
      std::find_if(form.fields.begin(), form.fields.end(), [&](const Field& field) { return field.name == name; });
  if (asked == form.fields.end() || given.emplace(name, value).second) return std::nullopt;
  if (asked->type != Field::Type::choices) return Error{Errc::bad_input, shown_name(*asked) + " is answered twice."};
  std::string& lines = given[name];
  if (lines.size() + value.size() < most_answer_bytes) lines += "\n" + value;
  return std::nullopt;
}

std::optional<std::string> meant_choices(const Field& field, const std::string& typed) {
  std::string meant;
  for (const auto line : base::split(typed, '\n')) {
    const auto one = meant_choice(field, base::trim(line));
    if (!one) return std::nullopt;
    meant += (meant.empty() ? "" : "\n") + *one;
  }
  return meant;
}

std::optional<std::string> meant_answer(const Field& field, const std::string& value) {
  switch (field.type) {
    case Field::Type::choice: return meant_choice(field, value);
    case Field::Type::choices: return meant_choices(field, value);
    case Field::Type::boolean: return meant_truth(value);
    case Field::Type::hidden: return field.value;  // whatever came back
    default: return value;
  }
}

xmpp::FormField fixed_field(std::string text) {
  xmpp::FormField field;
  field.type = "fixed";
  field.values.push_back(std::move(text));
  return field;
}

xmpp::Element picture_field(const connector::Picture& picture, std::size_t number) {
  xmpp::Element field("field", ns::data_forms);
  field.set("var", "picture" + std::to_string(number)).set("type", "fixed").set("label", picture.text);
  xmpp::Element& media = field.add("media", ns::media);
  media.add("uri", ns::media).set("type", picture.media_type).set_text(picture.url);
  return field;
}

}  // namespace

connector::Result<std::string> check_answer(const std::string& typed, const Field& field) {
  std::string value(field.type == Field::Type::secret ? std::string_view(typed) : base::trim(typed));
  if (value.empty()) value = only_answer(field);
  if (value.empty()) {
    if (field.required) return Error{Errc::bad_input, "Please fill in: " + shown_name(field) + "."};  // rule B4.3
    return std::string();
  }
  if (value.size() > most_answer_bytes) return Error{Errc::bad_input, shown_name(field) + " is too long."};
  if (auto meant = meant_answer(field, value)) return std::move(*meant);
  return Error{Errc::bad_input, shown_name(field) + " must be " +
                                    (field.type == Field::Type::boolean ? "yes or no" : offered(field)) + "."};
}

connector::Result<connector::Answers> check_answers(const connector::Answers& given, const connector::Form& form) {
  connector::Answers answers;
  for (const Field& field : form.fields) {
    const auto found = given.find(field.name);
    auto value = check_answer(found == given.end() ? std::string() : found->second, field);
    if (!value) return value.error();
    if (!value->empty()) answers[field.name] = std::move(*value);
  }
  return answers;
}

xmpp::Element to_data_form(const connector::Form& form, std::string_view purpose) {
  xmpp::DataForm x;
  x.type = "form";
  x.title = form.title;
  x.instructions = form.instructions;
  if (!purpose.empty()) {
    xmpp::FormField type;
    type.var = "FORM_TYPE";
    type.type = "hidden";
    type.values.emplace_back(purpose);
    x.fields.push_back(std::move(type));
  }
  for (const std::string& note : form.notes) x.fields.push_back(fixed_field(note));
  for (const connector::Link& link : form.links) x.fields.push_back(fixed_field(link.label + ": " + link.url));
  for (const Field& field : form.fields) x.fields.push_back(to_form_field(field));
  xmpp::Element element = xmpp::to_element(x);
  for (std::size_t i = 0; i < form.pictures.size(); ++i) element.add(picture_field(form.pictures[i], i + 1));
  return element;
}

connector::Result<connector::Answers> read_data_form(const xmpp::Element& x, const connector::Form& form,
                                                     std::string_view purpose) {
  const auto submitted = xmpp::parse_form(x);
  if (!submitted) return submitted.error();
  if (submitted->type != "submit") return Error{Errc::bad_input, "Please submit the form."};
  const std::string_view stated = submitted->value("FORM_TYPE");  // where it is missing, what else could it be
  if (!stated.empty() && stated != purpose) return Error{Errc::bad_input, "This is another form than the one asked."};
  connector::Answers given;
  for (const auto& submitted_field : submitted->fields) {
    for (const std::string& value : submitted_field.values) {
      const auto twice = give(given, form, submitted_field.var, value);
      if (twice) return *twice;
    }
  }
  return given;
}

void show_form(xmpp::Element& query, const connector::Form& form) {
  query.add_text_child("instructions", form.instructions);
  if (is_plainly_expressible(form)) {
    for (const Field& field : form.fields) {
      if (!is_plain(field)) continue;
      query.add_text_child(field.name, field.type == Field::Type::secret ? "" : field.value);
    }
  }
  query.add(to_data_form(form, ns::registration));
}

connector::Result<connector::Answers> read_answers(const xmpp::Element& query, const connector::Form& form) {
  if (const xmpp::Element* x = query.child("x", ns::data_forms)) {
    const auto given = read_data_form(*x, form, ns::registration);
    return given ? check_answers(*given, form) : given;
  }
  connector::Answers given;
  for (const xmpp::Element& child : query.children()) {
    if (child.ns() != ns::registration) continue;
    const auto twice = give(given, form, child.name(), child.text());
    if (twice) return *twice;
  }
  return check_answers(given, form);
}

}  // namespace wherry::convert
