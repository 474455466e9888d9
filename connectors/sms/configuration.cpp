#include "connectors/sms/configuration.hpp"

#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace wherry::sms {

using connector::Fields;
using nlohmann::json;

namespace {

// As the gateway writes users' addresses: in lower case and one form of each letter (RFC 7622 §3.2, §3.3). Nothing
// where it is neither a bare address nor "@domain".
std::optional<std::string> prepare_user(const std::string& typed) {
  const auto at = typed.find('@');
  const bool formed = at != std::string::npos && at + 1 < typed.size() &&
                      typed.find('@', at + 1) == std::string::npos &&
                      typed.find_first_of("/ \t") == std::string::npos && base::is_utf8(typed);
  if (!formed) return std::nullopt;
  UErrorCode error = U_ZERO_ERROR;
  const auto* forms = icu::Normalizer2::getNFKCInstance(error);
  if (U_FAILURE(error)) return std::nullopt;
  icu::UnicodeString folded =
      forms->normalize(icu::UnicodeString::fromUTF8(typed), error).toLower(icu::Locale::getRoot());
  std::string user;
  forms->normalize(folded, error).toUTF8String(user);
  if (U_FAILURE(error)) return std::nullopt;
  if (user.ends_with('.')) user.pop_back();
  return user;
}

base::Result<NumberConfiguration> parse_number_entry(const json& entry, const std::string& path) {
  Fields fields(entry, path);
  NumberConfiguration number;
  number.number = fields.required_text("number");
  number.carrier = fields.required_text("carrier");
  for (const std::string& typed : fields.texts("users")) {
    const auto user = prepare_user(typed);
    if (user) number.users.push_back(*user);
    else
      fields.wrong(
          "users",
          fmt::format("“{}” must be an address like romeo@example.org, or @example.org for everybody there", typed));
  }
  number.pool = fields.flag("pool", false);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool short_code = number.number.size() >= 3 && number.number.size() <= 8 &&
                          std::all_of(number.number.begin(), number.number.end(), is_digit);
  if (!short_code && !parse_e164(number.number)) {
    fields.wrong("number",
                 "must be a number like \"+15550001\", with nothing but digits after the plus, or a short code of 3 to "
                 "8 digits");
  }
  if (auto done = fields.finish(); !done) return done.error();
  return number;
}

base::Result<CarrierConfiguration> parse_carrier_entry(const json& entry, const std::string& path) {
  CarrierConfiguration carrier;
  carrier.path = path;
  if (!entry.is_object()) return base::Error{base::Errc::bad_input, path + ": must be a table"};
  carrier.settings = entry;
  carrier.settings.erase("name");
  carrier.settings.erase("type");
  json head = json::object();
  for (const char* key : {"name", "type"}) {
    if (entry.contains(key)) head[key] = entry[key];
  }
  Fields fields(head, path);
  carrier.name = fields.required_text("name");
  carrier.type = fields.required_text("type");
  // The name prefixes keys in the store.
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  if (carrier.name.size() > 32 || !std::all_of(carrier.name.begin(), carrier.name.end(), is_plain)) {
    fields.wrong("name", "must be at most 32 of a-z, 0-9, - and _");
  }
  if (auto done = fields.finish(); !done) return done.error();
  return carrier;
}

// An SMS centre sends receipts and segments over any link of an account, and each carrier remembers its own texts only.
std::optional<std::size_t> same_account(const std::vector<CarrierConfiguration>& carriers,
                                        const CarrierConfiguration& carrier) {
  if (carrier.type != "smpp") return std::nullopt;
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    const auto same = [&](const char* key) {
      return carriers[i].settings.value(key, json()) == carrier.settings.value(key, json());
    };
    if (carriers[i].type == "smpp" && same("host") && same("port") && same("tls") && same("system_id")) return i;
  }
  return std::nullopt;
}

}  // namespace

base::Result<Configuration> parse_configuration(const json& source) {
  Configuration configuration;
  Fields fields(source, {});
  configuration.region = fields.text("region", {});
  if (!configuration.region.empty() && !is_region(configuration.region)) {
    fields.wrong("region", "must be a country's two letters, like \"US\"");
  }
  const auto carriers = fields.objects("carriers");
  const auto numbers = fields.objects("numbers");
  if (carriers.empty()) fields.wrong("carriers", "must have at least one entry: how texts reach the network");
  if (auto done = fields.finish(); !done) return done.error();

  std::set<std::string> names, taken;
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    const std::string path = fmt::format("carriers[{}]", i);
    auto carrier = parse_carrier_entry(*carriers[i], path);
    if (!carrier) return carrier.error();
    if (!names.insert(carrier->name).second)
      return base::Error{base::Errc::bad_input, path + ".name: another carrier has this name"};
    if (const auto other = same_account(configuration.carriers, *carrier)) {
      return base::Error{
          base::Errc::bad_input,
          fmt::format("{}.system_id: carriers[{}] has this account already, and the SMS centre may send its receipts "
                      "over either "
                      "link. Give that carrier the numbers of both, and a larger window if it is too slow",
                      path, *other)};
    }
    configuration.carriers.push_back(std::move(*carrier));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string path = fmt::format("numbers[{}]", i);
    auto number = parse_number_entry(*numbers[i], path);
    if (!number) return number.error();
    if (!names.contains(number->carrier)) {
      return base::Error{base::Errc::bad_input,
                         fmt::format("{}.carrier: there is no carrier named {}", path, number->carrier)};
    }
    if (!taken.insert(number->number).second)
      return base::Error{base::Errc::bad_input, path + ".number: is listed twice"};
    configuration.numbers.push_back(std::move(*number));
  }
  return configuration;
}

}  // namespace wherry::sms
