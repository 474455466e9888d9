#include "connectors/sms/smpp/settings.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/settings.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_parameter = 256;  // octets of one: a submit_sm has other things to carry

// "tls": true, or a table.
std::optional<TlsSetting> parse_tls(connector::Fields& fields, const nlohmann::json& settings, const std::string& path,
                                    base::Result<void>& problem) {
  const auto found = settings.find("tls");
  if (found == settings.end() || found->is_boolean()) {
    if (fields.flag("tls", false)) return TlsSetting{};
    return std::nullopt;
  }
  const nlohmann::json* table = fields.object("tls");
  if (!table) return std::nullopt;
  connector::Fields in(*table, path + ".tls");
  TlsSetting tls;
  tls.ca_file = in.text("ca_file", {});
  tls.certificate_file = in.text("certificate_file", {});
  tls.key_file = in.text("key_file", {});
  tls.server_name = in.text("server_name", {});
  tls.verify = in.flag("verify", true);
  for (const auto& [key, file] :
       {std::pair("ca_file", tls.ca_file), {"certificate_file", tls.certificate_file}, {"key_file", tls.key_file}}) {
    if (!file.empty() && !std::filesystem::exists(file)) in.wrong(key, "there is no such file: " + file);
  }
  problem = in.finish();
  return tls;
}

// Texts that travel as they are. One that is too long would make a PDU that no SMS centre can read, and a NUL would cut
// it.
void check_length(connector::Fields& in, std::string_view key, const std::string& value, std::size_t most) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (value.size() > most || !plain)
    in.wrong(key, fmt::format("must have at most {} characters of ASCII (SMPP 3.4 §5.2)", most));
}

std::uint8_t read_octet(connector::Fields& in, std::string_view key, std::uint8_t fallback, std::uint8_t most = 255) {
  return static_cast<std::uint8_t>(in.number(key, fallback, 0, most));
}

constexpr std::uint8_t most_ton = 7, most_npi = 31;  // SMPP 3.4 §5.2.5, §5.2.6, with what vendors add

void read_addresses(connector::Fields& in, AddressRules& rules) {
  const std::string ton = in.choice("unknown_ton", "guess", {"guess", "international", "national"});
  rules.unknown_ton = ton == "international" ? UnknownTon::international
                      : ton == "national"    ? UnknownTon::national
                                             : UnknownTon::guess;
  rules.short_code_ton = read_octet(in, "short_code_ton", 0, most_ton);
  rules.short_code_npi = read_octet(in, "short_code_npi", 1, most_npi);
  rules.source_ton = read_octet(in, "source_ton", 1, most_ton);
  rules.source_npi = read_octet(in, "source_npi", 1, most_npi);
  rules.destination_ton = read_octet(in, "destination_ton", 1, most_ton);
  rules.destination_npi = read_octet(in, "destination_npi", 1, most_npi);
  rules.plus = in.flag("plus", false);
}

void read_bind(connector::Fields& in, Bind& bind) {
  bind.system_id = in.required_text("system_id");
  bind.password = in.secret("password").reveal();
  bind.system_type = in.text("system_type", {});
  bind.address_range = in.text("address_range", {});
  bind.ton = read_octet(in, "address_ton", 0, most_ton);
  bind.npi = read_octet(in, "address_npi", 0, most_npi);
  const std::string version = in.choice("interface_version", "3.4", {"3.3", "3.4", "5.0"});
  bind.interface_version = version == "3.3" ? 0x33 : version == "5.0" ? 0x50 : 0x34;
}

// One of `parameters`: { tag = 0x1400, text = "…" }, or `hex`.
Tlv read_parameter(connector::Fields& in) {
  constexpr std::uint16_t ours[] = {tag::sar_msg_ref_num, tag::sar_total_segments, tag::sar_segment_seqnum,
                                    tag::message_payload};
  Tlv parameter;
  parameter.tag = static_cast<std::uint16_t>(in.number("tag", 0, 1, 0xFFFF));
  if (parameter.tag == 0) in.wrong("tag", "is missing: the parameter's number, like 0x1400");
  if (std::find(std::begin(ours), std::end(ours), parameter.tag) != std::end(ours))
    in.wrong("tag", "is a parameter that long texts need; the key `concatenation` says which");
  const std::string text = in.text("text", {}), hex = in.text("hex", {});
  const auto octets = base::from_hex(hex);
  if (text.empty() == hex.empty()) in.wrong("text", "must be there, or hex: one of them");
  else if (!octets) in.wrong("hex", "must be pairs of hexadecimal digits");
  else parameter.value = text + *octets;
  if (parameter.value.size() > most_parameter)
    in.wrong(hex.empty() ? "text" : "hex", fmt::format("must have at most {} octets", most_parameter));
  return parameter;
}

