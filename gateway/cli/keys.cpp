// wherry generate-key, rotate-key: what seals the credentials.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/with_store.hpp"
#include "gateway/store/accounts.hpp"

#include <iostream>

namespace wherry::cli {

int generate_key() {
  std::cout << base::Sealer::generate_key() << "\n";
  return exit_ok;
}

int rotate_key(const std::filesystem::path& file) {
  return with_store(file, [](db::Transaction& t, const base::Sealer& sealer) {
    std::cout << store::reseal_accounts(t, sealer) << " account(s) sealed with the new key\n";
    return exit_ok;
  });
}

}  // namespace wherry::cli
