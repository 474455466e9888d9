// What SMS centres and their countries demand besides the text (SMPP 3.4 §5.2, §5.3).
#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/smpp/settings.hpp"
#include "connectors/sms/text/segments.hpp"
#include "tests/unit/sms/smpp_host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace wherry;
using namespace wherry::sms;
using nlohmann::json;
using smpp::Status;
using tests::Host;
using tests::outcome;

namespace {

base::Result<smpp::Setting> parse(const json& more) {
  json settings = {{"host", "smsc.test"}, {"system_id", "w"}, {"password", "p"}};
  settings.update(more);
  return smpp::parse_setting({"main", settings, "carriers[0]", "US", {}});
}
std::string error(const json& more) { return parse(more).error().text; }

// What an Indian SMS centre asks for: the sender's and the template's registration.
const json indian = {
    {"source_ton", 5},
    {"source_npi", 0},
    {"destination_ton", 2},
    {"destination_npi", 8},
    {"plus", true},
    {"esm_class", 3},
    {"data_coding", 0xF0},
    {"registered_delivery", 17},
    {"parameters", json::array({{{"tag", 0x1400}, {"text", "1101123"}}, {{"tag", 0x1401}, {"hex", "313100"}}})}};

SMPP_TEST("Every segment has what the SMS centre demands (SMPP 3.4 §5.2; India's DLT parameters)", demands) {
  host.start(indian);
  co_await host.up();
  const std::string text(200, 'x');
  const auto result = co_await host.send("1:k", text);
  CHECK(outcome(result) == "sent");
  REQUIRE(host.smsc.submitted.size() == 2);
  for (const auto& [m, id, sequence] : host.smsc.submitted) {
    CHECK(m.source == smpp::NetworkAddress{5, 0, "+15550001"});
    CHECK(m.destination == smpp::NetworkAddress{2, 8, "+15550100"});
    CHECK(m.esm_class == 0x43);
    CHECK(m.data_coding == 0xF0);
    CHECK(m.registered_delivery == 17);
    CHECK(m.tlvs == std::vector<smpp::Tlv>{{0x1400, "1101123"}, {0x1401, std::string("11\0", 3)}});
  }
  co_await host.end();
}

SMPP_TEST("A vendor's parameters stand beside those of a long text", beside) {
  host.start({{"concatenation", "sar"}, {"parameters", json::array({{{"tag", 0x1400}, {"text", "1"}}})}});
  co_await host.up();
  const std::string text(200, 'x');
  const auto result = co_await host.send("1:k", text);
  CHECK(outcome(result) == "sent");
  REQUIRE(host.smsc.submitted.size() == 2);
  CHECK(smpp::find_tlv(host.smsc.submitted[1].message.tlvs, 0x1400));
  CHECK(smpp::tlv_number(host.smsc.submitted[1].message.tlvs, smpp::tag::sar_segment_seqnum) == 2);
  co_await host.end();
}

SMPP_TEST("A text in UCS-2 is called so, whatever the link's alphabet is called", still_ucs2) {
  host.start({{"data_coding", 3}, {"alphabet", "latin1"}, {"delivery_reports", false}, {"registered_delivery", 17}});
  co_await host.up();
  const auto first = co_await host.send("1:k", "é");
  const auto second = co_await host.send("1:l", "п");
  CHECK(outcome(first) == "sent");
  CHECK(outcome(second) == "sent");
  REQUIRE(host.smsc.submitted.size() == 2);
  CHECK(host.smsc.submitted[0].message.data_coding == 3);
  CHECK(host.smsc.submitted[1].message.data_coding == 8);
  CHECK(host.smsc.submitted[0].message.registered_delivery == 0);
  co_await host.end();
}

SMPP_TEST("A status of the SMS centre's own means what the operator says (SMPP 3.4 §5.1.3: 0x400 to 0x4FF)",
          own_status) {
  host.start({{"statuses",
               json::array({{{"status", 0x401}, {"means", "later"}},
                            {{"status", 0x402}, {"means", "no_number"}, {"text", "The number was ported away."}}})}});
  co_await host.up();
  host.smsc.statuses = {static_cast<Status>(0x401), static_cast<Status>(0x402), static_cast<Status>(0x403)};
  const auto later = co_await host.send("1:k", "a");
  CHECK(outcome(later) == "unavailable");
  const auto unknown_number = co_await host.send("1:l", "b");
  CHECK(outcome(unknown_number) == "not_found");
  CHECK(unknown_number.error().text == "The number was ported away.");
  const auto as_ever = co_await host.send("1:m", "c");
  CHECK(outcome(as_ever) == "rejected");
  co_await host.end();
}

}  // namespace

