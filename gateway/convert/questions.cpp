#include "gateway/convert/questions.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/forms.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::convert {

namespace {

using connector::Field;

constexpr std::string_view as_it_is = "-";

bool is_asked(const Field& field) {
  const bool is_only_choice = field.type == Field::Type::choice && field.choices.size() == 1 && field.required;
  return field.type != Field::Type::hidden && !is_only_choice;
}

// What the number stands for, unless it is itself one of the choices.
std::string numbered(const Field& field, std::string_view typed) {
  const std::string_view text = base::trim(typed);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  const bool is_choice = std::ranges::find(field.choices, text) != field.choices.end();
  if (!is_number || is_choice || number < 1 || number > field.choices.size()) return std::string(text);
  return field.choices[number - 1];
}

std::string spelled(const Field& field, std::string_view line) {
  if (field.type == Field::Type::choice) return numbered(field, line);
  if (field.type != Field::Type::choices) return std::string(line);
  std::string lines;
  for (const auto one : base::split(line, ',')) lines += (lines.empty() ? "" : "\n") + numbered(field, one);
  return lines;
}

std::string hint(const Field& field) {
  switch (field.type) {
    case Field::Type::secret: return "Your answer stays in the history of this chat: delete it there afterwards.";
    case Field::Type::boolean: return "Answer yes or no.";
    case Field::Type::choice: return "Answer with the number in front of it.";
    case Field::Type::choices: return "Answer with the numbers in front of them, like 1, 2.";
    default: return "";
  }
}

void add_line(std::string& text, std::string_view line) {
  if (line.empty()) return;
  if (!text.empty()) text += '\n';
  text += line;
}

std::string shown_value(const Field& field) {
  if (field.type == Field::Type::boolean) return field.value == "1" ? "yes" : "no";
  return field.value;
}

}  // namespace

Questions::Questions(connector::Form form) : form_(std::move(form)) { skip(); }

void Questions::skip() {
  while (!is_complete() && !is_asked(form_.fields[at_])) ++at_;
}

std::string Questions::opening() const {
  std::string text = form_.title;
  add_line(text, form_.instructions);
  for (const std::string& note : form_.notes) add_line(text, note);
  for (const connector::Link& link : form_.links)
    add_line(text, link.label.empty() ? link.url : link.label + ": " + link.url);
  for (const connector::Picture& picture : form_.pictures) {
    add_line(text, picture.text);
    if (!picture.url.starts_with("data:")) add_line(text, picture.url);
  }
  return text;
}

std::string Questions::question() const {
  const Field& field = form_.fields[at_];
  std::string text = (field.label.empty() ? field.name : field.label) + (field.label.ends_with('?') ? "" : "?");
  for (std::size_t i = 0; i < field.choices.size(); ++i)
    add_line(text, std::to_string(i + 1) + ". " + field.choices[i]);
  add_line(text, hint(field));
  if (!field.value.empty() && field.type != Field::Type::secret)
    add_line(text, "Now it is “" + shown_value(field) + "”. Answer “-” to leave it so.");
  else if (!field.required) add_line(text, "Answer “-” to leave it out.");
  return text;
}

std::vector<Questions::Response> Questions::responses() const {
  constexpr std::size_t most_buttons = 10;
  const Field& field = form_.fields[at_];
  std::vector<Response> responses;
  if (field.type == Field::Type::boolean) responses = {{"yes", "Yes"}, {"no", "No"}};
  if (field.type == Field::Type::choice && field.choices.size() <= most_buttons) {
    for (std::size_t i = 0; i < field.choices.size(); ++i)
      responses.emplace_back(std::to_string(i + 1), field.choices[i]);
  }
  const bool has_value = !field.value.empty() && field.type != Field::Type::secret;
  if (has_value) responses.emplace_back(as_it_is, "Leave it as it is");
  else if (!field.required) responses.emplace_back(as_it_is, "Leave it out");
  return responses;
}

std::optional<std::string> Questions::take(std::string_view line) {
  const Field& field = form_.fields[at_];
  std::string typed = spelled(field, line);
  const bool is_kept = base::trim(line) == as_it_is && (!field.required || !field.value.empty());
  if (is_kept) typed = field.type == Field::Type::secret ? "" : field.value;
  if (!is_kept || !typed.empty()) {
    auto answer = check_answer(typed, field);
    if (!answer) return answer.error().text;
    if (!answer->empty()) answers_[field.name] = std::move(*answer);
  }
  ++at_;
  skip();
  return std::nullopt;
}

}  // namespace wherry::convert
