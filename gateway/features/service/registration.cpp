// In-band registration (XEP-0077 v2.4, XEP-0100 §4.1–4.3): get shows the connector's first form, set answers it.
#include "gateway/convert/forms.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

namespace wherry::features {

using connector::Errc;
using connector::Error;

namespace {

constexpr std::chrono::seconds log_in_limit{60};
constexpr accounts::QuotaLimits most_under_way{1, 1, 100};
constexpr std::size_t most_accounts = 16;             // of one user
using Place = std::optional<accounts::Quota::Place>;  // given back before the answer, since the next request may follow
                                                      // it at once

// Stops the connector's dialogue at its first question: that is the form to show.
class FirstForm final : public connector::Dialogue {
 public:
  asio::awaitable<connector::Result<connector::Answers>> ask(connector::Form form) override {
    if (!shown) shown = std::move(form);
    co_return Error{Errc::rejected, "The user has only asked what there is to fill in."};
  }
  std::optional<connector::Form> shown;
};

// The gateway's own question, where the network has a contact list (XEP-0100 §6.4, rule B1.43): not the connector's.
connector::Field imports_field(bool imports) {
  connector::Field field;
  field.name = "import_contacts";
  field.label = "Bring my contact list over";
  field.type = connector::Field::Type::boolean;
  field.required = false;
  field.value = imports ? "1" : "0";
  return field;
}

// Answers the first question with what was submitted.
class Submitted final : public connector::Dialogue {
 public:
  // `imports`: what holds where nothing is said of it; null where that is not asked.
  Submitted(xmpp::Element query, bool* imports) : query_(std::move(query)), imports_(imports) {}
  asio::awaitable<connector::Result<connector::Answers>> ask(connector::Form form) override {
    if (asked_)
      co_return Error{Errc::unsupported,
                      "This network needs more steps than this client's registration form has. " + form.instructions};
    asked_ = true;
    if (imports_) form.fields.push_back(imports_field(*imports_));
    auto answers = convert::read_answers(query_, form);
    if (!answers || !imports_) co_return answers;
    const auto answer = answers->extract(form.fields.back().name);
    if (!answer.empty()) *imports_ = answer.mapped() == "1";
    co_return answers;
  }

