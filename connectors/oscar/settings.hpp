// The configuration of one network.
#pragma once

#include "connectors/oscar/client/login.hpp"
#include "gateway/connector/keys.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace wherry::oscar {

struct Settings {
  enum class Kind { icq, aim };
  enum class Method { md5, roasted, either };
  Kind kind = Kind::icq;
  std::string host;
  std::uint16_t port = 5190;
  std::string session_host;  // in place of the one that the server names, or empty
  Method method = Method::md5;
  std::string code_page;
  int logins_a_minute = 10;
  bool replaces_others = false;
  bool acknowledges_stored = true;
};

std::span<const connector::Section> sections();
base::Result<Settings> parse_settings(const nlohmann::json& configuration);

}  // namespace wherry::oscar
