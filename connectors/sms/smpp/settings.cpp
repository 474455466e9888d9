#include "connectors/sms/smpp/settings.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/settings.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace wherry::sms::smpp {

namespace {

using connector::Key;
using connector::required;
using connector::Section;
using connector::Type;

constexpr Type ton_type = Type::whole(0, 7),
               npi_type = Type::whole(0, 31);  // SMPP 3.4 §5.2.5, §5.2.6, with what vendors add

constexpr Key link_keys[] = {
    {"host", Type::text(), required, "the SMS centre", "127.0.0.1"},
    {"port", Type::whole(1, 65535), "2775", "its port; 3550 with TLS", "2775"},
    {"system_id", Type::text(), required, "our account's name, at most 64 octets", "wherry"},
    {"password", Type::secret(), required, "and its password, at most 64 octets",
     "${CREDENTIALS_DIRECTORY}/smpp-password"},
    {"tls", Type::flag(), "false", "or a table with the keys of the next part"},
    {"local_address", Type::text(), "", "the IP address of this machine that connections come from"},
    {"bind", Type::one_of("transceiver transmitter_receiver"), "transceiver",
     "the second one is two connections that count as one link"},
    {"interface_version", Type::one_of("3.3 3.4 5.0"), "3.4", "what the bind claims; what is spoken is 3.4"},
    {"system_type", Type::text(), "", "of the bind, at most 12 characters"},
    {"address_range", Type::text(), "", "of the bind, at most 40 characters"},
    {"address_ton", ton_type, "0", "of the bind, beside address_range: type of number"},
    {"address_npi", npi_type, "0", "and numbering plan"},
    {"service_type", Type::text(), "", "of every segment, at most 5 characters"},
    {"alphabet", Type::one_of("gsm7 gsm7_packed latin1 ascii utf8"), "gsm7",
     "what the SMS centre takes data_coding 0 for. Ask the carrier: a wrong one shows as wrong letters on the phone"},
    {"concatenation", Type::one_of("udh udh16 sar payload"), "udh", "how the segments of a long text are marked"},
    {"most_segments", Type::whole(1, 255), "10", "of one text"},
    {"smart_encoding", Type::flag(), "false",
     "typographic quotes and dashes become plain ones where the text then takes fewer segments"},
    {"binary_is_text", Type::flag(), "false", "read data_coding 2 and 4 as text"},
    {"unknown_ton", Type::one_of("guess international national"), "guess",
     "what digits without a type of number are. Ask the carrier"},
    {"short_code_ton", ton_type, "0", "how short codes are written: type of number"},
    {"short_code_npi", npi_type, "1", "and numbering plan"},
    {"source_ton", ton_type, "1", "how whole numbers of ours are written: type of number"},
    {"source_npi", npi_type, "1", "and numbering plan"},
    {"destination_ton", ton_type, "1", "how whole numbers of others are written: type of number"},
    {"destination_npi", npi_type, "1", "and numbering plan"},
    {"plus", Type::flag(), "false", "whole numbers are written with a +"},
    {"esm_class", Type::whole(0, 255), "0",
     "the messaging mode: 0 the centre's own, 1 datagram, 2 forward, 3 store and forward"},
    {"data_coding", Type::whole(0, 255), "0", "what texts that are not UCS-2 are called, as 3 for latin1, or 240"},
    {"delivery_reports", Type::flag(), "true", "for every segment, folded into one state"},
    {"registered_delivery", Type::whole(1, 31), "1",
     "with delivery_reports: which are asked for (SMPP 3.4 §5.2.17), as 17 with those on the way"},
    {"parameters", Type::tables(), "", "optional parameters of every segment"},
    {"statuses", Type::tables(), "", "what the centre's own statuses mean"},
    {"window", Type::whole(1, 1000), "10", "segments that may be unanswered"},
    {"rate", Type::decimal(0, 10000), "0", "segments a second; 0: until the carrier says \"throttled\""},
    {"validity_hours", Type::whole(0, 24 * 30), "0", "after which the centre gives a text up; 0: its own"},
    {"enquire_link_seconds", Type::whole(0, 3600), "30", "between questions whether the link lives; 0: none"},
    {"enquire_link_limit_seconds", Type::whole(1, 600), "10", "no answer to that for so long: the link is dead"},
    {"response_limit_seconds", Type::whole(1, 600), "60", "no answer to a segment for so long: it is uncertain"},
    {"bind_limit_seconds", Type::whole(1, 600), "30", "no answer to the bind for so long: the link is tried anew"},
    {"part_patience_seconds", Type::whole(1, 86400), "1800",
     "then an unfinished long text is delivered as it is, and says so"},
    {"redelivery_window_seconds", Type::whole(0, 86400), "600",
     "in which a text that we may not have answered comes again"},
};

constexpr Key tls_keys[] = {
    {"ca_file", Type::file(), "", "the authorities that may sign the centre's certificate; otherwise the system's"},
    {"certificate_file", Type::file(), "", "our certificate, where the centre wants one"},
    {"key_file", Type::file(), "", "and its key"},
    {"server_name", Type::text(), "", "the name in the centre's certificate; otherwise host"},
    {"verify", Type::flag(), "true", "whether the centre's certificate is checked"},
};

constexpr Key parameter_keys[] = {
    {"tag", Type::whole(1, 0xFFFF), required, "the parameter's number, like 0x1400"},
    {"text", Type::text(), "", "its value, at most 256 octets; goes as it is, without a NUL"},
    {"hex", Type::text(), "", "or its value in hexadecimal digits"},
};

constexpr Key status_keys[] = {
    {"status", Type::whole(1, 0xFFFFFFFF), required, "the SMS centre's status, like 0x401"},
    {"means", Type::one_of("later throttled refused no_number misconfigured"), "refused", "what it says of the text"},
    {"text", Type::text(), "", "for the sender; otherwise as with the standard status of that meaning"},
};

constexpr Section smpp_sections[] = {
    {"carriers", "smpp", true, "An SMPP link", link_keys},
    {"carriers.tls", "smpp", false, "TLS to the SMS centre", tls_keys},
    {"carriers.parameters", "smpp", true, "An optional parameter of every segment; it has text or hex", parameter_keys},
    {"carriers.statuses", "smpp", true, "What a status of the centre's own means", status_keys},
};

}  // namespace

