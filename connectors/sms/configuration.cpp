#include "connectors/sms/configuration.hpp"

#include "connectors/sms/numbering.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <fstream>

namespace wherry::sms {

using nlohmann::json;

Fields::Fields(const json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object())
    error_ =
        base::Error{base::Errc::bad_input, fmt::format("{}: must be a table", path_.empty() ? "configuration" : path_)};
}

std::string Fields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void Fields::wrong(std::string_view key, std::string_view what) {
  if (!error_) error_ = base::Error{base::Errc::bad_input, fmt::format("{}: {}", path_of(key), what)};
}

const json* Fields::find(std::string_view key) {
  asked_.emplace(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::required_text(std::string_view key) {
  const json* value = find(key);
  if (!value) wrong(key, "is missing");
  else if (!value->is_string() || value->get_ref<const std::string&>().empty())
    wrong(key, "must be a text that is not empty");
  else return value->get<std::string>();
  return {};
}

std::string Fields::text(std::string_view key, std::string fallback) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_string()) return value->get<std::string>();
  wrong(key, "must be a text");
  return fallback;
}

std::string Fields::choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed) {
  const std::string value = text(key, std::move(fallback));
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    wrong(key, fmt::format("must be one of {}", fmt::join(allowed, ", ")));
  }
  return value;
}

std::int64_t Fields::number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_number_integer()) {
    const bool too_large =
        value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
    if (!too_large && value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most)
      return value->get<std::int64_t>();
  }
  wrong(key, fmt::format("must be a whole number from {} to {}", least, most));
  return fallback;
}

double Fields::decimal(std::string_view key, double fallback, double least, double most) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_number() && value->get<double>() >= least && value->get<double>() <= most) return value->get<double>();
  wrong(key, fmt::format("must be a number from {} to {}", least, most));
  return fallback;
}

bool Fields::flag(std::string_view key, bool fallback) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  wrong(key, "must be true or false");
  return fallback;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> result;
  const json* value = find(key);
  if (!value) return result;
  if (!value->is_array()) wrong(key, "must be a list of texts");
  else {
    for (const json& item : *value) {
      if (item.is_string() && !item.get_ref<const std::string&>().empty()) result.push_back(item.get<std::string>());
      else wrong(key, "must be a list of texts");
    }
  }
  return result;
}

const json* Fields::object(std::string_view key) {
  const json* value = find(key);
  if (value && !value->is_object()) {
    wrong(key, "must be a table");
    return nullptr;
  }
  return value;
}

std::vector<const json*> Fields::objects(std::string_view key) {
  std::vector<const json*> result;
  const json* value = find(key);
  if (!value) return result;
  if (!value->is_array()) {
    wrong(key, "must be a list of tables");
    return result;
  }
  for (const json& item : *value) result.push_back(&item);
  return result;
}

base::Secret Fields::secret(std::string_view key) {
  const std::string file_key = std::string(key) + "_file";
  const std::string plain = text(key, {}), file = text(file_key, {});
  if (!plain.empty() && !file.empty()) wrong(file_key, fmt::format("stands beside {}: keep one of them", key));
  if (file.empty()) {
    if (plain.empty())
      wrong(key, fmt::format("is missing; give it, or {} with the name of a file that holds it", file_key));
    return base::Secret(plain);
  }
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line) || base::trim(line).empty())
    wrong(file_key, fmt::format("cannot read a line from {}", file));
  return base::Secret(std::string(base::trim(line)));
}

bool Fields::has_secret(std::string_view key) const {
  return object_.is_object() && (object_.contains(key) || object_.contains(std::string(key) + "_file"));
}

base::Result<void> Fields::finish() {
  for (const auto& [key, value] : object_.items()) {
    if (!object_.is_object() || asked_.contains(key)) continue;
    const std::string meant = base::nearest(key, asked_);
    if (!meant.empty()) error_.reset();  // that a key is missing, perhaps: it is only misspelt
    wrong(key, meant.empty() ? "there is no such key" : fmt::format("there is no such key; did you mean {}?", meant));
    break;
  }
  if (error_) return *error_;
  return base::ok();
}

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
