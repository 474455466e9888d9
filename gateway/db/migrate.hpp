// Brings a database to the newest schema: numbered, append-only files of schemas/migrations, each once, in order.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/db/database.hpp"

#include <filesystem>

namespace wherry::db {

// Applies what is missing, each file in a transaction of its own, and records it in table `migrations`. A file
// "NNNN_name.sql" is for both databases; "NNNN_name.sqlite.sql" and "NNNN_name.postgres.sql" come as a pair.
// Returns the schema's number. Refuses a database that is newer than the files (an older wherry must not write to it).
base::Result<int> migrate(Driver& driver, const std::filesystem::path& folder);

}  // namespace wherry::db