std::span<const Section> sections() { return smpp_sections; }

std::span<const Key> keys_of(std::string_view section) {
  const auto* found = std::find_if(std::begin(smpp_sections), std::end(smpp_sections),
                                   [&](const Section& s) { return s.name == section; });
  if (found == std::end(smpp_sections)) throw std::logic_error("there is no section " + std::string(section));
  return found->keys;
}

namespace {

constexpr std::size_t most_parameter = 256;  // octets of one: a submit_sm has other things to carry

// "tls": true, or a table.
std::optional<TlsSetting> parse_tls(connector::Fields& fields, const nlohmann::json& settings,
                                    connector::Mistakes& mistakes) {
  const auto found = settings.find("tls");
  if (found == settings.end() || found->is_boolean()) {
    if (fields.flag("tls", false)) return TlsSetting{};
    return std::nullopt;
  }
  const nlohmann::json* table = fields.object("tls");
  if (!table) return std::nullopt;
  connector::Fields in(*table, fields.path_of("tls"), keys_of("carriers.tls"));
  TlsSetting tls;
  tls.ca_file = in.text("ca_file");
  tls.certificate_file = in.text("certificate_file");
  tls.key_file = in.text("key_file");
  tls.server_name = in.text("server_name");
  tls.verify = in.flag("verify");
  for (const auto& [key, file] :
       {std::pair("ca_file", tls.ca_file), {"certificate_file", tls.certificate_file}, {"key_file", tls.key_file}}) {
    if (!file.empty() && !std::filesystem::exists(file)) in.wrong(key, "there is no such file: " + file);
  }
  mistakes.add(in.finish());
  return tls;
}

// Texts that travel as they are. One that is too long would make a PDU that no SMS centre can read, and a NUL would cut
// it.
void check_length(connector::Fields& in, std::string_view key, const std::string& value, std::size_t most) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (value.size() > most || !plain)
    in.wrong(key, fmt::format("must have at most {} characters of ASCII (SMPP 3.4 §5.2)", most));
}