TEST_CASE("verdict_called knows the words of the configuration") {
  using Kind = smpp::Verdict::Kind;
  const auto called = [](const char* word) { return smpp::verdict_called(word, static_cast<Status>(0x421)); };
  CHECK(called("later").kind == Kind::later);
  CHECK(called("throttled").kind == Kind::throttled);
  CHECK(called("refused").kind == Kind::refused);
  CHECK(called("no_number").refusal == base::Errc::not_found);
  CHECK(called("misconfigured").alert);
  CHECK(called("misconfigured").text.find("421") != std::string::npos);
  CHECK(smpp::verdict_words().size() == 5);
}

TEST_CASE("The bind says what the peer wants to hear of us (SMPP 3.4 §4.1)") {
  const auto setting = parse({{"address_ton", 1}, {"address_npi", 1}, {"interface_version", "5.0"}}).value();
  CHECK(setting.bind.ton == 1);
  CHECK(setting.bind.npi == 1);
  CHECK(setting.bind.interface_version == 0x50);
  CHECK(parse(json::object())->bind.interface_version == 0x34);
}

TEST_CASE("Errors in what an SMS centre demands begin with the key's path") {
  CHECK(error({{"source_ton", 8}}).starts_with("carriers[0].source_ton: must be a whole number from 0 to 7"));
  CHECK(error({{"esm_class", 4}}).starts_with("carriers[0].esm_class: must be a messaging mode"));
  CHECK(error({{"data_coding", 8}}).starts_with("carriers[0].data_coding: must not be 8"));
  CHECK(error({{"registered_delivery", 0}}).starts_with("carriers[0].registered_delivery: "));
  CHECK(error({{"interface_version", "4"}}).starts_with("carriers[0].interface_version: must be one of"));
  const auto parameter = [](const json& one) { return error({{"parameters", json::array({one})}}); };
  CHECK(parameter({{"text", "x"}}).starts_with("carriers[0].parameters[0].tag: is missing"));
  CHECK(parameter({{"tag", 0x20C}, {"text", "x"}})
            .starts_with("carriers[0].parameters[0].tag: is a parameter that long"));
  CHECK(parameter({{"tag", 1}}).starts_with("carriers[0].parameters[0].text: is missing: the value, or hex"));
  CHECK(parameter({{"tag", 1}, {"text", "x"}, {"hex", "00"}}).starts_with("carriers[0].parameters[0].text: "));
  CHECK(parameter({{"tag", 1}, {"hex", "0"}}).starts_with("carriers[0].parameters[0].hex: must be pairs"));
  CHECK(parameter({{"tag", 1}, {"text", std::string(257, 'x')}})
            .starts_with("carriers[0].parameters[0].text: must have at most 256"));
  const auto status = [](const json& one) { return error({{"statuses", json::array({one})}}); };
  CHECK(status({{"means", "later"}}).starts_with("carriers[0].statuses[0].status: is missing"));
  CHECK(status({{"status", 0x401}, {"means", "never"}})
            .starts_with("carriers[0].statuses[0].means: must be one of later"));
}

TEST_CASE("All mistakes of an SMPP carrier are told at once, those of its tables too") {
  const std::string told = error({{"port", 0},
                                  {"colour", "red"},
                                  {"tls", {{"verify", 1}}},
                                  {"parameters", json::array({{{"text", "x"}}, {{"tag", 1}}})},
                                  {"statuses", json::array({{{"means", "later"}}})}});
  CHECK(told ==
        "carriers[0].tls.verify: must be true or false\n"
        "carriers[0].parameters[0].tag: is missing: the parameter's number, like 0x1400\n"
        "carriers[0].parameters[1].text: is missing: the value, or hex\n"
        "carriers[0].statuses[0].status: is missing: the SMS centre's status, like 0x401\n"
        "carriers[0].port: must be a whole number from 1 to 65535\n"
        "carriers[0].colour: there is no such key");
}

TEST_CASE("The meanings of a status in the table of keys are the words that verdict_called knows") {
  for (const connector::Key& key : smpp::keys_of("carriers.statuses")) {
    if (key.name == "means") CHECK(key.type.choices == fmt::format("{}", fmt::join(smpp::verdict_words(), " ")));
  }
}
