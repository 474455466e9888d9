#include "gateway/config/config.hpp"

#include "gateway/base/text.hpp"
#include "gateway/config/keys.hpp"
#include "gateway/config/places.hpp"
#include "gateway/config/source.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

namespace wherry::config {

namespace asio = boost::asio;
using connector::Fields;
using connector::Mistakes;
using nlohmann::json;

namespace {

// One table below another: what is wrong in it is noted when this ends. Nothing is missing in one that is misspelt.
class Part {
 public:
  Part(Fields& above, std::string_view key, std::string_view section, Mistakes& mistakes)
      : object_(above.object(key)),
        counts_(object_ || (!above.has(key) && !above.is_misspelt(key))),
        fields(object_ ? *object_ : nothing(), above.path_of(key), keys_of(section)),
        mistakes_(mistakes) {}
  ~Part() {
    if (counts_) mistakes_.add(fields.finish());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

 private:
  static const json& nothing() {
    static const json empty = json::object();
    return empty;
  }
  const json* object_;
  bool counts_;

 public:
  Fields fields;

 private:
  Mistakes& mistakes_;
};

// A word of a child's command. What names a file relative to the configuration's folder is given whole, so that it does
// not matter where the gateway was started. A plain word at the beginning is a program, which is looked for in PATH.
std::string beside(const std::filesystem::path& folder, const std::string& word, bool is_program) {
  const bool is_path = !is_program || word.find('/') != std::string::npos;
  std::error_code none;
  return is_path && std::filesystem::is_regular_file(folder / word, none) ? (folder / word).string() : word;
}

// "127.0.0.1:8080", "[::1]:8080".
std::optional<asio::ip::tcp::endpoint> parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  const bool is_port = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos &&
                       std::stoi(port) <= 65535;
  if (error || !is_port || address.is_v6() != in_brackets) return std::nullopt;
  return asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(std::stoi(port)));
}

bool is_url(std::string_view url) {
  const auto host = url.find("://") == std::string_view::npos ? url.npos : url.find("://") + 3;
  const bool is_http = url.starts_with("https://") || url.starts_with("http://");
  const auto is_url_character = [](char c) {
    return c > ' ' && c < '\x7F' && std::string_view("\"<>\\^`{|}?#").find(c) == std::string_view::npos;
  };
  return is_http && host < url.size() && url[host] != '/' && std::all_of(url.begin(), url.end(), is_url_character);
}

std::optional<xmpp::Jid> parse_domain(const std::string& text) {
  const auto jid = xmpp::Jid::parse(text);
  if (!jid || !jid->local().empty() || !jid->is_bare()) return std::nullopt;
  return *jid;
}

constexpr std::string_view must_be_domain = "must be a domain, like sms.example.org";

// "sms.example.org" → "example.org": the host whose component this usually is.
std::string parent_domain(std::string_view domain) {
  const auto dot = domain.find('.');
  return std::string(dot == std::string_view::npos ? domain : domain.substr(dot + 1));
}

class Reader {
 public:
  Reader(const json& source, const std::filesystem::path& folder) : source_(source), folder_(folder) {}

  Config read();
  Mistakes mistakes;

 private:
  void read_store(Fields& top, StoreConfig& store);
  void read_http(Fields& top, HttpConfig& http);
  void read_service(Fields& top, Config& config, transport::ServiceInfo& service);
  void read_files(Fields& top, const StoreConfig& store, FilesConfig& files);
  void read_log(Fields& top, LogConfig& log);
  void read_server(Fields& above, xmpp::ComponentConfig& link);
  void read_registration(Fields& above, TransportEntry& entry);
  void read_connector(Fields& in, TransportEntry& entry);
  void read_transport(const json& table, const std::string& where, Config& config);
  std::filesystem::path folder_setting(Fields& top, std::string_view key, const char* variable,
                                       const std::filesystem::path& otherwise);

