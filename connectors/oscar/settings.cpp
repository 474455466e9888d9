#include "connectors/oscar/settings.hpp"

#include "connectors/oscar/convert/charset.hpp"
#include "gateway/connector/settings.hpp"

namespace wherry::oscar {

namespace {

using connector::Key;
using connector::required;
using connector::Type;

constexpr Key keys[] = {
    {"network", Type::one_of("icq aim"), "icq", "what its users call it: icq has numbers, aim has screen names"},
    {"host", Type::text(), required, "the server that logs in"},
    {"port", Type::whole(1, 65535), "5190", "its port"},
    {"session_host", Type::text(), "",
     "where the sessions are; otherwise where the server sends us. For servers that name an address of their own net"},
    {"login", Type::one_of("md5 roasted either"), "md5",
     "how the password is told: hashed with a challenge, hardly hidden at all, or the second where the server does not "
     "know the first"},
    {"code_page", Type::text(), "windows-1252",
     "of texts that are not said to be Unicode, as windows-1251 among people who write Russian"},
    {"logins_a_minute", Type::whole(1, 6000), "10",
     "at this server, all networks of this gateway together. Ask its operator before you raise it"},
    {"replace_other_sessions", Type::flag(), "false", "a login here ends the account's sessions elsewhere"},
    {"acknowledges_stored", Type::flag(), "true",
     "false for a server that says nothing when it keeps a message for somebody who is away, like node-icq-server"},
};

constexpr connector::Section all[] = {{"", "", false, "An ICQ or AIM network", keys}};

}  // namespace

std::span<const connector::Section> sections() { return all; }

base::Result<Settings> parse_settings(const nlohmann::json& configuration) {
  if (!configuration.is_object()) return base::Error{base::Errc::bad_input, "the configuration must be a table"};
  connector::Fields in(configuration, "", keys);
  Settings s;
  s.kind = in.choice("network") == "aim" ? Settings::Kind::aim : Settings::Kind::icq;
  s.host = in.text("host");
  s.port = static_cast<std::uint16_t>(in.number("port"));
  s.session_host = in.text("session_host");
  const std::string method = in.choice("login");
  s.method = method == "roasted"  ? Settings::Method::roasted
             : method == "either" ? Settings::Method::either
                                  : Settings::Method::md5;
  s.code_page = in.text("code_page");
  if (!is_code_page(s.code_page)) in.wrong("code_page", "is no code page that is known here, like windows-1251");
  s.logins_a_minute = static_cast<int>(in.number("logins_a_minute"));
  s.replaces_others = in.flag("replace_other_sessions");
  s.acknowledges_stored = in.flag("acknowledges_stored");
  if (auto read = in.finish(); !read) return read.error();
  return s;
}

}  // namespace wherry::oscar