 private:
  xmpp::Element query_;
  bool* imports_;
  bool asked_ = false;
};

connector::Applicant applicant_for(const xmpp::Jid& user) {
  connector::Applicant applicant;
  applicant.user = user.bare().str();
  return applicant;
}

connector::Account present_account(const LiveAccount& account) {
  connector::Account present;
  present.id = account.id();
  present.user = account.user().str();
  present.credentials = account.row.credentials;
  return present;
}

asio::awaitable<void> show_form_of(Transport& transport, xmpp::Stanza iq, std::string alias, Place place) {
  const LiveAccount* account = transport.accounts().find(iq.from, alias);
  connector::Applicant applicant = applicant_for(iq.from);
  connector::Account present;
  if (account) {
    present = present_account(*account);
    applicant.present = &present;
  }
  const bool is_registered = account != nullptr;
  const bool imports = !account || account->row.imports;
  FirstForm dialogue;
  const auto ended = co_await base::within(log_in_limit, transport.connector().log_in(std::move(applicant), dialogue));
  place.reset();
  if (!dialogue.shown && !ended) co_return transport.reply_error(iq, convert::registration_refused(ended.error()));
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::registration);
  if (is_registered) query.add("registered", ns::registration);  // §3.1.1, rule B4.2
  if (dialogue.shown && transport.network().has_contact_list) dialogue.shown->fields.push_back(imports_field(imports));
  if (dialogue.shown) convert::show_form(query, *dialogue.shown);
  else query.add_text_child("instructions", "Nothing needs to be filled in: just register.");
  transport.send(result);
}

// Whatever the connector does, the question is answered.
asio::awaitable<void> show(Transport& transport, xmpp::Stanza iq, std::string alias, Place place) {
  const xmpp::Element refused = xmpp::error_reply(iq, convert::registration_unanswered());
  std::string trouble;
  try {
    co_await show_form_of(transport, std::move(iq), std::move(alias), std::move(place));
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  if (trouble.empty()) co_return;
  log::warn("registration.failed", {{"transport", transport.domain().str()}, {"error", trouble}});
  transport.send(refused);
}

// What was submitted does not travel back: there may be a password in it (§3.3).
void reply(Transport& transport, const xmpp::Stanza& iq, const xmpp::StanzaError& error) {
  xmpp::Element answer = xmpp::make_stanza(xmpp::Kind::iq, iq.to, iq.from, "error", iq.id());
  answer.add(xmpp::error_element(error));
  transport.send(answer);
}

asio::awaitable<void> enrol(Transport& transport, xmpp::Stanza iq, std::string alias, Place place) {
  const std::string user = iq.from.bare().str();
  connector::Applicant applicant = applicant_for(iq.from);
  connector::Account present;
  if (const LiveAccount* account = transport.accounts().find(iq.from, alias)) {
    present = present_account(*account);
    applicant.present = &present;
  }
  const bool is_new = applicant.present == nullptr;
  bool imports = is_new || transport.accounts().find(iq.from, alias)->row.imports;
  std::optional<xmpp::StanzaError> failure;
  try {
    Submitted dialogue(*iq.payload(), transport.network().has_contact_list ? &imports : nullptr);
    auto credentials =
        co_await base::within(log_in_limit, transport.connector().log_in(std::move(applicant), dialogue));
    if (credentials) {
      store::AccountRow row{
          base::AccountId{},         transport.domain().str(), iq.from.bare(), std::move(*credentials),
          transport.config().policy, std::string(iq.lang()),   imports,        alias};
      co_await transport.accounts().put(std::move(row));
      const LiveAccount* account = transport.accounts().find(iq.from, alias);
      if (account) transport.contacts().forget(account->id());
    } else {
      failure = convert::registration_refused(credentials.error());
    }
  } catch (const base::TimedOut&) {
    failure = convert::registration_unanswered();
  } catch (const db::DatabaseLost&) {
    failure = convert::registration_not_stored();
  } catch (const std::exception& e) {
    log::warn("registration.failed", {{"transport", transport.domain().str()}, {"error", e.what()}});
    failure = convert::registration_unanswered();
  }
  place.reset();
  if (failure) co_return reply(transport, iq, *failure);
  log::info("account.registered", {{"transport", transport.domain().str()}, {"user", log::masked(user)}});
  transport.send(xmpp::result_of(iq));
  LiveAccount* const account = transport.accounts().find(iq.from, alias);
  if (is_new && account) transport.hooks().registered(*account);
}

// "~work@sms.test, ~home@sms.test"
std::string other_faces(Transport& transport, const xmpp::Jid& user, const std::string& alias) {
  std::string faces_of_others;
  for (const base::AccountId id : transport.accounts().of(user)) {
    const LiveAccount& other = *transport.accounts().find(id);
    if (other.alias() == alias) continue;
    faces_of_others += (faces_of_others.empty() ? "" : ", ") + transport.face_of(other.alias()).str();
  }
  return faces_of_others;
}

// To remove the first account is to many to be rid of the gateway.
void tell_of_others(Transport& transport, const xmpp::Jid& user) {
  const std::string others = other_faces(transport, user, "");
  if (others.empty()) return;
  xmpp::Element message = xmpp::make_stanza(xmpp::Kind::message, transport.domain(), user, "chat", "");
  message.add_text_child("body", "Your account at " + transport.domain().str() +
                                     " is removed. You have others here, which stay until you remove each of them at "
                                     "its own address: " +
                                     others + ".");
  transport.send(message);
}

asio::awaitable<void> remove(Transport& transport, xmpp::Stanza iq, base::AccountId id, Place place) {
  const LiveAccount* account = transport.accounts().find(id);
  if (!account) co_return transport.send(xmpp::result_of(iq));  // removed since the request was taken
  transport::FormerAccount former{id, account->user(), account->alias(), {}};
  for (const auto& [contact, live] : account->contacts) former.contacts.push_back(contact);
  bool failed = false;
  try {
    co_await transport.accounts().remove(id);
  } catch (const std::exception& e) {
    log::error("account.remove_failed", {{"account", id.value}, {"error", e.what()}});
    failed = true;
  }
  place.reset();
  if (failed) co_return transport.reply_error(iq, convert::registration_not_removed());
  log::info("account.removed", {{"transport", transport.domain().str()}, {"account", id.value}});
  transport.send(xmpp::result_of(iq));
  if (former.alias.empty()) tell_of_others(transport, former.user);
  transport.hooks().unregistered(former);
}

// Nothing, and answered, where this person's registration, or too many, are being worked on.
Place take_place(Transport& transport, accounts::Quota& quota, const xmpp::Stanza& iq) {
  Place place = quota.take(iq.from.bare().str(), !transport.accounts().of(iq.from).empty());
  if (!place) transport.reply_error(iq, convert::registration_must_wait());
  return place;
}

// Otherwise it is answered.
bool may_register(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  if (party.account) return true;
  if (!transport.config().registration.allows(iq.from)) {
    transport.reply_error(iq, convert::may_not_register(transport.domain()));
    return false;
  }
  const bool has_room = transport.accounts().of(iq.from).size() < most_accounts;
  if (!has_room) transport.reply_error(iq, convert::too_many_accounts(most_accounts));
  return has_room;
}

void on_get(Transport& transport, accounts::Quota& quota, xmpp::Stanza iq, const Party& party) {
  if (!may_register(transport, iq, party)) return;
  Place place = take_place(transport, quota, iq);
  if (place) transport.tasks().spawn("registration", show(transport, std::move(iq), party.to.alias, std::move(place)));
}

void on_set(Transport& transport, accounts::Quota& quota, xmpp::Stanza iq, const Party& party) {
  const xmpp::Element& query = *iq.payload();
  const bool removes = query.child("remove", ns::registration) != nullptr;
  if (removes && query.children().size() != 1)
    return transport.reply_error(iq, convert::removal_must_be_alone());  // §3.2, rule B4.8
  if (removes && !party.account)
    return transport.reply_error(iq, convert::nothing_to_remove(other_faces(transport, iq.from, party.to.alias)));
  if (!may_register(transport, iq, party)) return;
  const xmpp::Element* form = query.child("x", ns::data_forms);
  if (form && form->attribute("type") == "cancel") return transport.send(xmpp::result_of(iq));
  Place place = take_place(transport, quota, iq);
  if (!place) return;
  if (removes) {
    transport.tasks().spawn("registration.remove",
                            remove(transport, std::move(iq), party.account->id(), std::move(place)));
  } else {
    transport.tasks().spawn("registration", enrol(transport, std::move(iq), party.to.alias, std::move(place)));
  }
}

}  // namespace

void install_registration(Transport& transport) {
  auto quota = std::make_shared<accounts::Quota>(most_under_way);
  for (const AddressForm face : faces) {
    transport.router().on_iq(
        face, Request::get, ns::registration,
        [&transport, quota](xmpp::Stanza iq, const Party& party) { on_get(transport, *quota, std::move(iq), party); });
    transport.router().on_iq(
        face, Request::set, ns::registration,
        [&transport, quota](xmpp::Stanza iq, const Party& party) { on_set(transport, *quota, std::move(iq), party); });
  }
}

}  // namespace wherry::features