void read_submit(connector::Fields& in, SubmitSetting& submit, base::Result<void>& problem) {
  constexpr std::uint8_t modes = 0x83;  // the other bits say what kind of message it is
  submit.esm_class = read_octet(in, "esm_class", 0);
  if ((submit.esm_class & ~modes) != 0)
    in.wrong("esm_class", "must be a messaging mode: 0, 1, 2 or 3 (SMPP 3.4 §5.2.12)");
  submit.data_coding = read_octet(in, "data_coding", 0);
  if (submit.data_coding == 8)
    in.wrong("data_coding", "must not be 8: that is UCS-2, and this is of the link's alphabet");
  submit.registered_delivery = static_cast<std::uint8_t>(in.number("registered_delivery", 1, 1, 31));
  std::size_t index = 0;
  for (const nlohmann::json* table : in.objects("parameters")) {
    connector::Fields parameter(*table, fmt::format("{}[{}]", in.path_of("parameters"), index++));
    submit.parameters.push_back(read_parameter(parameter));
    if (auto done = parameter.finish(); !done && problem) problem = done;
  }
}

Verdicts read_verdicts(connector::Fields& in, base::Result<void>& problem) {
  Verdicts verdicts;
  std::size_t index = 0;
  for (const nlohmann::json* table : in.objects("statuses")) {
    connector::Fields one(*table, fmt::format("{}[{}]", in.path_of("statuses"), index++));
    const auto status = static_cast<std::uint32_t>(one.number("status", 0, 1, 0xFFFFFFFF));
    if (status == 0) one.wrong("status", "is missing: the SMS centre's status, like 0x401");
    Verdict verdict = verdict_called(one.choice("means", "refused", verdict_words()), static_cast<Status>(status));
    verdict.text = one.text("text", std::move(verdict.text));
    verdicts[status] = std::move(verdict);
    if (auto done = one.finish(); !done && problem) problem = done;
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
  connector::Fields in(source.settings, source.path);
  base::Result<void> problem = base::ok();  // in a table
  Setting s;
  s.name = source.name;
  s.endpoint.host = in.required_text("host");
  s.endpoint.tls = parse_tls(in, source.settings, source.path, problem);
  s.endpoint.port = static_cast<std::uint16_t>(in.number("port", s.endpoint.tls ? 3550 : 2775, 1, 65535));
  s.endpoint.local_address = in.text("local_address", {});
  boost::system::error_code bad_address;
  boost::asio::ip::make_address(s.endpoint.local_address, bad_address);
  if (!s.endpoint.local_address.empty() && bad_address)
    in.wrong("local_address", "must be one of this machine's IP addresses");

  read_bind(in, s.bind);
  s.two_binds = in.choice("bind", "transceiver", {"transceiver", "transmitter_receiver"}) == "transmitter_receiver";
  s.service_type = in.text("service_type", {});

  s.split.link = *parse_alphabet(in.choice("alphabet", "gsm7", {"gsm7", "gsm7_packed", "latin1", "ascii", "utf8"}));
  const std::string method = in.choice("concatenation", "udh", {"udh", "udh16", "sar", "payload"});
  s.split.concatenation = method == "udh16"     ? Concatenation::udh16
                          : method == "sar"     ? Concatenation::sar
                          : method == "payload" ? Concatenation::payload
                                                : Concatenation::udh;
  s.split.most_parts = static_cast<std::size_t>(in.number("most_segments", 10, 1, 255));
  s.split.simplify = in.flag("smart_encoding", false);
  s.binary_is_text = in.flag("binary_is_text", false);

  s.addresses = address_rules(source);
  read_addresses(in, s.addresses);
  read_submit(in, s.submit, problem);
  s.verdicts = read_verdicts(in, problem);

  s.window = static_cast<std::size_t>(in.number("window", 10, 1, 1000));
  s.rate = in.decimal("rate", 0, 0, 10000);
  s.delivery_reports = in.flag("delivery_reports", true);
  s.validity = std::chrono::hours(in.number("validity_hours", 0, 0, 24 * 30));
  s.limits.enquire_interval = std::chrono::seconds(in.number("enquire_link_seconds", 30, 0, 3600));
  s.limits.enquire_response = std::chrono::seconds(in.number("enquire_link_limit_seconds", 10, 1, 600));
  s.limits.submit_response = std::chrono::seconds(in.number("response_limit_seconds", 60, 1, 600));
  s.limits.bind_response = std::chrono::seconds(in.number("bind_limit_seconds", 30, 1, 600));
  s.part_patience = std::chrono::seconds(in.number("part_patience_seconds", 1800, 1, 86400));
  s.redelivery_window = std::chrono::seconds(in.number("redelivery_window_seconds", 600, 0, 86400));
  check_length(in, "service_type", s.service_type, 5);
  check_length(in, "system_type", s.bind.system_type, 12);
  check_length(in, "address_range", s.bind.address_range, 40);
  // SMPP 3.4 gives 15 and 8 octets; the field has longer ones, and a NUL would cut them.
  if (s.bind.system_id.size() > 64 || s.bind.password.size() > 64)
    in.wrong("system_id", "system_id and password have at most 64 octets");

  if (auto done = in.finish(); !done) return done.error();
  if (!problem) return problem.error();
  return s;
}

}  // namespace wherry::sms::smpp
