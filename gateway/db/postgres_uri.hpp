// What can be said of a PostgreSQL URI without a server.
#pragma once

#include "gateway/base/error.hpp"

#include <string>

namespace wherry::db {

struct PostgresUri {
  std::string password;  // "" where there is none in it
};

// bad_input with a sentence that shows nothing of the URI where nothing can be reached by it.
base::Result<PostgresUri> read_postgres_uri(const std::string& uri);

}  // namespace wherry::db
