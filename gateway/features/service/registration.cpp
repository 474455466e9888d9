// In-band registration (XEP-0077 v2.4, XEP-0100 §4.1–4.3): get shows the connector's first form, set answers it.
#include "gateway/transport/registration.hpp"
#include "gateway/convert/forms.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"

namespace wherry::features {

namespace {

constexpr accounts::QuotaLimits most_under_way{1, 1, 100};
using Place = std::optional<accounts::Quota::Place>;  // given back before the answer, since the next request may follow
                                                      // it at once

accounts::Login login_of(const xmpp::Stanza& iq, const convert::Address& to) {
  return {iq.from.bare(), to.alias, std::string(iq.lang()), to.is_named};
}

asio::awaitable<void> show_form_of(Transport& transport, xmpp::Stanza iq, convert::Address to, Place place) {
  const bool is_registered = transport.accounts().find(iq.from, to.alias) != nullptr;
  auto form = co_await transport.dialogues().first_form(login_of(iq, to));
  place.reset();
  if (!form) co_return transport.reply_error(iq, convert::registration_refused(form.error()));
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& query = result.add("query", ns::registration);
  if (is_registered) query.add("registered", ns::registration);  // §3.1.1, rule B4.2
  const bool asks_nothing = form->fields.empty() && form->instructions.empty() && form->links.empty();
  if (asks_nothing) query.add_text_child("instructions", "Nothing needs to be filled in: just register.");
  else convert::show_form(query, *form);
  transport.send(result);
}

// Whatever the connector does, the question is answered.
asio::awaitable<void> show(Transport& transport, xmpp::Stanza iq, convert::Address to, Place place) {
  const xmpp::Element refused = xmpp::error_reply(iq, convert::registration_unanswered());
  std::string trouble;
  try {
    co_await show_form_of(transport, std::move(iq), std::move(to), std::move(place));
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  if (trouble.empty()) co_return;
  log::warn("registration.failed", {{"transport", transport.domain().str()}, {"error", trouble}});
  transport.send(refused);
}

// What was submitted does not travel back: there may be a password in it (§3.3).
void refuse_without_payload(Transport& transport, const xmpp::Stanza& iq, const xmpp::StanzaError& error) {
  xmpp::Element answer = xmpp::make_stanza(xmpp::Kind::iq, iq.to, iq.from, "error", iq.id());
  answer.add(xmpp::error_element(error));
  transport.send(answer);
}

// Answers the first question with what was submitted. A further one goes where there is room for it.
class SubmittedForm final : public accounts::Presenter {
 public:
  SubmittedForm(Transport& transport, const xmpp::Stanza& iq, Place place)
      : transport_(transport), iq_(head_of(iq)), query_(*iq.payload()), place_(std::move(place)) {}

  void show(const connector::Form& question) override {
    if (!has_answered_ && !question.waits) {
      has_answered_ = true;
      transport_.dialogues().answer(iq_.from, convert::read_answers(query_, question));
      return;
    }
    place_.reset();
    refuse_without_payload(transport_, iq_, convert::answered_elsewhere(iq_.to.bare()));
    // Whoever listens takes this one's place, which may be its end: nothing of it is used after this.
    transport_.hooks().question_left(iq_.from, iq_.to.bare());
  }
  void ended(const std::optional<xmpp::StanzaError>& failure) override {
    place_.reset();
    if (failure) return refuse_without_payload(transport_, iq_, *failure);
    transport_.send(xmpp::result_of(iq_));
  }

 private:
  static xmpp::Stanza head_of(const xmpp::Stanza& iq) {
    return {iq.kind, iq.from, iq.to, xmpp::make_stanza(iq.kind, iq.from, iq.to, iq.type(), iq.id())};
  }

  Transport& transport_;
  xmpp::Stanza iq_;
  xmpp::Element query_;
  Place place_;
  bool has_answered_ = false;
};

void enrol(Transport& transport, const xmpp::Stanza& iq, const convert::Address& to, Place place) {
  auto presenter = std::make_shared<SubmittedForm>(transport, iq, std::move(place));
  if (!transport.dialogues().begin(login_of(iq, to), std::move(presenter)))
    refuse_without_payload(transport, iq, convert::registration_must_wait());
}

asio::awaitable<void> remove(Transport& transport, xmpp::Stanza iq, base::AccountId id, Place place) {
  auto answer = std::make_shared<Place>(std::move(place));
  std::function<void()> removed = [&transport, iq, answer] {
    answer->reset();
    transport.send(xmpp::result_of(iq));
  };
  const bool done = co_await transport::unregister(transport, id, std::move(removed));
  answer->reset();
  if (!done) transport.reply_error(iq, convert::registration_not_removed());
}

// Nothing, and answered, where this person's registration, or too many, are being worked on.
Place take_place(Transport& transport, accounts::Quota& quota, const xmpp::Stanza& iq) {
  Place place = quota.take(iq.from.bare().str(), !transport.accounts().of(iq.from).empty());
  if (!place) transport.reply_error(iq, convert::registration_must_wait());
  return place;
}

// Otherwise it is answered.
bool may_register(Transport& transport, const xmpp::Stanza& iq, const Party& party) {
  const auto refusal = transport::refusal_to_register(transport, iq.from, party.account);
  if (refusal) transport.reply_error(iq, *refusal);
  return !refusal;
}

void on_get(Transport& transport, accounts::Quota& quota, xmpp::Stanza iq, const Party& party) {
  if (!may_register(transport, iq, party)) return;
  Place place = take_place(transport, quota, iq);
  if (place) transport.tasks().spawn("registration", show(transport, std::move(iq), party.to, std::move(place)));
}

void on_set(Transport& transport, accounts::Quota& quota, xmpp::Stanza iq, const Party& party) {
  const xmpp::Element& query = *iq.payload();
  const bool removes = query.child("remove", ns::registration) != nullptr;
  if (removes && query.children().size() != 1)
    return transport.reply_error(iq, convert::removal_must_be_alone());  // §3.2, rule B4.8
  if (removes && !party.account)
    return transport.reply_error(
        iq, convert::nothing_to_remove(transport::other_faces(transport, iq.from, party.to.alias)));
  if (!may_register(transport, iq, party)) return;
  const xmpp::Element* form = query.child("x", ns::data_forms);
  if (form && form->attribute("type") == "cancel") return transport.send(xmpp::result_of(iq));
  Place place = take_place(transport, quota, iq);
  if (!place) return;
  if (removes) {
    transport.tasks().spawn("registration.remove",
                            remove(transport, std::move(iq), party.account->id(), std::move(place)));
  } else {
    enrol(transport, iq, party.to, std::move(place));
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
