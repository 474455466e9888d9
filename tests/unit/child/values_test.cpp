#include "gateway/child/values.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::child;
using nlohmann::json;

namespace {
const json greeting = json::parse(R"({
  "protocol": 2,
  "network": {"id": "n", "name": "N", "disco_type": "t", "client_type": "phone", "contact_prompt": "p", "contact_help": "h", "contact_prompts": {"de": {"prompt": "dp", "help": "dh"}}, "idempotency": "by_key",
              "redelivers": false, "has_presence": true, "has_contact_list": true, "reports_delivery": true},
  "capabilities": {"text": {"most": 160, "unit": "septets"}, "files": "full", "delivery_reports": "partial"}})");

std::string greeting_error(const char* pointer, json value) {
  json changed = greeting;
  changed[json::json_pointer(pointer)] = std::move(value);
  return parse_greeting(changed).error().text;
}
}  // namespace

TEST_CASE("parse_greeting reads the network and its capabilities") {
  const auto parsed = parse_greeting(greeting).value();
  CHECK(parsed.network.id == "n");
  CHECK(parsed.network.disco_type == "t");
  CHECK(parsed.network.client_type == "phone");
  CHECK(parsed.network.contact_help == "h");
  CHECK(parsed.network.contact_prompts.at("de").prompt == "dp");
  CHECK(parsed.network.contact_prompts.at("de").help == "dh");
  CHECK(parsed.network.idempotency == Idempotency::by_key);
  CHECK_FALSE(parsed.network.redelivers);
  CHECK(parsed.network.has_presence);
  CHECK(parsed.network.has_contact_list);
  CHECK(parsed.network.reports_delivery);
  CHECK(parsed.capabilities.text == TextLimit{160, TextLimit::Unit::septets});
  CHECK(parsed.capabilities.files == Support::full);
  CHECK(parsed.capabilities.delivery_reports == Support::partial);
}

TEST_CASE("parse_greeting takes the contract's defaults for what is left out (connector.hpp, Network)") {
  const auto parsed =
      parse_greeting(json::parse(R"({"protocol":2,"network":{"id":"n","name":"N","disco_type":"t"}})")).value();
  CHECK(parsed.network.client_type == Network().client_type);
  CHECK(parsed.network.idempotency == Idempotency::none);
  CHECK(parsed.network.redelivers);
  CHECK_FALSE(parsed.network.reports_delivery);
  CHECK(parsed.capabilities.files == Support::fall_back);
}

TEST_CASE("parse_greeting names what is wrong") {
  CHECK(greeting_error("/protocol", 1).starts_with("protocol: must be 2, the version this gateway speaks: to change"));
  CHECK(greeting_error("/network", 5) == "network: must be an object");
  CHECK(greeting_error("/network/id", "").starts_with("network.id: must be a string of 1 to 40"));
  CHECK(greeting_error("/network/name", nullptr).starts_with("network.name: "));
  CHECK(greeting_error("/network/idempotency", "maybe") ==
        "network.idempotency: must be one of by_key, queryable, none");
  CHECK(greeting_error("/network/contact_prompts/de/help", 5)
            .starts_with("network.contact_prompts.de.help: must be a string"));
  CHECK(greeting_error("/network/contact_prompts", "x").starts_with("network.contact_prompts"));
  CHECK(greeting_error("/capabilities/text/most", -1).starts_with("capabilities.text.most: "));
  CHECK(parse_greeting(json::array()).error().code == Errc::bad_input);
}

TEST_CASE("parse_greeting says what a gateway must know of version 2") {
  json changed = greeting;
  changed["network"].update(
      {{"refers_to_messages", true}, {"proof_of_life", 90}, {"capabilities_vary", true}, {"has_shared_link", true}});
  const auto parsed = parse_greeting(changed).value();
  CHECK(parsed.network.refers_to_messages);
  CHECK(parsed.network.proof_of_life == std::chrono::seconds(90));
  CHECK(parsed.capabilities_vary);
  CHECK(parsed.has_shared_link);
  CHECK(greeting_error("/network/proof_of_life", "1") == "network.proof_of_life: must be a whole number");
  CHECK(greeting_error("/capabilities/react", "yes") ==
        "capabilities.react: must be one of refuse, drop, fall_back, partial, full");
  CHECK(greeting_error("/capabilities/reactions", json::parse("[5]")).starts_with("capabilities.reactions: must be"));
}

TEST_CASE("Every member of Capabilities is read as it is written") {
  Capabilities all;
  all.text = {70, TextLimit::Unit::utf16};
  all.files = all.retract = Support::full;
  all.file_types = {"image/*"};
  all.file_bytes = 300'000;
  all.edit = all.reply = Support::partial;
  all.edit_within = std::chrono::seconds(900);
  all.retract_within = std::chrono::seconds(60);
  all.react = all.typing = Support::refuse;
  all.reactions = {"👍", "♥"};
  all.most_reactions = 1;
  all.read_marks = all.delivery_reports = all.formatting = Support::fall_back;
  CHECK(parse_capabilities(child::to_json(all)).value() == all);
  CHECK(parse_capabilities(json::object()).value() == Capabilities());
  CHECK(parse_capabilities(json::array()).error().text == "result: must be an object");
}

