#include "gateway/convert/refusals.hpp"

#include "gateway/convert/address.hpp"

#include <string>

namespace wherry::convert {

using base::Errc;

StanzaError not_registered(const xmpp::Jid& gateway) {
  return {"auth", "registration-required", "Please register with " + gateway.str() + " first."};
}

StanzaError nothing_to_remove(const std::string& others) {
  std::string text = "You are not registered here.";
  if (!others.empty()) text += " Your other accounts are removed at their own addresses: " + others + ".";
  return {"auth", "registration-required", std::move(text)};
}

StanzaError may_not_register(const xmpp::Jid& gateway) {
  return {"auth", "forbidden", "The operator of " + gateway.str() + " does not let you register here."};
}

StanzaError login_refused(const xmpp::Jid& gateway, std::string_view trouble) {
  std::string text = "The network no longer accepts your login. Please register with " + gateway.str() + " again.";
  if (!trouble.empty()) text.append(" ").append(trouble);
  return {"auth", "not-authorized", std::move(text)};
}

StanzaError logged_out(const xmpp::Jid& face) {
  return {"wait", "recipient-unavailable",
          "You are logged out, so this was not sent. Write “log in” to " + face.str() + ", and send it again then."};
}

StanzaError no_such_contact(const base::Error& why) {
  const bool is_final = why.code == Errc::not_found || why.code == Errc::bad_input;
  return is_final ? StanzaError{"cancel", "item-not-found", why.text} : xmpp::to_stanza_error(why);
}

StanzaError other_address(const xmpp::Jid& right) {
  return {"cancel", "gone", "This contact's address is " + right.str() + "; please use that one.", to_uri(right)};
}

StanzaError no_room() { return {"cancel", "service-unavailable", "This is a person, not a room."}; }

StanzaError no_such_room() { return {"cancel", "item-not-found", "There are no rooms here yet."}; }

StanzaError no_person(const xmpp::Jid& gateway) {
  return {"cancel", "service-unavailable",
          "This is the gateway itself. Write to a contact, like somebody@" + gateway.str() + "."};
}

StanzaError said_late(const xmpp::Jid& gateway) {
  return {"cancel", "not-acceptable",
          "Your message reached " + gateway.str() + " late, so nothing was done. Please write it again."};
}

StanzaError said_too_much() {
  return {"wait", "resource-constraint", "You write faster than you are answered here; please try again in a minute."};
}

StanzaError no_such_node() { return {"cancel", "item-not-found", "There is no such node here."}; }

StanzaError encrypted(std::string_view method) {
  return {
      "modify", "not-acceptable",
      "This network cannot carry encrypted messages. Please switch " + std::string(method) + " off for this contact."};
}

StanzaError cannot_take_back() {
  return {"cancel", "feature-not-implemented", "This network cannot take a message back: it stays with your contact."};
}

StanzaError cannot_carry(std::string_view what) {
  return {"cancel", "feature-not-implemented",
          "This network cannot carry " + std::string(what) + "; your contact was sent nothing."};
}

StanzaError too_long(std::size_t most_bytes) {
  return {"modify", "not-acceptable",
          "This message is too long: at most " + std::to_string(most_bytes) + " bytes can be sent."};
}

StanzaError id_too_long(std::size_t most_bytes) {
  return {"modify", "not-acceptable",
          "This message's id is too long: programs give ids of " + std::to_string(most_bytes) + " bytes at most."};
}

StanzaError too_many_waiting(std::string_view sentence) {
  return {"wait", "resource-constraint", std::string(sentence)};
}

StanzaError too_many_questions() {
  return too_many_waiting("Too many addresses are being looked up just now; please try again in a moment.");
}

StanzaError too_many_devices() { return too_many_waiting("You are here with too many devices at once."); }

StanzaError contact_list_full(std::size_t most_contacts) {
  return too_many_waiting("Your contact list is full here: " + std::to_string(most_contacts) +
                          " contacts are the most.");
}

StanzaError too_many_accounts(std::size_t most_accounts) {
  return too_many_waiting("You have " + std::to_string(most_accounts) +
                          " accounts here, and more are not possible. Remove one first.");
}

StanzaError removal_must_be_alone() { return {"modify", "bad-request", "A removal must contain nothing else."}; }

StanzaError registration_must_wait() {
  return too_many_waiting(
      "Your registration, or those of too many others, are being worked on; please try again in a moment.");
}

StanzaError registration_unanswered() {
  return {"wait", "remote-server-timeout", "The network did not answer in time; please try again later."};
}

StanzaError registration_not_stored() {
  return {"wait", "internal-server-error",
          "The gateway cannot store your registration just now; please try again later."};
}

StanzaError registration_not_removed() {
  return {"wait", "internal-server-error", "Your registration could not be removed just now; please try again later."};
}

StanzaError login_replaced() {
  return {"cancel", "conflict", "You began to register anew, so this attempt has ended."};
}

StanzaError login_crowded_out() {
  return {"wait", "resource-constraint",
          "Too many others are registering, and this question was open for long. Please begin again."};
}

StanzaError login_unanswered() {
  return {"wait", "remote-server-timeout", "The question was not answered in time. Please begin again."};
}

StanzaError login_given_up() { return {"cancel", "not-allowed", "You have stopped registering; nothing was changed."}; }

StanzaError answered_elsewhere(const xmpp::Jid& gateway) {
  return {
      "cancel", "feature-not-implemented",
      "This network has a further question, which this form has no room for. It was sent to you as a message from " +
          gateway.str() + ": answer it there."};
}

// Bad data is not-acceptable (rule B1.11), whatever exactly the network said of it; what is taken is a conflict (B4.4).
StanzaError registration_refused(const base::Error& why) {
  switch (why.code) {
    case Errc::uncertain:  // nothing was sent that could have arrived
      return why.text.empty() ? registration_unanswered() : StanzaError{"wait", "remote-server-timeout", why.text};
    case Errc::unavailable:
    case Errc::unsupported:
    case Errc::conflict: return xmpp::to_stanza_error(why);
    default: return {"modify", "not-acceptable", why.text};
  }
}

}  // namespace wherry::convert
