// A command's work on the store while no gateway runs on it.
#pragma once

#include "gateway/cli/exit.hpp"
#include "gateway/config/config.hpp"
#include "gateway/open_store.hpp"

#include <filesystem>
#include <iostream>

namespace wherry::cli {

enum class Traces {
  left,   // of what was deleted, in the store's files
  wiped,  // takes as long as copying the store does
};

// In one transaction; `work` takes it and the sealer, and gives the exit code.
template <class Work>
int with_store(const std::filesystem::path& file, Work work, Traces traces = Traces::left) {
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  const auto sealer = read_sealer(config->store);
  if (!sealer) return complain(config::locate(*config, sealer.error()));
  auto driver = open_store(*config);
  if (!driver) return complain(config::locate(*config, driver.error()));
  try {
    (*driver)->begin();
    const int code = work((*driver)->transaction(), *sealer);
    (*driver)->commit();
    if (code == exit_ok && traces == Traces::wiped) (*driver)->wipe_deleted();
    return code;
  } catch (const std::exception& e) {
    (*driver)->rollback();
    std::cerr << "wherry: " << e.what() << "\n";
    return exit_failed;
  }
}

}  // namespace wherry::cli
