// The registration.
#include "gateway/base/within.hpp"
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"
#include "gateway/conformance/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::conformance {

namespace {

using connector::Account;
using connector::Answers;
using connector::Applicant;
using connector::Errc;
using connector::Error;
using connector::Field;
using connector::Form;
using connector::Result;

constexpr int steps_of_login = 3;  // each may take as long as the network may

// Answers each form with what the description has for its fields, as the gateway would let a user do.
class DescribedUser final : public connector::Dialogue {
 public:
  explicit DescribedUser(Answers answers) : answers_(std::move(answers)) {}

  asio::awaitable<Result<Answers>> ask(Form form) override {
    forms.push_back(form);
    Answers given;
    if (form.waits) co_return given;
    for (const Field& field : form.fields) {
      const auto found = answers_.find(field.name);
      given[field.name] = found == answers_.end() ? field.value : found->second;
      if (field.required && given[field.name].empty() && missing.empty()) missing = field.name;
    }
    if (!missing.empty()) co_return Error{Errc::rejected, "The user does not know that.", {}};
    co_return given;
  }

  std::vector<Form> forms;
  std::string missing;  // a field that must be answered, and is not described

 private:
  const Answers answers_;
};

class UserWhoGivesUp final : public connector::Dialogue {
 public:
  asio::awaitable<Result<Answers>> ask(Form) override {
    asked = true;
    co_return Error{Errc::rejected, "The user gave up.", {}};
  }
  bool asked = false;
};

asio::awaitable<Result<Answers>> log_in(Host& host, std::string user, const Account* present,
                                        connector::Dialogue& dialogue) {
  auto* network = co_await host.network();
  Applicant applicant;
  applicant.user = std::move(user);
  applicant.present = present;
  auto login = network->log_in(std::move(applicant), dialogue);
  try {
    co_return co_await base::within(steps_of_login * host.description.wait, std::move(login));
  } catch (const base::TimedOut&) {
    throw Silence(
        fmt::format("`log_in` is not answered within {} s.", (steps_of_login * host.description.wait).count()));
  }
}

void expect_form(const Form& form) {
  expect(!form.title.empty(), "a form of `ask` has no title.");
  for (const Field& field : form.fields) {
    expect(!field.label.empty(), "the form's field " + field.name + " has no label.");
    const bool has_choices = field.type == Field::Type::choice || field.type == Field::Type::choices;
    expect(
        has_choices == !field.choices.empty(),
        "the form's field " + field.name + " must have `choices` where its type is choice or choices, and only there.");
  }
}

asio::awaitable<void> shows_form(Host& host) {
  auto* network = co_await host.network();
  Applicant applicant;
  applicant.user = host.description.accounts.front().user;
  Result<Form> form = Form();
  try {
    auto asked = network->login_form(std::move(applicant));
    form = co_await base::within(host.description.wait, std::move(asked));
  } catch (const base::TimedOut&) {
    throw Silence("`log_in` asks nothing, and is not answered when its question is.");
  }
  expect(form.has_value(), form ? std::string() : "`log_in` is refused before it asks: " + in_words(form.error()));
  if (!form->fields.empty() || !form->title.empty()) expect_form(*form);
}

asio::awaitable<void> gives_credentials(Host& host) {
  for (std::size_t number = 1; number <= host.description.accounts.size(); ++number) {
    const Login& login = host.description.accounts.at(number - 1);
    DescribedUser user(login.answers);
    auto credentials = co_await log_in(host, login.user, nullptr, user);
    const std::string path = fmt::format("account[{}].answers", number - 1);
    expect(user.missing.empty(),
           fmt::format("the form asks for {}, which the description's {} does not have: give it.", user.missing, path));
    if (!credentials) throw Broken(fmt::format("{} is refused: {}.", path, in_words(credentials.error())));
    for (const Form& form : user.forms) expect_form(form);
    host.credentials[number] = std::move(*credentials);
  }
}

asio::awaitable<void> refuses_wrong_answers(Host& host) {
  if (!host.description.wrong_answers) throw NotTried("the description has no [wrong_answers]");
  DescribedUser user(*host.description.wrong_answers);
  const auto refused = co_await log_in(host, host.description.accounts.front().user, nullptr, user);
  expect(user.missing.empty(), "the form asks for " + user.missing + ", which wrong_answers does not have: give it.");
  expect(!refused, "the description's wrong_answers are taken: verify the answers with the network.");
  expect_refusal(refused.error(), "a login with wrong_answers");
}

asio::awaitable<void> returns_giving_up(Host& host) {
  UserWhoGivesUp user;
  const auto refused = co_await log_in(host, host.description.accounts.front().user, nullptr, user);
  if (!user.asked) throw NotTried("`log_in` asks nothing");
  expect(!refused, "the user gave up, and `log_in` is answered with credentials: return the error of `ask`.");
  expect(refused.error().code == Errc::rejected && refused.error().text == "The user gave up.",
         "the user gave up, and `log_in` is answered " + in_words(refused.error()) + ": return the error of `ask`.");
}

asio::awaitable<void> shows_what_is_on_record(Host& host) {
  const Account present = host.account(1);
  auto* network = co_await host.network();
  Applicant applicant;
  applicant.user = present.user;
  applicant.present = &present;
  const auto form = co_await network->login_form(std::move(applicant));
  expect(form.has_value(), form ? std::string() : "`log_in` is refused before it asks: " + in_words(form.error()));
  if (form->fields.empty()) throw NotTried("`log_in` asks nothing");
  for (const Field& field : form->fields) {
    const auto kept = present.credentials.find(field.name);
    if (field.type == Field::Type::secret)
      expect(field.value.empty(), "the form shows the secret of its field " + field.name + ": leave its value out.");
    else if (kept != present.credentials.end())
      expect(field.value == kept->second, fmt::format("the form's field {} shows “{}”, but “{}” is on record.",
                                                      field.name, field.value, kept->second));
  }
}

constexpr Promise all_login_promises[] = {
    {"what there is to fill in is a form that can be shown", 5, shows_form},
    {"the right answers give credentials", 5, gives_credentials},
    {"wrong answers are refused with a sentence", 5, refuses_wrong_answers},
    {"of a user who gives up, the error is returned", 5, returns_giving_up},
    {"the form shows what is on record, but no secret", 5, shows_what_is_on_record},
};

}  // namespace

std::span<const Promise> login_promises() { return all_login_promises; }

}  // namespace wherry::conformance
