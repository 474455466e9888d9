#include "gateway/child/values.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::child;
using nlohmann::json;

namespace {
const json greeting = json::parse(R"({
  "protocol": 1,
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
  CHECK(parsed.capabilities.text_bytes == 160);
  CHECK(parsed.capabilities.files == Support::full);
  CHECK(parsed.capabilities.delivery_reports == Support::partial);
}

TEST_CASE("parse_greeting takes the contract's defaults for what is left out (connector.hpp, Network)") {
  const auto parsed =
      parse_greeting(json::parse(R"({"protocol":1,"network":{"id":"n","name":"N","disco_type":"t"}})")).value();
  CHECK(parsed.network.client_type == Network().client_type);
  CHECK(parsed.network.idempotency == Idempotency::none);
  CHECK(parsed.network.redelivers);
  CHECK_FALSE(parsed.network.reports_delivery);
  CHECK(parsed.capabilities.files == Support::fall_back);
}

TEST_CASE("parse_greeting names what is wrong") {
  CHECK(greeting_error("/protocol", 2).starts_with("protocol: must be 1"));
  CHECK(greeting_error("/network", 5) == "network.: must be an object");
  CHECK(greeting_error("/network/id", "").starts_with("network.id: must be a string of 1 to 40"));
  CHECK(greeting_error("/network/name", nullptr).starts_with("network.name: "));
  CHECK(greeting_error("/network/idempotency", "maybe") ==
        "network.idempotency: must be one of by_key, queryable, none");
  CHECK(greeting_error("/network/contact_prompts/de/help", 5)
            .starts_with("network.contact_prompts.de.help: must be a string"));
  CHECK(greeting_error("/network/contact_prompts", "x").starts_with("network.contact_prompts."));
  CHECK(greeting_error("/capabilities/text_bytes", -1).starts_with("capabilities.text_bytes: "));
  CHECK(parse_greeting(json::array()).error().code == Errc::bad_input);
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

TEST_CASE("parse_receipt has an id or none; parse_contact_answer must have one") {
  CHECK(parse_receipt(json::parse(R"({"id":"n"})")).value().id == MessageId{"n"});
  CHECK_FALSE(parse_receipt(json::object()).value().id);
  CHECK(parse_receipt(json::parse("[]")).error().code == Errc::bad_input);
  const auto with_nul = parse_receipt(json::parse(R"({"id":"a\u0000b"})"));
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

TEST_CASE("parse_log_line takes the levels that it knows, and shortens") {
  CHECK(!parse_log_line(json::parse(R"({"level":"error"})")));
  CHECK(parse_log_line(json::parse(R"({"level":"error","text":"x"})"))->level == log::Level::error);
  CHECK(parse_log_line(json::parse(R"({"level":5,"text":"x"})"))->level == log::Level::info);
  json large;
  large["text"] = std::string(5000, 'x');
  CHECK(parse_log_line(large)->text.size() == 2000);
}
