#include "gateway/db/postgres_uri.hpp"

#include "gateway/base/text.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace wherry::db {

namespace {

// "" is the default one. libpq looks at it only when it connects.
bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() || (error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535);
}

}  // namespace

base::Result<PostgresUri> read_postgres_uri(const std::string& uri) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(uri.c_str(), nullptr),
                                                                             &PQconninfoFree);
  if (!options) {
    // libpq's own text quotes the URI, password and all.
    return base::Error{
        base::Errc::bad_input,
        "The database's URI cannot be read: it must be like postgresql://user:password@host:5432/name, with "
        "special characters of the password as %XX, and with no parameters but those that libpq knows."};
  }
  PostgresUri read;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    const std::string_view keyword = option->keyword, value = option->val ? option->val : "";
    if (keyword == "password") read.password = value;
    if (keyword != "port") continue;
    const auto ports = base::split(value, ',');  // one for each host
    if (std::all_of(ports.begin(), ports.end(), is_port)) continue;
    return base::Error{base::Errc::bad_input, "The port in the database's URI must be from 1 to 65535."};
  }
  return read;
}

}  // namespace wherry::db
