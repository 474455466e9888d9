#include "connectors/msn/settings.hpp"

#include <charconv>
#include <filesystem>

namespace wherry::msn {

using connector::Key;
using connector::Section;
using connector::Type;

namespace {

constexpr Key setting_keys[] = {
    {"preset", Type::one_of("none escargot crosstalk"), "none",
     "a public network, whose host and nexus_url hold where yours are not there; ask its people first"},
    {"host", Type::text(), "", "the notification server's name; needed without a preset"},
    {"port", Type::whole(1, 65535), "1863", "the notification server's port"},
    {"nexus_url", Type::text(), "",
     "where the login page's address is asked for; needed without login_url or a preset"},
    {"login_url", Type::text(), "", "the login page itself, where there is no nexus"},
    {"oim_url", Type::text(), "",
     "where offline messages are kept, https://HOST; \"none\": nowhere; otherwise where the login page is"},
    {"ca_file", Type::file(), "",
     "the authorities that may sign the login server's certificate; otherwise the system's"},
    {"switchboard_host", Type::text(), "",
     "the switchboards' name, where the one that the server gives is not reached"},
    {"logins_per_minute", Type::whole(1, 10000), "10", "how many accounts may log in within any minute"},
    {"acknowledgement", Type::one_of("sent delivered"), "sent",
     "what the server's word on a message means: that it was passed on, or that the other program has it"},
};

constexpr Section msn_sections[] = {{"", {}, false, "The connector msn", setting_keys}};

// From the settings of third-party programs; neither was tried from here.
void apply_preset(const std::string& preset, Settings& settings) {
  std::string host, nexus;
  if (preset == "escargot") {
    host = "msnmsgr.escargot.chat";
    nexus = "https://msnmsgr.escargot.chat/rdr/pprdr.asp";
  } else if (preset == "crosstalk") {
    host = "ms.msgrsvcs.ctsrv.gay";
    nexus = "https://pp.login.ugnet.gay/rdr/pprdr.asp";
  }
  if (settings.host.empty()) settings.host = host;
  if (settings.nexus_url.empty() && settings.login_url.empty()) settings.nexus_url = nexus;
}

// "https://host:443/page" → "https://host:443"
std::string host_of(const std::string& url) { return url.substr(0, url.find('/', 8)); }

// The password and what it opens travel there.
void check_url(connector::Fields& fields, std::string_view key, const std::string& url) {
  if (!url.empty() && !url.starts_with("https://")) fields.wrong(key, "must begin with https://");
}

}  // namespace

base::Result<Settings> parse_settings(const nlohmann::json& configuration) {
  connector::Fields fields(configuration, {}, setting_keys);
  Settings settings;
  settings.host = fields.text("host");
  settings.port = static_cast<std::uint16_t>(fields.number("port"));
  settings.nexus_url = fields.text("nexus_url");
  settings.login_url = fields.text("login_url");
  settings.oim_url = fields.text("oim_url");
  settings.ca_file = fields.text("ca_file");
  settings.switchboard_host = fields.text("switchboard_host");
  settings.logins_per_minute = static_cast<int>(fields.number("logins_per_minute"));
  settings.acknowledged_is_delivered = fields.choice("acknowledgement") == "delivered";
  apply_preset(fields.choice("preset"), settings);
  check_url(fields, "nexus_url", settings.nexus_url);
  check_url(fields, "login_url", settings.login_url);
  if (settings.oim_url.empty()) settings.oim_url = host_of(settings.nexus_url + settings.login_url);
  if (settings.oim_url == "none") settings.oim_url.clear();
  check_url(fields, "oim_url", settings.oim_url);
  if (settings.oim_url.ends_with('/')) settings.oim_url.pop_back();
  if (!settings.nexus_url.empty() && !settings.login_url.empty())
    fields.wrong("login_url", "stands beside nexus_url: keep one of them");
  if (settings.host.empty() && !fields.is_misspelt("host"))
    fields.wrong("host", "is missing: the notification server's name");
  if (settings.nexus_url.empty() && settings.login_url.empty() && !fields.is_misspelt("nexus_url"))
    fields.wrong("nexus_url", "is missing: where the login page's address is asked for; or give login_url");
  if (!settings.ca_file.empty() && !std::filesystem::exists(settings.ca_file))
    fields.wrong("ca_file", "there is no such file: " + settings.ca_file);
  const auto right = fields.finish();
  if (!right) return right.error();
  return settings;
}

std::span<const Section> settings_sections() { return msn_sections; }

std::pair<std::string, std::uint16_t> split_server(const std::string& server, std::uint16_t standard_port) {
  const auto bracket = server.rfind(']'), colon = server.rfind(':');
  std::string host = server;
  std::uint16_t port = standard_port;
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    std::uint16_t named = 0;
    std::from_chars(server.data() + colon + 1, server.data() + server.size(), named);
    if (named != 0) port = named;
    host = server.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, port};
}

}  // namespace wherry::msn
