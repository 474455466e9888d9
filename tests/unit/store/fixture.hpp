// A migrated database of each kind, and a transaction that ends well.
#pragma once

#include "gateway/base/secret.hpp"
#include "gateway/db/migrate.hpp"
#include "gateway/store/accounts.hpp"
#include "tests/support/temp_database.hpp"

#include <doctest/doctest.h>

namespace wherry::tests {

struct Store {
  explicit Store(DatabaseKind kind) : temp(kind), driver(temp.open()) {
    const auto migrated = db::migrate(*driver, std::filesystem::path(WHERRY_SOURCE_DIR) / "schemas/migrations");
    REQUIRE_MESSAGE(migrated.has_value(), migrated.error().text);
  }
  // Runs `work(Transaction&)` and commits; returns what it returns.
  template <class Work>
  auto operator()(Work work) {
    driver->begin();
    if constexpr (std::is_void_v<decltype(work(driver->transaction()))>) {
      work(driver->transaction());
      driver->commit();
    } else {
      auto result = work(driver->transaction());
      driver->commit();
      return result;
    }
  }
  std::int64_t count(const std::string& table) {
    driver->begin();
    // Built at run time, so it is kept: statements are found again by their address.
    const std::string& sql = *kept.emplace_back(std::make_unique<std::string>("SELECT COUNT(*) FROM " + table));
    const auto found = driver->transaction().query(sql).at(0).integer(0);
    driver->commit();
    return found;
  }

  TempDatabase temp;
  std::vector<std::unique_ptr<std::string>> kept;
  std::unique_ptr<db::Driver> driver;
};

inline xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

inline const base::Sealer& sealer() {
  static const base::Sealer instance = base::Sealer::from_key_text(std::string(64, '1')).value();
  return instance;
}

inline store::AccountRow account(std::int64_t id, std::string_view user = "romeo@example.net",
                                 const std::string& transport = "sms.example.net") {
  return {{id},
          transport,
          jid(user),
          {{"username", "r"}, {"password", "s3cret-" + std::to_string(id)}},
          store::AccountPolicy::always_on,
          "en"};
}

inline void insert(Store& store, const store::AccountRow& row) {
  store([&](db::Transaction& t) { store::insert_account(t, row, sealer()); });
}

}  // namespace wherry::tests
