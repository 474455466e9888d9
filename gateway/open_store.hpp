// The store as the configuration names it: driver, claim, newest schema; and the key that seals what is secret in it.
#pragma once

#include "gateway/base/secret.hpp"
#include "gateway/config/config.hpp"
#include "gateway/db/database.hpp"

#include <memory>

namespace wherry {

// The key that seals credentials: $WHERRY_KEY, else the systemd credential "wherry-key", else the file; a file beside a
// SQLite store is made where there is none.
base::Result<base::Sealer> read_sealer(const config::StoreConfig& store);

// Whether read_sealer would find a key and make none.
bool has_key(const config::StoreConfig& store);

// Opens the store and brings it to the newest schema.
base::Result<std::unique_ptr<db::Driver>> open_store(const config::Config& config);

}  // namespace wherry
