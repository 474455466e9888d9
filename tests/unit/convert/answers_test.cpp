#include "gateway/convert/answers.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::convert;

namespace {

connector::Field choices(std::string name, std::vector<std::string> of) {
  connector::Field field;
  field.name = std::move(name);
  field.type = connector::Field::Type::choice;
  field.choices = std::move(of);
  return field;
}

}  // namespace

TEST_CASE("A number that is offered may be typed as it stands on a card") {
  const connector::Field phone = choices("phone", {"+14155550101", "+14155550102", "+491715550101", "72404"});
  struct Row {
    const char* typed;
    const char* meant;  // null: none, or not clear which
  };
  const Row rows[] = {
      {"+14155550101", "+14155550101"},
      {"+1 (415) 555-0101", "+14155550101"},
      {"(415) 555-0102", "+14155550102"},
      {"0014155550101", "+14155550101"},
      {"0171 5550101", "+491715550101"},
      {"1 415 555 0102", "+14155550102"},
      {"tel:+1-415-555-0101", "+14155550101"},
      {"72404", "72404"},
      {"555-0101", nullptr},  // of two
      {"+15550101", nullptr},
      {"0101", nullptr},
      {"+14155550103", nullptr},
      {"", nullptr},
      {"phone", nullptr},
      {"+", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.typed);
    const auto meant = meant_choice(phone, row.typed);
    CHECK(meant.has_value() == (row.meant != nullptr));
    if (meant && row.meant) CHECK(*meant == row.meant);
  }
}

TEST_CASE("Digits say nothing of a choice that is no phone number") {
  CHECK_FALSE(meant_choice(choices("server", {"irc-6667", "irc-66697"}), "6667"));
}

TEST_CASE("A choice may be typed in another case, where that is clear") {
  CHECK(meant_choice(choices("region", {"East", "West"}), "west") == "West");
  CHECK(meant_choice(choices("region", {"east", "East"}), "East") == "East");
  CHECK_FALSE(meant_choice(choices("region", {"east", "East"}), "EAST"));
  CHECK_FALSE(meant_choice(choices("region", {"East"}), "north"));
}

TEST_CASE("Yes and no, as people and clients write them") {
  for (const char* yes : {"1", "true", "True", "yes", "YES"}) CHECK(meant_truth(yes) == "1");
  for (const char* no : {"0", "false", "No"}) CHECK(meant_truth(no) == "0");
  for (const char* neither : {"", "2", "maybe", "yes please"}) CHECK_FALSE(meant_truth(neither));
}

TEST_CASE("A refusal names what is offered, or the first of many") {
  CHECK(offered(choices("r", {"east", "west"})) == "one of those offered: east, west");
  std::vector<std::string> many;
  for (int i = 1; i <= 11; ++i) many.push_back(std::to_string(i));
  CHECK(offered(choices("r", many)) == "one of those offered: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 …");
}
