#include "gateway/conformance/description.hpp"

#include "gateway/connector/settings.hpp"

#include <algorithm>
#include <array>

namespace wherry::conformance {

namespace {

using connector::Answers;
using connector::Fields;
using connector::Key;
using connector::Mistakes;
using connector::required;
using connector::Type;
using nlohmann::json;

constexpr Key description_keys[] = {
    {"configuration", Type::table(), "", "what the child gets as [transport.configuration]"},
    {"account", Type::tables(), required, "who logs in; with two it is seen that accounts do not cross"},
    {"wrong_answers", Type::table(), "", "answers to the login form that must be refused"},
    {"contact", Type::text(), "", "the id of a contact that may be written to"},
    {"typed", Type::tables(), "", "what a person types, and the id that it means"},
    {"no_contacts", Type::texts(), "", "what a person may type that is no contact"},
    {"refused", Type::table(), "", "a contact to whom every message is refused, and with which code"},
    {"comes_back", Type::texts(), "", "what `contact` sends back of what is sent to it"},
    {"wait_seconds", Type::whole(1, 600), "20", "so long the network may take for each step"},
};
constexpr Key account_keys[] = {
    {"user", Type::text(), "", "an address like romeo@example.org"},
    {"answers", Type::table(), "", "the answers to the login form, by the names of its fields"},
};
constexpr Key typed_keys[] = {
    {"text", Type::text(), required, "what a person types"},
    {"id", Type::text(), required, "the contact's id that it means"},
};
constexpr Key refused_keys[] = {
    {"contact", Type::text(), required, "the id of a contact"},
    {"code", Type::text(), required, "the code with which it is refused, like \"not_found\""},
};
constexpr std::array<std::string_view, 7> what_comes_back{"text", "edit",   "retract", "react",
                                                          "read", "typing", "report"};

class DescriptionReader {
 public:
  connector::Result<Description> read(const json& object);

 private:
  Answers answers(Fields& in, std::string_view key);
  void read_accounts(Fields& top);
  void read_typed(Fields& top);
  void read_refused(Fields& top);
  void read_comes_back(Fields& top);

  Description description_;
  Mistakes mistakes_;
};

Answers DescriptionReader::answers(Fields& in, std::string_view key) {
  Answers found;
  const json* table = in.object(key);
  if (!table) return found;
  for (const auto& [name, value] : table->items()) {
    if (value.is_string()) found[name] = value.get<std::string>();
    else in.wrong(key, "must have a text in quotes for each field of the form, as in { nick = \"Romeo\" }");
  }
  return found;
}

void DescriptionReader::read_accounts(Fields& top) {
  for (const json* table : top.objects("account")) {
    const std::string number = std::to_string(description_.accounts.size());
    Fields in(*table, "account[" + number + "]", account_keys);
    Login login{in.text("user"), answers(in, "answers")};
    if (login.user.empty()) login.user = "user" + number + "@example.org";
    description_.accounts.push_back(std::move(login));
    mistakes_.add(in.finish());
  }
  if (description_.accounts.empty() && !top.is_misspelt("account"))
    top.wrong("account", "at least one [[account]] is needed: the answers to the login form");
}

void DescriptionReader::read_typed(Fields& top) {
  for (const json* table : top.objects("typed")) {
    Fields in(*table, "typed[" + std::to_string(description_.typed.size()) + "]", typed_keys);
    description_.typed.push_back({in.text("text"), in.text("id")});
    mistakes_.add(in.finish());
  }
}

void DescriptionReader::read_refused(Fields& top) {
  const json* table = top.object("refused");
  if (!table) return;
  Fields in(*table, "refused", refused_keys);
  RefusedSend refused{in.text("contact"), {}};
  const std::string code = in.text("code");
  const auto known = base::parse_errc(code);
  if (known) refused.code = *known;
  else if (!code.empty()) in.wrong("code", "must be one of the codes of connectors/README.md §7, like \"not_found\"");
  description_.refused = refused;
  mistakes_.add(in.finish());
}

void DescriptionReader::read_comes_back(Fields& top) {
  for (const std::string& word : top.texts("comes_back")) {
    const bool is_known = std::find(what_comes_back.begin(), what_comes_back.end(), word) != what_comes_back.end();
    if (!is_known) top.wrong("comes_back", "has words of text, edit, retract, react, read, typing and report only");
    description_.comes_back.insert(word);
  }
  if (!description_.comes_back.empty() && !top.has("contact") && !top.is_misspelt("contact"))
    top.wrong("contact", "is missing: the id of the contact that sends back what `comes_back` says");
}

connector::Result<Description> DescriptionReader::read(const json& object) {
  Fields top(object, "", description_keys);
  if (const json* configuration = top.object("configuration")) description_.configuration = *configuration;
  read_accounts(top);
  if (top.has("wrong_answers")) description_.wrong_answers = answers(top, "wrong_answers");
  if (const std::string contact = top.text("contact"); !contact.empty())
    description_.contact = connector::ContactId{contact};
  read_typed(top);
  description_.no_contacts = top.texts("no_contacts");
  read_refused(top);
  read_comes_back(top);
  description_.wait = std::chrono::seconds(top.number("wait_seconds"));
  mistakes_.add(top.finish());
  if (!mistakes_.empty()) return mistakes_.error();
  return std::move(description_);
}

}  // namespace

connector::Result<Description> read_description(const json& object) { return DescriptionReader().read(object); }

}  // namespace wherry::conformance
