#include "gateway/accounts/contacts.hpp"

#include "gateway/base/text.hpp"

#include <utility>

namespace wherry::accounts {

using store::ContactRow;
using store::Offer;

namespace {

using Row = ContactStep::Row;
using Say = ContactStep::Say;

constexpr std::size_t most_reason_bytes = 500;  // of a request, for people to read

bool has_subscription(const ContactRow& row) { return row.user_sees || row.user_asked || row.contact_sees; }

// A request that came to nothing leaves no row, or ever new ones would fill the list. A contact with a name has asked
// itself, and may wait for its answer.
bool says_something(const ContactRow& row) {
  return has_subscription(row) || row.offer != Offer::none || !row.name.empty();
}

ContactStep put(ContactRow row) {
  ContactStep step;
  step.change = Row::put;
  step.row = std::move(row);
  return step;
}

ContactStep remove(const ContactRow* present) {
  ContactStep step;
  if (present) step.change = Row::remove;
  return step;
}

ContactStep say(Say what) {
  ContactStep step;
  step.say = what;
  return step;
}

ContactStep drop() {
  ContactStep step;
  step.is_dropped = true;
  return step;
}

ContactStep subscribe(const ContactRow* present, ContactRow row, std::size_t contacts, std::string_view why) {
  if (row.user_sees) return say(Say::approved);
  if (!present && !has_room(contacts)) return say(Say::full);
  row.user_asked = true;
  row.offer = Offer::none;
  connector::AddContact add;
  add.contact = row.contact;
  add.text = base::utf8_prefix(why, most_reason_bytes);
  ContactStep step = put(std::move(row));
  step.action = std::move(add);
  step.answers_offer = true;
  return step;
}

ContactStep unsubscribe(const ContactRow* present, const base::ContactId& contact) {
  ContactStep step = say(Say::ended);
  if (!present) return step;
  step.change = Row::remove;
  connector::RemoveContact remove;
  remove.contact = contact;
  step.action = std::move(remove);
  return step;
}

// The user's answer to a contact that asked, or a change of mind.
ContactStep answer(const ContactRow* present, ContactRow row, bool accepted, std::size_t contacts) {
  if (!present && !accepted) return {};  // the end of a removal that `unsubscribe` began
  if (!present && !has_room(contacts)) return say(Say::full);
  const bool was_offered = std::exchange(row.offer, Offer::none) != Offer::none;
  row.contact_sees = accepted;
  connector::AnswerContact reply;
  reply.contact = row.contact;
  reply.accepted = accepted;
  ContactStep step;
  if (was_offered && !accepted) {
    row.offer = Offer::declined;  // of which the network need not hear
    step = put(std::move(row));
  } else if (accepted || has_subscription(row)) {
    step = put(std::move(row));
    step.action = std::move(reply);
  } else {
    step.change = Row::remove;
    step.action = std::move(reply);
  }
  step.answers_offer = true;
  return step;
}

}  // namespace

ContactStep next_step(const ContactRow* present, const base::ContactId& contact, ContactEvent event,
                      std::size_t contacts, std::string_view words) {
  ContactRow row = present ? *present : ContactRow{};
  row.contact = contact;
  switch (event) {
    case ContactEvent::user_subscribes: return subscribe(present, std::move(row), contacts, words);
    case ContactEvent::user_unsubscribes: return unsubscribe(present, contact);
    case ContactEvent::user_approves: return answer(present, std::move(row), true, contacts);
    case ContactEvent::user_declines: return answer(present, std::move(row), false, contacts);
    case ContactEvent::network_accepts:
      if (!present && !has_room(contacts)) return drop();
      row.user_asked = false;
      row.user_sees = true;
      return put(std::move(row));
    case ContactEvent::network_refuses:
    case ContactEvent::request_failed:
      row.user_asked = false;
      if (event == ContactEvent::network_refuses) row.user_sees = false;
      return present && says_something(row) ? put(std::move(row)) : remove(present);
    case ContactEvent::network_asks:
      if (!present && !has_room(contacts + kept_for_the_user)) return drop();
      if (!words.empty()) row.name = words;
      return put(std::move(row));
    case ContactEvent::network_removes: return remove(present);
    case ContactEvent::network_hides_user:
      row.contact_sees = false;
      return present && says_something(row) ? put(std::move(row)) : remove(present);
  }
  return {};
}

}  // namespace wherry::accounts