TEST_CASE("An answer to know_account may say what a repeated send costs") {
  CHECK(parse_idempotency(json::parse(R"({"idempotency":"queryable"})")).value() == Idempotency::queryable);
  CHECK_FALSE(parse_idempotency(json::object()).value());
  CHECK(parse_idempotency(json::parse(R"({"idempotency":true})")).error().text.starts_with("result.idempotency: "));
}

TEST_CASE("parse_form reads fields, their types and choices, and bounds their number") {
  const auto form = parse_form(json::parse(R"({"title":"T","instructions":"I","fields":[
      {"name":"phone","label":"Phone"},{"name":"pin","type":"secret","required":false},
      {"name":"region","type":"choice","choices":["eu","us"],"value":"eu"}]})"))
                        .value();
  CHECK(form.title == "T");
  REQUIRE(form.fields.size() == 3);
  CHECK(form.fields[0].required);
  CHECK(form.fields[1].type == Field::Type::secret);
  CHECK_FALSE(form.fields[1].required);
  CHECK(form.fields[2].choices == std::vector<std::string>{"eu", "us"});
  CHECK(form.fields[2].value == "eu");

  CHECK(parse_form(json::parse(R"({"fields":[{"name":"a"},{"label":"b"}]})"))
            .error()
            .text.starts_with("form.fields[1].name: "));
  CHECK(parse_form(json::parse(R"({"fields":[{"name":"a","choices":[1]}]})")).error().text ==
        "form.fields[0].choices: must be strings");
  json many;
  many["fields"] = json::array();
  for (int i = 0; i < 51; ++i) many["fields"].push_back(json::object({{"name", "a"}}));
  CHECK(parse_form(many).error().text.starts_with("form.fields: must be an array of at most 50"));
}

TEST_CASE("parse_credentials takes strings only") {
  CHECK(parse_credentials(json::parse(R"({"a":"b"})")).value() == Answers{{"a", "b"}});
  CHECK(parse_credentials(json::parse(R"({"a":1})")).error().text == "a: must be a string");
  CHECK(parse_credentials(json()).error().code == Errc::bad_input);
  CHECK(parse_credentials(child::to_json(Answers{{"x", "é"}})).value() == Answers{{"x", "é"}});
}

TEST_CASE("parse_entries bounds keys and values") {
  const auto entries = parse_entries(json::parse(R"([{"key":"a","value":"1"},{"key":"b"}])")).value();
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].value.empty());
  CHECK(parse_entries(json::parse(R"([{"key":""}])")).error().text.starts_with("entries[0].key: "));
  CHECK(parse_entries(json::parse(R"({})")).error().code == Errc::bad_input);
}

TEST_CASE("parse_receipt has ids or none; parse_contact_answer must have one") {
  CHECK(parse_receipt(json::parse(R"({"ids":["n","o"]})")).value().ids == std::vector{MessageId{"n"}, MessageId{"o"}});
  CHECK(parse_receipt(json::object()).value().ids.empty());
  CHECK(parse_receipt(json::parse("[]")).error().code == Errc::bad_input);
  const auto with_nul = parse_receipt(json::parse(R"({"ids":["a\u0000b"]})"));
  REQUIRE_FALSE(with_nul.has_value());  // no database holds it, and the step that has it would be refused
  CHECK(with_nul.error().code == Errc::bad_input);
  CHECK(parse_contact_answer(json::parse(R"({"contact":"a"})")).value() == ContactId{"a"});
  CHECK(parse_contact_answer(json::object()).error().code == Errc::bad_input);
}

TEST_CASE("parse_published refuses what a child may not publish, with the path of what is wrong") {
  const auto error = [](const char* text) { return parse_published(json::parse(text)).error(); };
  CHECK(error("{}").text == "account: must be a whole number");
  CHECK(error(R"({"account":7})").text.starts_with("event."));
  CHECK(error(R"({"account":7,"event":{"type":"account_changed","online":false,"needs_login":true}})")
            .text.starts_with("event.needs_login: "));
  const Error room = error(
      R"({"account":7,"event":{"type":"message_received","chat":"r:tea","sender":"a","id":"1","text":"x","sent_at":1}})");
  CHECK(room.code == Errc::unsupported);
  CHECK(room.text == "event.chat: rooms are not carried");
  const auto good =
      parse_published(json::parse(R"({"account":7,"event":{"type":"contact_removed","contact":"a"}})")).value();
  CHECK(good.account == AccountId{7});
  CHECK(std::get<ContactRemoved>(good.event).contact == ContactId{"a"});
}

TEST_CASE("parse_published refuses what happens in rooms, whatever it is") {
  for (const char* event : {R"({"type":"reacted","chat":"r:tea","sender":"a","id":"1","target":"2","reactions":[]})",
                            R"({"type":"typing_changed","chat":"r:tea","sender":"a","typing":true})"}) {
    json params;
    params["account"] = 7;
    params["event"] = json::parse(event);
    CHECK(parse_published(params).error().text == "event.chat: rooms are not carried");
  }
}

TEST_CASE("parse_log_line takes the levels that it knows, and shortens") {
  CHECK(!parse_log_line(json::parse(R"({"level":"error"})")));
  CHECK(parse_log_line(json::parse(R"({"level":"error","text":"x"})"))->level == log::Level::error);
  CHECK(parse_log_line(json::parse(R"({"level":5,"text":"x"})"))->level == log::Level::info);
  json large;
  large["text"] = std::string(5000, 'x');
  CHECK(parse_log_line(large)->text.size() == 2000);
}
