// wherry register, export, erase: one user, on a store that no gateway runs on.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/with_store.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/ids.hpp"

#include <iostream>

namespace wherry::cli {

namespace {

int nobody(const xmpp::Jid& user) {
  std::cerr << "wherry: nobody is registered as " << user.bare_view() << "\n";
  return exit_failed;
}

}  // namespace

int register_user(const std::filesystem::path& file, const std::string& transport, const std::string& user,
                  const std::vector<std::string>& answers) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid || jid->local().empty())
    return complain({base::Errc::bad_input, user + " is no address like romeo@example.org"});
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  const config::TransportEntry* entry = nullptr;
  for (const auto& candidate : config->transports) {
    if (candidate.transport.link.domain.str() == transport) entry = &candidate;
  }
  if (!entry)
    return complain({base::Errc::bad_input, file.string() + ": there is no transport with the domain " + transport});
  store::AccountRow row{base::AccountId{}, transport, jid->bare(), {}, entry->transport.policy, "", true};
  for (const std::string& answer : answers) {
    const auto equals = answer.find('=');
    if (equals == 0 || equals == std::string::npos)
      return complain({base::Errc::bad_input, answer + ": must be written as name=value"});
    row.credentials[answer.substr(0, equals)] = answer.substr(equals + 1);
  }
  return with_store(file, [&](db::Transaction& t, const base::Sealer& sealer) {
    for (const auto& account : store::read_accounts(t, transport, sealer)) {
      if (account.user != row.user) continue;
      row.id = account.id;
      row.lang = account.lang;
      row.imports = account.imports;
    }
    const bool is_new = row.id.value == 0;
    if (is_new) row.id = base::AccountId{store::reserve_ids(t, 1).first};
    if (is_new) store::insert_account(t, row, sealer);
    else store::update_account(t, row, sealer);
    std::cout << row.user.str() << (is_new ? " is registered with " : " is registered anew with ") << transport << "\n";
    return exit_ok;
  });
}

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
  return with_store(
      file,
      [&](db::Transaction& t, const base::Sealer&) {
        const auto accounts = store::accounts_of(t, *jid);
        if (accounts.empty()) return nobody(*jid);
        const std::int64_t kept = store::count_connector_entries(t, *jid);
        for (const base::AccountId account : accounts) store::remove_account(t, account);
        std::cout << accounts.size() << " account(s) of " << jid->bare_view() << " erased\n";
        if (kept > 0)
          std::cout << kept << " entries that connectors keep for all their users stay (wherry export says which)\n";
        return exit_ok;
      },
      Traces::wiped);
}

}  // namespace wherry::cli
