#include "gateway/convert/questions.hpp"
#include "gateway/convert/forms.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::convert;
using connector::Field;

namespace {

Field field_of(Field::Type type, std::string name, std::vector<std::string> choices = {}) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  field.choices = std::move(choices);
  return field;
}

Questions questions_of(std::vector<Field> fields) {
  connector::Form form;
  form.fields = std::move(fields);
  return Questions(std::move(form));
}

}  // namespace

TEST_CASE("A form is asked one field after the other") {
  Questions questions = questions_of({field_of(Field::Type::text, "username"), field_of(Field::Type::text, "phone")});
  CHECK(questions.question() == "username?");
  CHECK_FALSE(questions.take(" romeo "));
  CHECK_FALSE(questions.is_complete());
  CHECK(questions.question() == "phone?");
  CHECK_FALSE(questions.take("+1"));
  CHECK(questions.is_complete());
  CHECK(questions.answers() == connector::Answers{{"username", "romeo"}, {"phone", "+1"}});
}

TEST_CASE("A choice is answered by its number or by itself, and a wrong answer is asked again") {
  Questions questions = questions_of({field_of(Field::Type::choice, "region", {"north", "south"})});
  CHECK(questions.question() == "region?\n1. north\n2. south\nAnswer with the number in front of it.");
  CHECK(questions.take("3") == "region must be one of those offered: north, south.");
  CHECK(questions.take("east") == "region must be one of those offered: north, south.");
  CHECK_FALSE(questions.take("2"));
  CHECK(questions.answers().at("region") == "south");
}

TEST_CASE("A number that is itself a choice means that choice") {
  Questions questions = questions_of({field_of(Field::Type::choice, "port", {"2", "1"})});
  CHECK_FALSE(questions.take("1"));
  CHECK(questions.answers().at("port") == "1");
}

TEST_CASE("Several choices are answered by their numbers, and are a line each") {
  Questions questions = questions_of({field_of(Field::Type::choices, "rooms", {"a", "b", "c"})});
  CHECK_FALSE(questions.take("1, 3"));
  CHECK(questions.answers().at("rooms") == "a\nc");
}

TEST_CASE("What has one possible answer is not asked") {
  Field hidden = field_of(Field::Type::hidden, "token");
  hidden.value = "t1";
  Questions questions = questions_of({field_of(Field::Type::choice, "phone", {"+1"}), hidden});
  REQUIRE(questions.is_complete());
  const auto answers = check_answers(questions.answers(), questions.form());
  REQUIRE(answers.has_value());
  CHECK(*answers == connector::Answers{{"phone", "+1"}, {"token", "t1"}});
}

TEST_CASE("A required field with several possible answers is asked for") {
  connector::Form form;
  form.fields = {field_of(Field::Type::choice, "phone", {"+1", "+2"})};
  CHECK(check_answers({}, form).error().text == "Please fill in: phone.");
}

TEST_CASE("A dash leaves what is on record, and leaves out what is not required") {
  Field nick = field_of(Field::Type::text, "nick");
  nick.value = "Romeo";
  Field email = field_of(Field::Type::text, "email");
  email.required = false;
  Field username = field_of(Field::Type::text, "username");
  Questions questions = questions_of({nick, email, username});
  CHECK_FALSE(questions.take("-"));
  CHECK_FALSE(questions.take("-"));
  CHECK_FALSE(questions.take("-"));  // somebody may be called so
  CHECK(questions.answers() == connector::Answers{{"nick", "Romeo"}, {"username", "-"}});
}

TEST_CASE("Whoever is asked for a secret is told where it stays, and what is on record of it is not shown") {
  Field password = field_of(Field::Type::secret, "password");
  password.value = "hunter2";
  const std::string question = questions_of({password}).question();
  CHECK(question.find("history of this chat") != std::string::npos);
  CHECK(question.find("hunter2") == std::string::npos);
}

TEST_CASE("What stands above the questions has notes, links and pictures by their address") {
  connector::Form form;
  form.title = "IM";
  form.instructions = "Log in.";
  form.notes = {"It takes a minute."};
  form.links = {{"Page", "https://im.test/1"}};
  form.pictures = {{"image/png", "https://im.test/qr.png", "A code to scan"},
                   {"image/png", "data:image/png;base64,AA", ""}};
  CHECK(Questions(form).opening() ==
        "IM\nLog in.\nIt takes a minute.\nPage: https://im.test/1\nA code to scan\nhttps://im.test/qr.png");
}

TEST_CASE("What has few answers has a button for each (XEP-0439)") {
  const auto responses = [](Field field) {
    connector::Form form;
    form.fields.push_back(std::move(field));
    return Questions(std::move(form)).responses();
  };
  using Responses = std::vector<Questions::Response>;
  Field field = field_of(Field::Type::choice, "number", {"+15550001", "+15550002"});
  CHECK(responses(field) == Responses{{"1", "+15550001"}, {"2", "+15550002"}});
  field.value = "+15550002";
  CHECK(responses(field).back() == Questions::Response{"-", "Leave it as it is"});
  field.choices.resize(100);
  CHECK(responses(field).size() == 1);
  CHECK(responses(field_of(Field::Type::boolean, "sure")) == Responses{{"yes", "Yes"}, {"no", "No"}});
  Field optional = field_of(Field::Type::text, "nick");
  CHECK(responses(optional).empty());
  optional.required = false;
  CHECK(responses(optional) == Responses{{"-", "Leave it out"}});
}
