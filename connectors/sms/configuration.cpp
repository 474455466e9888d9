#include "connectors/sms/configuration.hpp"

#include "connectors/sms/carriers/make.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace wherry::sms {

using connector::Fields;
using connector::Key;
using connector::Mistakes;
using connector::required;
using connector::Section;
using connector::Type;
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

constexpr Key own_keys[] = {
    {"region", Type::text(), "", "the country that national numbers are read in, by its two letters (ISO 3166-1)",
     "US"},
    {"numbers", Type::tables(), "", "the numbers that users have"},
    {"carriers", Type::tables(), required, "how texts reach the network"},
};

constexpr Key number_keys[] = {
    {"number", Type::text(), required, "with its country code, like \"+15550001\"; or a short code", "+14155550100"},
    {"carrier", Type::text(), required, "the name of the carrier that serves it", "main"},
    {"users", Type::texts(), "", "whose it is: addresses, or \"@example.org\" for everybody there",
     "[\"juliet@example.org\"]"},
    {"pool", Type::flag(), "false", "whether one user may choose it at registration", "false"},
};

constexpr Key carrier_keys[] = {
    {"name", Type::text(), required, "of your choice, at most 32 of a-z, 0-9, - and _", "main"},
    {"type", Type::text(), required, "smpp, or a provider over HTTP: deploy/configuration.md has the keys of each",
     "smpp"},
};

constexpr Section own_sections[] = {
    {"", {}, false, "The connector sms", own_keys},
    {"numbers", {}, true, "A number of ours", number_keys},
    {"carriers", {}, true, "A way to the telephone network", carrier_keys},
};

// `carriers`: the names that there are; null: they are not known.
NumberConfiguration parse_number_entry(const json& entry, const std::string& path,
                                       const std::set<std::string>* carriers, Mistakes& mistakes) {
  Fields fields(entry, path, number_keys);
  NumberConfiguration number;
  number.number = fields.text("number");
  number.carrier = fields.text("carrier");
  if (!number.carrier.empty() && carriers && !carriers->contains(number.carrier))
    fields.wrong("carrier", fmt::format("there is no carrier named {}", number.carrier));
  for (const std::string& typed : fields.texts("users")) {
    const auto user = prepare_user(typed);
    if (user) number.users.push_back(*user);
    else
      fields.wrong(
          "users",
          fmt::format("“{}” must be an address like romeo@example.org, or @example.org for everybody there", typed));
  }
  number.pool = fields.flag("pool");
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool short_code = number.number.size() >= 3 && number.number.size() <= 8 &&
                          std::all_of(number.number.begin(), number.number.end(), is_digit);
  if (!short_code && !parse_e164(number.number)) {
    fields.wrong("number",
                 "must be a number like \"+15550001\", with nothing but digits after the plus, or a short code of 3 to "
                 "8 digits");
  }
  mistakes.add(fields.finish());
  return number;
}

// What else is in it, its kind reads.
CarrierConfiguration parse_carrier_entry(const json& entry, const std::string& path, Mistakes& mistakes) {
  CarrierConfiguration carrier;
  carrier.path = path;
  carrier.settings = entry;
  json head = json::object();
  for (const char* key : {"name", "type"}) {
    if (entry.contains(key)) head[key] = entry[key];
    carrier.settings.erase(key);
  }
  Fields fields(head, path, carrier_keys);
  carrier.name = fields.text("name");
  carrier.type = fields.text("type");
  // The name prefixes keys in the store.
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  if (carrier.name.size() > 32 || !std::all_of(carrier.name.begin(), carrier.name.end(), is_plain)) {
    fields.wrong("name", "must be at most 32 of a-z, 0-9, - and _");
  }
  mistakes.add(fields.finish());
  return carrier;
}

// An SMS centre sends receipts and segments over any link of an account, and each carrier remembers its own texts only.
std::optional<std::size_t> same_account(const std::vector<CarrierConfiguration>& carriers,
                                        const CarrierConfiguration& carrier) {
  if (carrier.type != "smpp" || !carrier.settings.contains("host")) return std::nullopt;
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    const auto same = [&](const char* key) {
      return carriers[i].settings.value(key, json()) == carrier.settings.value(key, json());
    };
    if (carriers[i].type == "smpp" && same("host") && same("port") && same("tls") && same("system_id")) return i;
  }
  return std::nullopt;
}

void read_carriers(const std::vector<const json*>& entries, Configuration& configuration, std::set<std::string>& names,
                   Mistakes& mistakes) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string path = fmt::format("carriers[{}]", i);
    auto carrier = parse_carrier_entry(*entries[i], path, mistakes);
    const auto other = same_account(configuration.carriers, carrier);
    if (!names.insert(carrier.name).second && !carrier.name.empty()) {
      mistakes.add(path + ".name: another carrier has this name");
    } else if (other) {
      mistakes.add(
          fmt::format("{}.system_id: carriers[{}] has this account already, and the SMS centre may send its receipts "
                      "over either link. Give that carrier the numbers of both, and a larger window if it is too slow",
                      path, *other));
    }
    configuration.carriers.push_back(std::move(carrier));
  }
}

}  // namespace

base::Result<Configuration> parse_configuration(const json& source) {
  Configuration configuration;
  Mistakes mistakes;
  Fields fields(source, {}, own_keys);
  configuration.region = fields.text("region");
  if (!configuration.region.empty() && !is_region(configuration.region)) {
    fields.wrong("region", "must be a country's two letters, like \"US\"");
  }
  const auto carriers = fields.objects("carriers");
  const auto numbers = fields.objects("numbers");
  if (carriers.empty() && !fields.is_misspelt("carriers"))
    fields.wrong("carriers", "must have at least one entry: how texts reach the network");
  std::set<std::string> names, taken;
  read_carriers(carriers, configuration, names, mistakes);
  // Of a carrier that is wrong or missing itself, the numbers that name it say nothing more.
  const bool carriers_are_known = !carriers.empty() && mistakes.empty();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string path = fmt::format("numbers[{}]", i);
    auto number = parse_number_entry(*numbers[i], path, carriers_are_known ? &names : nullptr, mistakes);
    if (!number.number.empty() && !taken.insert(number.number).second) mistakes.add(path + ".number: is listed twice");
    configuration.numbers.push_back(std::move(number));
  }
  mistakes.add(fields.finish());
  if (!mistakes.empty()) return mistakes.error();
  return configuration;
}

std::span<const Section> sections() {
  static const std::vector<Section> all = [] {
    std::vector<Section> sections(std::begin(own_sections), std::end(own_sections));
    std::ranges::move(carrier_sections(), std::back_inserter(sections));
    return sections;
  }();
  return all;
}

}  // namespace wherry::sms
