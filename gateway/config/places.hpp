// Where the program's own parts are, as `cmake --install` puts them, and as the build folder has them, too:
//   bin/wherry   lib/wherry/connectors/*.so   share/wherry/migrations/*.sql
#pragma once

#include <filesystem>

namespace wherry::config {

struct Places {
  std::filesystem::path connectors, migrations;
};

// Found from the running program's own file, through symbolic links; under /usr where that cannot be told.
Places places_of_program();

}  // namespace wherry::config
