#include "gateway/config.hpp"

#include "gateway/base/text.hpp"

#define TOML_EXCEPTIONS 0
// toml++ 3.3 asserts what a file can breach (it begins with "[[#"); without the assertion it refuses such a file in words.
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace wherry {

namespace asio = boost::asio;

namespace {

// Thrown inside this file only; read_config turns it into a Result.
struct Wrong {
  std::string text;
};

// "${NAME}" in a text is the environment variable NAME, so that secrets need not stand in the file.
std::string expand(const std::string& text, const toml::node& node) {
  std::string out;
  for (std::size_t at = 0;;) {
    const auto dollar = text.find("${", at);
    out += text.substr(at, dollar - at);
    if (dollar == std::string::npos) return out;
    const auto end = text.find('}', dollar);
    const std::string name = end == std::string::npos ? "" : text.substr(dollar + 2, end - dollar - 2);
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    if (!value) throw Wrong{"line " + std::to_string(node.source().begin.line) + ": the environment has no variable for " + text.substr(dollar, end == std::string::npos ? end : end - dollar + 1)};
    out += value;
    at = end + 1;
  }
}

// One table: every key that is there must be asked for, else it is unknown.
class Table {
 public:
  Table(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}

  [[noreturn]] void fail(std::string_view key, const std::string& what) const {
    const toml::node* node = table_.get(key);
    const auto line = (node ? node->source() : table_.source()).begin.line;
    throw Wrong{"line " + std::to_string(line) + ": " + name(key) + ": " + what};
  }
  std::string name(std::string_view key) const { return path_.empty() ? std::string(key) : path_ + "." + std::string(key); }
  bool has(std::string_view key) { return known_.insert(std::string(key)), table_.contains(key); }

  std::string text(std::string_view key, std::string fallback) {
    if (!has(key)) return fallback;
    const auto value = table_[key].value<std::string>();
    if (!value || !table_[key].is_string()) fail(key, "must be a text in quotes");
    return expand(*value, *table_.get(key));
  }
  std::string required_text(std::string_view key, const std::string& what) {
    std::string value = text(key, "");
    if (value.empty()) fail(key, "is missing: " + what);
    return value;
  }
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
    if (!has(key)) return fallback;
    const auto value = table_[key].value<std::int64_t>();
    if (!table_[key].is_integer() || !value || *value < least || *value > most) {
      fail(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return *value;
  }
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback) {
    if (!has(key)) return fallback;
    const auto* array = table_[key].as_array();
    if (!array) fail(key, "must be a list of texts, like [\"a\", \"b\"]");
    std::vector<std::string> values;
    for (const auto& item : *array) {
      const auto value = item.value<std::string>();
      if (!value || !item.is_string()) fail(key, "must be a list of texts, like [\"a\", \"b\"]");
      values.push_back(expand(*value, item));
    }
    return values;
  }
  template <class Choice>
  Choice choice(std::string_view key, Choice fallback, const std::vector<std::pair<std::string, Choice>>& choices) {
    if (!has(key)) return fallback;
    const std::string given = text(key, "");
    std::string offered;
    for (const auto& [word, value] : choices) {
      if (word == given) return value;
      offered += (offered.empty() ? "" : ", ") + word;
    }
    fail(key, "must be one of: " + offered);
  }
  // An absent table is an empty one.
  Table table(std::string_view key) {
    static const toml::table empty;
    if (!has(key)) return Table(empty, name(key));
    const auto* inner = table_[key].as_table();
    if (!inner) fail(key, "must be a table");
    return Table(*inner, name(key));
  }
  const toml::node* node(std::string_view key) { return has(key) ? table_.get(key) : nullptr; }

  // After everything was read.
  void finish() const {
    for (const auto& [key, value] : table_) {
      if (!known_.contains(std::string(key.str()))) fail(key.str(), "is not a known key");
    }
  }

 private:
  const toml::table& table_;
  std::string path_;
  std::set<std::string, std::less<>> known_;
};

// The connector's own part. A key that ends in _file names a file, which is relative to this one as everywhere.
nlohmann::json to_json(const toml::node& node, const std::string& path, const std::filesystem::path& folder) {
  if (const auto* table = node.as_table()) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : *table) json[std::string(key.str())] = to_json(value, path + "." + std::string(key.str()), folder);
    return json;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json json = nlohmann::json::array();
    for (const auto& value : *array) json.push_back(to_json(value, path + "[" + std::to_string(json.size()) + "]", folder));
    return json;
  }
  if (const auto value = node.value_exact<std::string>()) {
    const std::string text = expand(*value, node);
    return path.ends_with("_file") && !text.empty() ? (folder / text).string() : text;
  }
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<std::int64_t>()) return *value;
  if (const auto value = node.value_exact<double>(); value && std::isfinite(*value)) return *value;
  throw Wrong{"line " + std::to_string(node.source().begin.line) + ": " + path + ": dates, times, nan and inf mean nothing here; must be a text in quotes, a number, true or false, a list or a table"};
}