  const json& source_;
  std::filesystem::path folder_;
  std::set<std::string> domains_;
};

std::filesystem::path Reader::folder_setting(Fields& top, std::string_view key, const char* variable,
                                             const std::filesystem::path& otherwise) {
  const std::string text = top.text(key);
  if (const char* value = std::getenv(variable); value && *value) return value;
  return text.empty() ? otherwise : folder_ / text;
}

void Reader::read_store(Fields& top, StoreConfig& store) {
  Part part(top, "store", "store", mistakes);
  Fields& in = part.fields;
  store.url = in.text("url");
  const bool is_file = store.url.starts_with("sqlite:");
  const bool is_server = store.url.starts_with("postgresql://") || store.url.starts_with("postgres://");
  if (is_file && (store.url == "sqlite:" || store.url.ends_with('/')))
    in.wrong("url", "must name a file behind sqlite:");
  if (is_file) store.url = "sqlite:" + (folder_ / store.url.substr(7)).string();
  else if (!is_server) in.wrong("url", "must begin with sqlite: or postgresql://");
  store.key_file = in.text("key_file");
  if (is_file && store.key_file.empty()) store.key_file = store.url.substr(7) + ".key";
  const char* key = std::getenv("WHERRY_KEY");
  if (is_server && store.key_file.empty() && !(key && *key) && !in.is_misspelt("key_file"))
    in.wrong("key_file",
             "is missing: the file that holds the key which seals credentials; make one with `wherry generate-key`");
  const auto days = [&in](const char* name) { return std::chrono::hours(24 * in.number(name)); };
  store.kept.reports = days("reports_days");
  store.kept.seen = days("repeats_days");
  store.kept.undelivered = days("undelivered_days");
}

void Reader::read_http(Fields& top, HttpConfig& http) {
  Part part(top, "http", "http", mistakes);
  Fields& in = part.fields;
  if (const auto listen = parse_endpoint(in.text("listen"))) http.listen = *listen;
  else in.wrong("listen", "must be an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"");
  http.public_url = in.text("public_url");
  while (http.public_url.ends_with('/')) http.public_url.pop_back();
  if (in.has("public_url") && !is_url(http.public_url))
    in.wrong("public_url",
             "must be the address under which this is reached from outside, like \"https://sms.example.org\"");
}

void Reader::read_files(Fields& top, const StoreConfig& store, FilesConfig& files) {
  Part part(top, "files", "files", mistakes);
  Fields& in = part.fields;
  const std::string folder = in.text("folder");
  const bool is_file = store.url.starts_with("sqlite:");
  if (!folder.empty()) files.folder = folder_ / folder;
  else if (is_file) files.folder = std::filesystem::path(store.url.substr(7)).parent_path() / "files";
  files.limits.file_bytes = static_cast<std::uint64_t>(in.number("most_megabytes")) << 20;
  files.limits.account_bytes = static_cast<std::uint64_t>(in.number("megabytes_per_account")) << 20;
  files.limits.kept = std::chrono::hours(24 * in.number("days"));
  if (files.limits.account_bytes < files.limits.file_bytes)
    in.wrong("megabytes_per_account", "must be at least most_megabytes");
}

void Reader::read_service(Fields& top, Config& config, transport::ServiceInfo& service) {
  Part part(top, "service", "service", mistakes);
  Fields& in = part.fields;
  const auto is_uri = [](const std::string& text) {
    return text.find(':') != text.npos && text.find(' ') == text.npos;
  };
  service.contacts = in.texts("contacts");
  for (const std::string& contact : service.contacts)
    if (!is_uri(contact))
      in.wrong("contacts", "must be URIs, like \"xmpp:you@example.org\" or \"mailto:you@example.org\"");
  service.terms = in.text("terms");
  if (!service.terms.empty() && !is_uri(service.terms))
    in.wrong("terms", "must be a URI, like \"https://example.org/terms\"");
  service.kept = std::max(config.store.kept.undelivered, config.store.kept.reports);
  if (!config.files.folder.empty()) service.kept = std::max(service.kept, config.files.limits.kept);
}

void Reader::read_log(Fields& top, LogConfig& log) {
  using base::log::Level;
  Part part(top, "log", "log", mistakes);
  const std::string level = part.fields.choice("level");
  log.level = level == "debug"   ? Level::debug
              : level == "warn"  ? Level::warn
              : level == "error" ? Level::error
                                 : Level::info;
  log.format = part.fields.choice("format") == "json" ? base::log::Format::json : base::log::Format::text;
}

void Reader::read_server(Fields& above, xmpp::ComponentConfig& link) {
  Part part(above, "server", "transport.server", mistakes);
  Fields& in = part.fields;
  link.host = in.text("host");
  link.port = static_cast<std::uint16_t>(in.number("port"));
  const std::string domain = in.text("domain");
  if (const auto server = parse_domain(domain.empty() ? parent_domain(link.domain.str()) : domain))
    link.server = *server;
  else in.wrong("domain", must_be_domain);
  link.secret = in.secret("secret");
  link.idle_before_ping = std::chrono::seconds(in.number("idle_seconds"));
  link.ping_limit = std::chrono::seconds(in.number("ping_seconds"));
}

void Reader::read_registration(Fields& above, TransportEntry& entry) {
  Part part(above, "register", "transport.register", mistakes);
  Fields& in = part.fields;
  auto& policy = entry.transport.registration;
  policy.domains = in.has("domains") ? in.texts("domains") : std::vector{entry.transport.link.server.str()};
  for (std::string& domain : policy.domains) {
    if (const auto parsed = parse_domain(domain)) domain = parsed->str();
    else in.wrong("domains", "must be domains of users, like example.org");
  }
  policy.jids = in.texts("jids");
  for (std::string& jid : policy.jids) {
    const auto parsed = xmpp::Jid::parse(jid);
    if (parsed && !parsed->local().empty()) jid = parsed->bare().str();
    else in.wrong("jids", "\"" + jid + "\" is not an address like romeo@example.org");
  }
}

void Reader::read_connector(Fields& in, TransportEntry& entry) {
  entry.connector = in.text("connector");
  entry.child = in.texts("child");
  for (std::string& word : entry.child) word = beside(folder_, word, &word == &entry.child.front());
  const bool is_misspelt = in.is_misspelt("connector") || in.is_misspelt("child");
  if (in.has("child") && (in.has("connector") || entry.child.empty()))
    in.wrong(in.has("connector") ? "connector" : "child", "give either connector (a name) or child (a command)");
  else if (entry.connector.empty() && entry.child.empty() && !is_misspelt)
    in.wrong("connector", "give either connector (a name) or child (a command)");
  if (entry.connector.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    in.wrong("connector", "must be a plain name, like \"echo\"");
  if (const json* configuration = in.object("configuration")) entry.configuration = *configuration;
}

void Reader::read_transport(const json& table, const std::string& where, Config& config) {
  Fields in(table, where, keys_of("transport"));
  const std::string text = in.text("domain");
  const auto domain = parse_domain(text);
  if (!text.empty() && !domain) in.wrong("domain", must_be_domain);
  const xmpp::Jid jid = domain ? *domain : *parse_domain("invalid");
  if (domain && !domains_.insert(jid.str()).second) in.wrong("domain", "is used by another transport already");
  xmpp::ComponentConfig link{
      .host = {}, .port = 5347, .domain = jid, .server = jid, .secret = {}, .limits = {}, .backoff = {}};
  TransportEntry entry{
      .transport = {.link = std::move(link), .name = {}, .registration = {}, .outbox = {}, .inbox = {}},
      .connector = {},
      .child = {},
      .where = where};
  read_server(in, entry.transport.link);
  entry.transport.name = in.text("name");
  if (in.choice("policy") == "follow_presence") entry.transport.policy = store::AccountPolicy::follow_presence;
  read_registration(in, entry);
  auto& outbox = entry.transport.outbox;
  outbox.deadline = std::chrono::seconds(in.number("give_up_after_seconds"));
  outbox.waiting_per_account = static_cast<std::size_t>(in.number("most_waiting_per_user"));
  read_connector(in, entry);
  mistakes.add(in.finish());
  config.transports.push_back(std::move(entry));
}

Config Reader::read() {
  Config config;
  Fields top(source_, "", keys_of(""));
  const Places places = places_of_program();
  config.connectors_folder = folder_setting(top, "connectors_folder", "WHERRY_CONNECTORS", places.connectors);
  config.migrations_folder = folder_setting(top, "migrations_folder", "WHERRY_MIGRATIONS", places.migrations);
  read_store(top, config.store);
  read_http(top, config.http);
  read_files(top, config.store, config.files);
  transport::ServiceInfo service;
  read_service(top, config, service);
  read_log(top, config.log);
  const auto transports = top.objects("transport");
  for (std::size_t i = 0; i < transports.size(); ++i)
    read_transport(*transports[i], "transport[" + std::to_string(i) + "]", config);
  for (TransportEntry& entry : config.transports) entry.transport.service = service;
  const bool is_empty = !top.has("transport") || source_.at("transport") == json::array();
  if (is_empty && !top.is_misspelt("transport")) top.wrong("transport", "at least one [[transport]] is needed");
  mistakes.add(top.finish());
  return config;
}

}  // namespace

base::Result<Config> read_config(const std::filesystem::path& file) {
  auto source = read_source(file);
  if (!source) return source.error();
  Reader reader(source->values, std::filesystem::absolute(file).parent_path());
  Config config = reader.read();
  if (!reader.mistakes.empty()) source->mistakes.add(reader.mistakes.error().text);
  if (!source->mistakes.empty()) return locate(*source, source->mistakes.error());
  config.file = file;
  config.lines = std::move(source->lines);
  config.source = std::move(source->values);
  return config;
}

base::Error locate(const Config& config, const base::Error& error) {
  return {error.code, located(config.file, config.lines, error.text)};
}

namespace {

void note_changes(const json& old, const json& now, const std::string& path, std::vector<std::string>& changed) {
  if (old == now) return;
  if (old.is_object() && now.is_object()) {
    std::set<std::string> keys;
    for (const json* side : {&old, &now}) {
      for (const auto& [key, value] : side->items()) keys.insert(key);
    }
    for (const std::string& key : keys)
      note_changes(old.value(key, json()), now.value(key, json()), path.empty() ? key : path + "." + key, changed);
    return;
  }
  if (old.is_array() && now.is_array() && old.size() == now.size() && !old.empty() && old[0].is_object()) {
    for (std::size_t i = 0; i < old.size(); ++i)
      note_changes(old[i], now[i], path + "[" + std::to_string(i) + "]", changed);
    return;
  }
  changed.push_back(path);
}

// "transport[0].name" → "/transport/0/name".
json::json_pointer pointer_to(const std::string& path) {
  std::string pointer = "/";
  for (const char c : path) {
    if (c == '.' || c == '[') pointer += '/';
    else if (c != ']') pointer += c;
  }
  return json::json_pointer(pointer);
}

}  // namespace

std::vector<std::string> changes(const json& old, const json& now) {
  std::vector<std::string> changed;
  note_changes(old, now, "", changed);
  return changed;
}

json with_left(const json& old, json now, const std::vector<std::string>& left) {
  for (const std::string& path : left) {
    const auto pointer = pointer_to(path);
    const auto parent = pointer.parent_pointer();
    if (!now.contains(parent) || !now[parent].is_object()) continue;
    if (old.contains(pointer)) now[pointer] = old[pointer];
    else now[parent].erase(pointer.back());
  }
  return now;
}

}  // namespace wherry::config
