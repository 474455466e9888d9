// What the connector is configured with.
#pragma once

#include "gateway/connector/settings.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace wherry::msn {

struct Settings {
  std::string host;  // of the notification server
  std::uint16_t port = 1863;
  std::string nexus_url;         // where the login page is asked for; empty: login_url is it
  std::string login_url;         // the login page; empty: the nexus names it
  std::string oim_url;           // where offline messages are kept, "https://host"; empty: nowhere
  std::string ca_file;           // for all three; empty: the system's authorities
  std::string switchboard_host;  // instead of the one that the server names; empty: none
  int logins_per_minute = 10;
  bool acknowledged_is_delivered = false;
};

// All mistakes at once.
base::Result<Settings> parse_settings(const nlohmann::json& configuration);

// The keys of the above.
std::span<const connector::Section> settings_sections();

// "host:port", "host" or "[address]:port".
std::pair<std::string, std::uint16_t> split_server(const std::string& server, std::uint16_t standard_port);

}  // namespace wherry::msn