void note_lines(const toml::node& node, const std::string& path, std::map<std::string, std::size_t>& lines) {
  lines[path] = node.source().begin.line;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) note_lines(value, (path.empty() ? "" : path + ".") + std::string(key.str()), lines);
  } else if (const auto* array = node.as_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) note_lines((*array)[i], path + "[" + std::to_string(i) + "]", lines);
  }
}

// "127.0.0.1:8080", "[::1]:8080".
asio::ip::tcp::endpoint read_endpoint(Table& table, std::string_view key, const asio::ip::tcp::endpoint& fallback) {
  if (!table.has(key)) return fallback;
  const std::string text = table.text(key, "");
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  const bool is_port = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) <= 65535;
  if (error || !is_port || address.is_v6() != in_brackets) table.fail(key, "must be an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"");
  return {address, static_cast<std::uint16_t>(std::stoi(port))};
}

// Without the slashes at its end; "" where there is none.
std::string read_url(Table& table, std::string_view key) {
  std::string url = table.text(key, "");
  while (url.ends_with('/')) url.pop_back();
  if (!table.has(key)) return url;
  const auto host = url.find("://") == std::string::npos ? std::string::npos : url.find("://") + 3;
  const bool is_http = url.starts_with("https://") || url.starts_with("http://");
  const auto is_url_character = [](char c) { return c > ' ' && c < '\x7F' && std::string_view("\"<>\\^`{|}?#").find(c) == std::string_view::npos; };
  if (!is_http || host >= url.size() || url[host] == '/' || !std::all_of(url.begin(), url.end(), is_url_character)) {
    table.fail(key, "must be the address under which this is reached from outside, like \"https://sms.example.org\"");
  }
  return url;
}

std::string read_secret_file(Table& table, std::string_view key, const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream content;
  content << in.rdbuf();
  if (!in || std::filesystem::is_directory(file)) table.fail(key, file.string() + " cannot be read");
  const std::string secret(base::trim(content.str()));
  if (secret.empty()) table.fail(key, file.string() + " is empty");
  return secret;
}

xmpp::Jid read_domain(Table& table, std::string_view key, const std::string& text) {
  const auto jid = xmpp::Jid::parse(text);
  if (!jid || !jid->local().empty() || !jid->is_bare()) table.fail(key, "must be a domain, like sms.example.org");
  return *jid;
}

// "sms.example.org" → "example.org": the host whose component this usually is.
std::string parent_domain(std::string_view domain) {
  const auto dot = domain.find('.');
  return std::string(dot == std::string_view::npos ? domain : domain.substr(dot + 1));
}

void read_link(Table& table, xmpp::ComponentConfig& link, const std::filesystem::path& folder) {
  Table server = table.table("server");
  link.host = server.text("host", "127.0.0.1");
  link.port = static_cast<std::uint16_t>(server.integer("port", 5347, 1, 65535));
  link.server = read_domain(server, "domain", server.text("domain", parent_domain(link.domain.str())));
  if (server.has("secret_file")) {
    if (server.has("secret")) server.fail("secret", "stands beside secret_file: keep one of them");
    link.secret = base::Secret(read_secret_file(server, "secret_file", folder / server.text("secret_file", "")));
  } else {
    link.secret = base::Secret(server.required_text("secret", "the component's secret, as in the server's configuration; or secret_file"));
  }
  link.idle_before_ping = std::chrono::seconds(server.integer("idle_seconds", 30, 1, 3600));
  link.ping_limit = std::chrono::seconds(server.integer("ping_seconds", 20, 1, 600));
  server.finish();
}

void read_registration(Table& table, TransportEntry& entry) {
  Table registration = table.table("register");
  auto& policy = entry.transport.registration;
  policy.domains = registration.texts("domains", {entry.transport.link.server.str()});
  for (std::string& domain : policy.domains) domain = read_domain(registration, "domains", domain).str();
  policy.jids = registration.texts("jids", {});
  for (std::string& jid : policy.jids) {
    const auto parsed = xmpp::Jid::parse(jid);
    if (!parsed || parsed->local().empty()) registration.fail("jids", "\"" + jid + "\" is not an address like romeo@example.org");
    jid = parsed->bare().str();
  }
  registration.finish();
}

TransportEntry read_transport(Table table, const std::string& where, const std::filesystem::path& folder) {
  const std::string domain = table.required_text("domain", "the component's domain, like sms.example.org");
  const xmpp::Jid jid = read_domain(table, "domain", domain);
  xmpp::ComponentConfig link{.host = {}, .port = 5347, .domain = jid, .server = jid, .secret = {}, .limits = {}, .backoff = {}};
  TransportEntry entry{.transport = {.link = std::move(link), .name = {}, .registration = {}, .outbox = {}, .inbox = {}}, .connector = {}, .child = {}, .where = where};
  read_link(table, entry.transport.link, folder);
  entry.transport.name = table.text("name", "");
  entry.transport.policy = table.choice<store::AccountPolicy>("policy", store::AccountPolicy::always_on,
                                                              {{"always_on", store::AccountPolicy::always_on}, {"follow_presence", store::AccountPolicy::follow_presence}});
  read_registration(table, entry);
  auto& outbox = entry.transport.outbox;
  outbox.deadline = std::chrono::seconds(table.integer("give_up_after_seconds", outbox.deadline.count(), 1, 30 * 24 * 3600));
  outbox.waiting_per_account = static_cast<std::size_t>(table.integer("most_waiting_per_user", static_cast<std::int64_t>(outbox.waiting_per_account), 1, 1000000));
  entry.connector = table.text("connector", "");
  entry.child = table.texts("child", {});
  if (entry.connector.empty() == entry.child.empty()) table.fail("connector", "give either connector (a name) or child (a command)");
  if (entry.connector.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) table.fail("connector", "must be a plain name, like \"echo\"");
  if (const toml::node* node = table.node("configuration")) {
    if (!node->is_table()) table.fail("configuration", "must be a table");
    entry.configuration = to_json(*node, table.name("configuration"), folder);
  }
  table.finish();
  return entry;
}

