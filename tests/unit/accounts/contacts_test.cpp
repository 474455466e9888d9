// The subscription table: what becomes of a contact by what happens (RFC 6121 §3, appendix A; XEP-0100 §4.6, 4.7).
#include "gateway/accounts/contacts.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::accounts;
using store::ContactRow;
using store::Offer;
using Row = ContactStep::Row;
using Say = ContactStep::Say;
using E = ContactEvent;

namespace {

const base::ContactId nurse{"nurse"};

// "-": not in the list. Else: s the user sees the contact, a the user has asked, c the contact sees the user, n it has
// a name, o it was offered, d it was declined.
std::optional<ContactRow> row(std::string_view text) {
  if (text == "-") return std::nullopt;
  const auto has = [&](char letter) { return text.find(letter) != std::string_view::npos; };
  ContactRow row;
  row.contact = nurse;
  row.user_sees = has('s');
  row.user_asked = has('a');
  row.contact_sees = has('c');
  if (has('n')) row.name = "The Nurse";
  if (has('o')) row.offer = Offer::asks;
  if (has('d')) row.offer = Offer::declined;
  return row;
}

std::string name_of(const std::optional<connector::Action>& action) {
  if (!action) return "";
  if (std::get_if<connector::AddContact>(&*action)) return "add";
  if (std::get_if<connector::RemoveContact>(&*action)) return "remove";
  const auto& answer = std::get<connector::AnswerContact>(*action);
  return answer.accepted ? "accept" : "decline";
}

std::optional<ContactRow> after(const std::optional<ContactRow>& before, const ContactStep& step) {
  if (step.change == Row::put) return step.row;
  return step.change == Row::remove ? std::nullopt : before;
}

ContactStep step_from(const std::optional<ContactRow>& before, E event, std::size_t contacts,
                      std::string_view words = {}) {
  return next_step(before ? &*before : nullptr, nurse, event, contacts, words);
}

}  // namespace

TEST_CASE("Each state and event give one row, one thing to say and one to ask of the network") {
  struct Case {
    const char* before;
    E event;
    const char* then;
    Say say;
    const char* action;
  };
  const Case cases[] = {
      {"-", E::user_subscribes, "a", Say::nothing, "add"},
      {"", E::user_subscribes, "a", Say::nothing, "add"},
      {"a", E::user_subscribes, "a", Say::nothing, "add"},  // asked again: the network may have forgotten
      {"s", E::user_subscribes, "s", Say::approved, ""},    // §3.1.3
      {"sc", E::user_subscribes, "sc", Say::approved, ""},
      {"c", E::user_subscribes, "ac", Say::nothing, "add"},
      {"o", E::user_subscribes, "a", Say::nothing, "add"},  // taken over from the network's list
      {"-", E::user_unsubscribes, "-", Say::ended, ""},
      {"s", E::user_unsubscribes, "-", Say::ended, "remove"},
      {"c", E::user_unsubscribes, "-", Say::ended, "remove"},
      {"-", E::user_approves, "c", Say::nothing, "accept"},
      {"n", E::user_approves, "cn", Say::nothing, "accept"},
      {"s", E::user_approves, "sc", Say::nothing, "accept"},
      {"o", E::user_approves, "c", Say::nothing, "accept"},
      {"-", E::user_declines, "-", Say::nothing, ""},  // the end of a removal
      {"n", E::user_declines, "-", Say::nothing, "decline"},
      {"sc", E::user_declines, "s", Say::nothing, "decline"},
      {"o", E::user_declines, "d", Say::nothing, ""},  // not offered again; the network need not hear of it
      {"a", E::network_accepts, "s", Say::nothing, ""},
      {"ac", E::network_accepts, "sc", Say::nothing, ""},
      {"-", E::network_accepts, "s", Say::nothing, ""},
      {"a", E::network_refuses, "-", Say::nothing, ""},
      {"sc", E::network_refuses, "c", Say::nothing, ""},
      {"an", E::network_refuses, "n", Say::nothing, ""},  // which may wait for its own answer
      {"-", E::network_refuses, "-", Say::nothing, ""},
      {"a", E::request_failed, "-", Say::nothing, ""},
      {"ac", E::request_failed, "c", Say::nothing, ""},
      {"s", E::request_failed, "s", Say::nothing, ""},
      {"-", E::network_asks, "", Say::nothing, ""},
      {"s", E::network_asks, "s", Say::nothing, ""},
      {"sc", E::network_removes, "-", Say::nothing, ""},
      {"-", E::network_removes, "-", Say::nothing, ""},
      {"sc", E::network_hides_user, "s", Say::nothing, ""},
      {"c", E::network_hides_user, "-", Say::nothing, ""},
      {"-", E::network_hides_user, "-", Say::nothing, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.before);
    CAPTURE(static_cast<int>(c.event));
    const auto before = row(c.before);
    const ContactStep step = step_from(before, c.event, 10);
    CHECK(after(before, step) == row(c.then));
    CHECK(step.say == c.say);
    CHECK(name_of(step.action) == c.action);
    CHECK_FALSE(step.is_dropped);
  }
}

TEST_CASE("Who asks brings a name") {
  CHECK(step_from(std::nullopt, E::network_asks, 0, "The Nurse").row.name == "The Nurse");
  CHECK(step_from(row("n"), E::network_asks, 1, "").row.name == "The Nurse");
}

TEST_CASE("Why the user asks goes with the request, as much of it as one reads") {
  const auto asked = [](const std::string& why) {
    const ContactStep step = step_from(std::nullopt, E::user_subscribes, 0, why);
    return std::get<connector::AddContact>(step.action.value()).text;
  };
  CHECK(asked("We met at the ball.") == "We met at the ball.");
  CHECK(asked("").empty());
  CHECK(asked(std::string(10000, 'x')).size() == 500);
}

TEST_CASE("A full list takes nobody new, through whichever door, and strangers leave room for the user's own") {
  for (const E event : {E::user_subscribes, E::user_approves}) {
    CHECK(step_from(std::nullopt, event, most_contacts - 1).change == Row::put);
    CHECK(step_from(std::nullopt, event, most_contacts).say == Say::full);
    CHECK(step_from(std::nullopt, event, most_contacts).change == Row::as_it_is);
    CHECK_FALSE(step_from(std::nullopt, event, most_contacts).action);
    CHECK(step_from(row("n"), event, most_contacts).change == Row::put);
  }
  const std::size_t for_strangers = most_contacts - kept_for_the_user;
  CHECK(step_from(std::nullopt, E::network_asks, for_strangers - 1).change == Row::put);
  CHECK(step_from(std::nullopt, E::network_asks, for_strangers).is_dropped);
  CHECK_FALSE(step_from(row(""), E::network_asks, most_contacts).is_dropped);
  CHECK(step_from(std::nullopt, E::network_accepts, most_contacts).is_dropped);
}

TEST_CASE("The next of an offered list may ask when one has been answered, and not otherwise") {
  for (const E event : {E::user_subscribes, E::user_approves, E::user_declines})
    CHECK(step_from(row("o"), event, 1).answers_offer);
  for (const E event : {E::user_unsubscribes, E::network_accepts, E::network_asks})
    CHECK_FALSE(step_from(row("o"), event, 1).answers_offer);
}
