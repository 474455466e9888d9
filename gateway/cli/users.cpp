// wherry export, erase: one user, on a store that no gateway runs on.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/with_store.hpp"
#include "gateway/files/file_store.hpp"
#include "gateway/store/accounts.hpp"

#include <iostream>
#include <utility>
#include <vector>

namespace wherry::cli {

namespace {

int nobody(const xmpp::Jid& user) {
  std::cerr << "wherry: nobody is registered as " << user.bare_view() << "\n";
  return exit_failed;
}

void forget_files(const std::filesystem::path& file, const std::vector<base::AccountId>& accounts) {
  const auto config = config::read_config(file);
  if (!config || config->files.folder.empty()) return;
  files::StoreSettings settings;
  settings.folder = config->files.folder;
  files::FileStore kept(std::move(settings));
  for (const base::AccountId account : accounts) kept.forget(account);
}

}  // namespace

int export_user(const std::filesystem::path& file, const std::string& user) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid) return complain(jid.error());
  return with_store(file, [&](db::Transaction& t, const base::Sealer&) {
    if (store::accounts_of(t, *jid).empty()) return nobody(*jid);
    std::cout << store::export_user(t, jid->bare()) << "\n";
    return exit_ok;
  });
}

int erase_user(const std::filesystem::path& file, const std::string& user) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid) return complain(jid.error());
  std::vector<base::AccountId> accounts;
  const int code = with_store(
      file,
      [&](db::Transaction& t, const base::Sealer&) {
        accounts = store::accounts_of(t, *jid);
        if (accounts.empty()) return nobody(*jid);
        const std::int64_t kept = store::count_connector_entries(t, *jid);
        for (const base::AccountId account : accounts) store::remove_account(t, account);
        std::cout << accounts.size() << " account(s) of " << jid->bare_view() << " erased\n";
        if (kept > 0)
          std::cout << kept << " entries that connectors keep for all their users stay (wherry export says which)\n";
        return exit_ok;
      },
      Traces::wiped);
  if (code == exit_ok) forget_files(file, accounts);
  return code;
}

}  // namespace wherry::cli
