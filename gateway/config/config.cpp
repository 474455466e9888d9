#include "gateway/config/config.hpp"

#include "gateway/base/text.hpp"
#include "gateway/config/places.hpp"
#include "gateway/config/toml.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace wherry::config {

namespace asio = boost::asio;

namespace {

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
  const bool is_port = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos &&
                       std::stoi(port) <= 65535;
  if (error || !is_port || address.is_v6() != in_brackets)
    table.fail(key, "must be an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"");
  return {address, static_cast<std::uint16_t>(std::stoi(port))};
}

// Without the slashes at its end; "" where there is none.
std::string read_url(Table& table, std::string_view key) {
  std::string url = table.text(key, "");
  while (url.ends_with('/')) url.pop_back();
  if (!table.has(key)) return url;
  const auto host = url.find("://") == std::string::npos ? std::string::npos : url.find("://") + 3;
  const bool is_http = url.starts_with("https://") || url.starts_with("http://");
  const auto is_url_character = [](char c) {
    return c > ' ' && c < '\x7F' && std::string_view("\"<>\\^`{|}?#").find(c) == std::string_view::npos;
  };
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
    link.secret = base::Secret(
        server.required_text("secret", "the component's secret, as in the server's configuration; or secret_file"));
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
    if (!parsed || parsed->local().empty())
      registration.fail("jids", "\"" + jid + "\" is not an address like romeo@example.org");
    jid = parsed->bare().str();
  }
  registration.finish();
}

TransportEntry read_transport(Table table, const std::string& where, const std::filesystem::path& folder) {
  const std::string domain = table.required_text("domain", "the component's domain, like sms.example.org");
  const xmpp::Jid jid = read_domain(table, "domain", domain);
  xmpp::ComponentConfig link{
      .host = {}, .port = 5347, .domain = jid, .server = jid, .secret = {}, .limits = {}, .backoff = {}};
  TransportEntry entry{
      .transport = {.link = std::move(link), .name = {}, .registration = {}, .outbox = {}, .inbox = {}},
      .connector = {},
      .child = {},
      .where = where};
  read_link(table, entry.transport.link, folder);
  entry.transport.name = table.text("name", "");
  entry.transport.policy = table.choice<store::AccountPolicy>(
      "policy", store::AccountPolicy::always_on,
      {{"always_on", store::AccountPolicy::always_on}, {"follow_presence", store::AccountPolicy::follow_presence}});
  read_registration(table, entry);
  auto& outbox = entry.transport.outbox;
  outbox.deadline =
      std::chrono::seconds(table.integer("give_up_after_seconds", outbox.deadline.count(), 1, 30 * 24 * 3600));
  outbox.waiting_per_account = static_cast<std::size_t>(
      table.integer("most_waiting_per_user", static_cast<std::int64_t>(outbox.waiting_per_account), 1, 1000000));
  entry.connector = table.text("connector", "");
  entry.child = table.texts("child", {});
  if (entry.connector.empty() && entry.child.empty())
    table.missing("connector", "give either connector (a name) or child (a command)");
  if (!entry.connector.empty() && !entry.child.empty())
    table.fail("connector", "give either connector (a name) or child (a command)");
  if (entry.connector.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    table.fail("connector", "must be a plain name, like \"echo\"");
  if (const toml::node* node = table.node("configuration")) {
    if (!node->is_table()) table.fail("configuration", "must be a table");
    entry.configuration = to_json(*node, table.name("configuration"), folder);
  }
  table.finish();
  return entry;
}

std::filesystem::path folder_setting(Table& top, std::string_view key, const char* variable,
                                     const std::filesystem::path& folder, const std::filesystem::path& fallback) {
  if (const char* value = std::getenv(variable); value && *value) return top.has(key), std::filesystem::path(value);
  const std::string text = top.text(key, "");
  return text.empty() ? fallback : folder / text;
}

Config read_top(const toml::table& parsed, const std::filesystem::path& folder) {
  Config config;
  Table top(parsed, "");
  const Places places = places_of_program();
  config.connectors_folder = folder_setting(top, "connectors_folder", "WHERRY_CONNECTORS", folder, places.connectors);
  config.migrations_folder = folder_setting(top, "migrations_folder", "WHERRY_MIGRATIONS", folder, places.migrations);

  Table store = top.table("store");
  config.store.url = store.text("url", config.store.url);
  if (config.store.url == "sqlite:" || (config.store.url.starts_with("sqlite:") && config.store.url.ends_with('/')))
    store.fail("url", "must name a file behind sqlite:");
  if (config.store.url.starts_with("sqlite:"))
    config.store.url = "sqlite:" + (folder / config.store.url.substr(7)).string();
  else if (!config.store.url.starts_with("postgresql://") && !config.store.url.starts_with("postgres://")) {
    store.fail("url", "must begin with sqlite: or postgresql://");
  }
  const auto days = [&store](const char* key, std::chrono::hours usual, std::int64_t most) {
    return std::chrono::hours(24 * store.integer(key, usual.count() / 24, 1, most));
  };
  config.store.kept.reports = days("reports_days", config.store.kept.reports, 365);
  config.store.kept.seen = days("repeats_days", config.store.kept.seen, 365);
  config.store.kept.undelivered = days("undelivered_days", config.store.kept.undelivered, 3650);
  const std::string key_file = store.text("key_file", "");
  if (!key_file.empty()) config.store.key_file = folder / key_file;
  else if (config.store.url.starts_with("sqlite:")) config.store.key_file = config.store.url.substr(7) + ".key";
  else if (const char* key = std::getenv("WHERRY_KEY"); !key || !*key)
    store.missing(
        "key_file",
        "is missing: the file that holds the key which seals credentials; make one with `wherry generate-key`");
  store.finish();

  Table http = top.table("http");
  config.http.listen = read_endpoint(http, "listen", config.http.listen);
  config.http.public_url = read_url(http, "public_url");
  http.finish();

  Table log = top.table("log");
  using base::log::Format;
  using base::log::Level;
  config.log.level = log.choice<Level>(
      "level", Level::info,
      {{"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}});
  config.log.format = log.choice<Format>("format", Format::text, {{"text", Format::text}, {"json", Format::json}});
  log.finish();

  const toml::node* transports = top.node("transport");
  const toml::array* list = transports ? transports->as_array() : nullptr;
  if (!list || list->empty()) top.missing("transport", "at least one [[transport]] is needed");
  std::set<std::string> domains;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = "transport[" + std::to_string(i) + "]";
    const auto* entry = (*list)[i].as_table();
    if (!entry) top.fail("transport", "must be written as [[transport]]");
    config.transports.push_back(read_transport(Table(*entry, where), where, folder));
    if (!domains.insert(config.transports.back().transport.link.domain.str()).second)
      Table(*entry, where).fail("domain", "is used by another transport already");
  }
  top.finish();
  return config;
}

}  // namespace

base::Result<Config> read_config(const std::filesystem::path& file) {
  const auto wrong = [&](const std::string& text) {
    return base::Error{base::Errc::bad_input, file.string() + ": " + text};
  };
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) return wrong("cannot be read");
  const toml::parse_result parsed = toml::parse(in, file.string());
  if (!parsed) {
    return wrong("line " + std::to_string(parsed.error().source().begin.line) + ": " +
                 std::string(parsed.error().description()));
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

}  // namespace wherry::config
