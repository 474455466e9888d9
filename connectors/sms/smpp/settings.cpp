#include "connectors/sms/smpp/settings.hpp"

#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/settings.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace wherry::sms::smpp {

namespace {

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

}  // namespace

namespace {

// Texts that travel as they are. One that is too long would make a PDU that no SMS centre can read, and a NUL would cut
// it.
void check_length(connector::Fields& in, std::string_view key, const std::string& value, std::size_t most) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (value.size() > most || !plain)
    in.wrong(key, fmt::format("must have at most {} characters of ASCII (SMPP 3.4 §5.2)", most));
}

}  // namespace

base::Result<Setting> parse_setting(const CarrierSetting& source) {
  connector::Fields in(source.settings, source.path);
  base::Result<void> tls_problem = base::ok();
  Setting s;
  s.name = source.name;
  s.endpoint.host = in.required_text("host");
  s.endpoint.tls = parse_tls(in, source.settings, source.path, tls_problem);
  s.endpoint.port = static_cast<std::uint16_t>(in.number("port", s.endpoint.tls ? 3550 : 2775, 1, 65535));
  s.endpoint.local_address = in.text("local_address", {});
  boost::system::error_code bad_address;
  boost::asio::ip::make_address(s.endpoint.local_address, bad_address);
  if (!s.endpoint.local_address.empty() && bad_address)
    in.wrong("local_address", "must be one of this machine's IP addresses");

  s.bind.system_id = in.required_text("system_id");
  s.bind.password = in.secret("password").reveal();
  s.bind.system_type = in.text("system_type", {});
  s.bind.address_range = in.text("address_range", {});
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

  const std::string ton = in.choice("unknown_ton", "guess", {"guess", "international", "national"});
  s.addresses.unknown_ton = ton == "international" ? UnknownTon::international
                            : ton == "national"    ? UnknownTon::national
                                                   : UnknownTon::guess;
  s.addresses.short_code_ton = static_cast<std::uint8_t>(in.number("short_code_ton", 0, 0, 6));
  s.addresses.short_code_npi = static_cast<std::uint8_t>(in.number("short_code_npi", 1, 0, 18));
  s.addresses.region = source.region;
  for (const std::string& ours : source.numbers) {
    if (s.addresses.region.empty() && ours.starts_with('+'))
      s.addresses.region = region_of({Address::Type::international, ours});
  }
  s.addresses.numbers = source.numbers;

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
  if (!tls_problem) return tls_problem.error();
  return s;
}

}  // namespace wherry::sms::smpp