std::uint8_t read_octet(connector::Fields& in, std::string_view key) {
  return static_cast<std::uint8_t>(in.number(key));
}

void read_addresses(connector::Fields& in, AddressRules& rules) {
  const std::string ton = in.choice("unknown_ton");
  rules.unknown_ton = ton == "international" ? UnknownTon::international
                      : ton == "national"    ? UnknownTon::national
                                             : UnknownTon::guess;
  rules.short_code_ton = read_octet(in, "short_code_ton");
  rules.short_code_npi = read_octet(in, "short_code_npi");
  rules.source_ton = read_octet(in, "source_ton");
  rules.source_npi = read_octet(in, "source_npi");
  rules.destination_ton = read_octet(in, "destination_ton");
  rules.destination_npi = read_octet(in, "destination_npi");
  rules.plus = in.flag("plus");
}

void read_bind(connector::Fields& in, Bind& bind) {
  bind.system_id = in.text("system_id");
  bind.password = in.secret("password").reveal();
  bind.system_type = in.text("system_type");
  bind.address_range = in.text("address_range");
  bind.ton = read_octet(in, "address_ton");
  bind.npi = read_octet(in, "address_npi");
  const std::string version = in.choice("interface_version");
  bind.interface_version = version == "3.3" ? 0x33 : version == "5.0" ? 0x50 : 0x34;
}

// One of `parameters`: { tag = 0x1400, text = "…" }, or `hex`.
Tlv read_parameter(connector::Fields& in) {
  constexpr std::uint16_t ours[] = {tag::sar_msg_ref_num, tag::sar_total_segments, tag::sar_segment_seqnum,
                                    tag::message_payload};
  Tlv parameter;
  parameter.tag = static_cast<std::uint16_t>(in.number("tag"));
  if (std::find(std::begin(ours), std::end(ours), parameter.tag) != std::end(ours))
    in.wrong("tag", "is a parameter that long texts need; the key `concatenation` says which");
  const std::string text = in.text("text"), hex = in.text("hex");
  const auto octets = base::from_hex(hex);
  if (text.empty() == hex.empty())
    in.wrong("text", text.empty() ? "is missing: the value, or hex" : "stands beside hex: keep one of them");
  else if (!octets) in.wrong("hex", "must be pairs of hexadecimal digits");
  else parameter.value = text + *octets;
  if (parameter.value.size() > most_parameter)
    in.wrong(hex.empty() ? "text" : "hex", fmt::format("must have at most {} octets", most_parameter));
  return parameter;
}

void read_submit(connector::Fields& in, SubmitSetting& submit, connector::Mistakes& mistakes) {
  constexpr std::uint8_t modes = 0x83;  // the other bits say what kind of message it is
  submit.esm_class = read_octet(in, "esm_class");
  if ((submit.esm_class & ~modes) != 0)
    in.wrong("esm_class", "must be a messaging mode: 0, 1, 2 or 3 (SMPP 3.4 §5.2.12)");
  submit.data_coding = read_octet(in, "data_coding");
  if (submit.data_coding == 8)
    in.wrong("data_coding", "must not be 8: that is UCS-2, and this is of the link's alphabet");
  submit.registered_delivery = read_octet(in, "registered_delivery");
  std::size_t index = 0;
  for (const nlohmann::json* table : in.objects("parameters")) {
    connector::Fields parameter(*table, fmt::format("{}[{}]", in.path_of("parameters"), index++),
                                keys_of("carriers.parameters"));
    submit.parameters.push_back(read_parameter(parameter));
    mistakes.add(parameter.finish());
  }
}