std::filesystem::path folder_setting(Table& top, std::string_view key, const char* variable, const std::filesystem::path& folder, const char* fallback) {
  if (const char* value = std::getenv(variable); value && *value) return top.has(key), std::filesystem::path(value);
  const std::string text = top.text(key, "");
  return text.empty() ? std::filesystem::path(fallback) : folder / text;
}

Config read_top(const toml::table& parsed, const std::filesystem::path& folder) {
  Config config;
  Table top(parsed, "");
  config.connectors_folder = folder_setting(top, "connectors_folder", "WHERRY_CONNECTORS", folder, "/usr/lib/wherry/connectors");
  config.migrations_folder = folder_setting(top, "migrations_folder", "WHERRY_MIGRATIONS", folder, "/usr/share/wherry/migrations");

  Table store = top.table("store");
  config.store.url = store.text("url", config.store.url);
  if (config.store.url == "sqlite:" || (config.store.url.starts_with("sqlite:") && config.store.url.ends_with('/'))) store.fail("url", "must name a file behind sqlite:");
  if (config.store.url.starts_with("sqlite:")) config.store.url = "sqlite:" + (folder / config.store.url.substr(7)).string();
  else if (!config.store.url.starts_with("postgresql://") && !config.store.url.starts_with("postgres://")) {
    store.fail("url", "must begin with sqlite: or postgresql://");
  }
  const std::string key_file = store.text("key_file", "");
  if (!key_file.empty()) config.store.key_file = folder / key_file;
  else if (config.store.url.starts_with("sqlite:")) config.store.key_file = config.store.url.substr(7) + ".key";
  else if (const char* key = std::getenv("WHERRY_KEY"); !key || !*key) store.fail("key_file", "is missing: the file that holds the key which seals credentials; make one with `wherry generate-key`");
  store.finish();

  Table http = top.table("http");
  config.http.listen = read_endpoint(http, "listen", config.http.listen);
  config.http.public_url = read_url(http, "public_url");
  http.finish();

  Table log = top.table("log");
  using base::log::Format;
  using base::log::Level;
  config.log.level = log.choice<Level>("level", Level::info, {{"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}});
  config.log.format = log.choice<Format>("format", Format::text, {{"text", Format::text}, {"json", Format::json}});
  log.finish();

  const toml::node* transports = top.node("transport");
  const toml::array* list = transports ? transports->as_array() : nullptr;
  if (!list || list->empty()) top.fail("transport", "at least one [[transport]] is needed");
  std::set<std::string> domains;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = "transport[" + std::to_string(i) + "]";
    const auto* entry = (*list)[i].as_table();
    if (!entry) top.fail("transport", "must be written as [[transport]]");
    config.transports.push_back(read_transport(Table(*entry, where), where, folder));
    if (!domains.insert(config.transports.back().transport.link.domain.str()).second) Table(*entry, where).fail("domain", "is used by another transport already");
  }
  top.finish();
  return config;
}

}  // namespace

base::Result<Config> read_config(const std::filesystem::path& file) {
  const auto wrong = [&](const std::string& text) { return base::Error{base::Errc::bad_input, file.string() + ": " + text}; };
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) return wrong("cannot be read");
  const toml::parse_result parsed = toml::parse(in, file.string());
  if (!parsed) {
    return wrong("line " + std::to_string(parsed.error().source().begin.line) + ": " + std::string(parsed.error().description()));
  }
  try {
    Config config = read_top(parsed.table(), std::filesystem::absolute(file).parent_path());
    config.file = file;
    note_lines(parsed.table(), "", config.lines);
    return config;
  } catch (const Wrong& w) {
    return wrong(w.text);
  }
}

base::Error locate(const Config& config, const base::Error& error) {
  std::string path = error.text.substr(0, error.text.find(": "));
  while (!path.empty() && !config.lines.contains(path)) {
    const auto end = path.find_last_of(".[");
    path.resize(end == std::string::npos ? 0 : end);
  }
  const std::string line = path.empty() ? "" : "line " + std::to_string(config.lines.at(path)) + ": ";
  return {error.code, config.file.string() + ": " + line + error.text};
}

}  // namespace wherry
