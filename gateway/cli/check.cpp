// wherry check: what is wrong with the configuration, without touching anything.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/exit.hpp"
#include "gateway/config/config.hpp"
#include "gateway/connector/settings.hpp"
#include "gateway/connectors.hpp"
#include "gateway/db/postgres_uri.hpp"
#include "gateway/open_store.hpp"

#include <iostream>

namespace wherry::cli {

namespace {

// Whether the database is there only the running program can say.
base::Result<void> check_store(const config::StoreConfig& store) {
  const bool is_file = store.url.starts_with("sqlite:");
  if (!is_file) {
    const auto read = db::read_postgres_uri(store.url);
    if (!read) return base::Error{base::Errc::bad_input, "store.url: " + read.error().text};
  }
  if (is_file && !has_key(store)) return base::ok();  // it is made at the first start
  const auto sealer = read_sealer(store);
  if (!sealer) return sealer.error();
  return base::ok();
}

}  // namespace

int check_config(const std::filesystem::path& file, Connect connect) {
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  connector::Mistakes mistakes;
  mistakes.add(check_store(config->store));
  mistakes.add(check_connectors(*config));
  if (!mistakes.empty()) return complain(config::locate(*config, mistakes.error()));
  if (connect == Connect::yes) return try_connections(*config);
  std::cout << file.string() << ": " << config->transports.size() << " transport(s), nothing wrong\n";
  return exit_ok;
}

}  // namespace wherry::cli