Verdicts read_verdicts(connector::Fields& in, connector::Mistakes& mistakes) {
  Verdicts verdicts;
  std::size_t index = 0;
  for (const nlohmann::json* table : in.objects("statuses")) {
    connector::Fields one(*table, fmt::format("{}[{}]", in.path_of("statuses"), index++), keys_of("carriers.statuses"));
    const auto status = static_cast<std::uint32_t>(one.number("status"));
    Verdict verdict = verdict_called(one.choice("means"), static_cast<Status>(status));
    verdict.text = one.text("text", std::move(verdict.text));
    verdicts[status] = std::move(verdict);
    mistakes.add(one.finish());
  }
  return verdicts;
}

}  // namespace

AddressRules address_rules(const CarrierSetting& source) {
  AddressRules rules;
  rules.region = source.region;
  rules.has_own_region = !source.region.empty();
  serve(rules, source.numbers);
  return rules;
}

void serve(AddressRules& rules, std::vector<std::string> numbers) {
  if (!rules.has_own_region) rules.region.clear();
  for (const std::string& ours : numbers) {
    if (rules.region.empty() && ours.starts_with('+')) rules.region = region_of({Address::Type::international, ours});
  }
  rules.numbers = by_ending(std::move(numbers));
}

base::Result<Setting> parse_setting(const CarrierSetting& source) {
  connector::Fields in(source.settings, source.path, keys_of("carriers"));
  connector::Mistakes mistakes;
  Setting s;
  s.name = source.name;
  s.endpoint.host = in.text("host");
  s.endpoint.tls = parse_tls(in, source.settings, mistakes);
  s.endpoint.port = static_cast<std::uint16_t>(in.number("port", s.endpoint.tls ? 3550 : 2775, 1, 65535));
  s.endpoint.local_address = in.text("local_address");
  boost::system::error_code bad_address;
  boost::asio::ip::make_address(s.endpoint.local_address, bad_address);
  if (!s.endpoint.local_address.empty() && bad_address)
    in.wrong("local_address", "must be one of this machine's IP addresses");

  read_bind(in, s.bind);
  s.two_binds = in.choice("bind") == "transmitter_receiver";
  s.service_type = in.text("service_type");

  s.split.link = *parse_alphabet(in.choice("alphabet"));
  const std::string method = in.choice("concatenation");
  s.split.concatenation = method == "udh16"     ? Concatenation::udh16
                          : method == "sar"     ? Concatenation::sar
                          : method == "payload" ? Concatenation::payload
                                                : Concatenation::udh;
  s.split.most_parts = static_cast<std::size_t>(in.number("most_segments"));
  s.split.simplify = in.flag("smart_encoding");
  s.binary_is_text = in.flag("binary_is_text");

  s.addresses = address_rules(source);
  read_addresses(in, s.addresses);
  read_submit(in, s.submit, mistakes);
  s.verdicts = read_verdicts(in, mistakes);

  s.window = static_cast<std::size_t>(in.number("window"));
  s.rate = in.decimal("rate");
  s.delivery_reports = in.flag("delivery_reports");
  s.validity = std::chrono::hours(in.number("validity_hours"));
  s.limits.enquire_interval = std::chrono::seconds(in.number("enquire_link_seconds"));
  s.limits.enquire_response = std::chrono::seconds(in.number("enquire_link_limit_seconds"));
  s.limits.submit_response = std::chrono::seconds(in.number("response_limit_seconds"));
  s.limits.bind_response = std::chrono::seconds(in.number("bind_limit_seconds"));
  s.part_patience = std::chrono::seconds(in.number("part_patience_seconds"));
  s.redelivery_window = std::chrono::seconds(in.number("redelivery_window_seconds"));
  check_length(in, "service_type", s.service_type, 5);
  check_length(in, "system_type", s.bind.system_type, 12);
  check_length(in, "address_range", s.bind.address_range, 40);
  // SMPP 3.4 gives 15 and 8 octets; the field has longer ones, and a NUL would cut them.
  if (s.bind.system_id.size() > 64 || s.bind.password.size() > 64)
    in.wrong("system_id", "system_id and password have at most 64 octets");

  mistakes.add(in.finish());
  if (!mistakes.empty()) return mistakes.error();
  return s;
}

}  // namespace wherry::sms::smpp
