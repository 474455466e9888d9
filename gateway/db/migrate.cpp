#include "gateway/db/migrate.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <fstream>
#include <map>
#include <optional>
#include <sstream>

namespace wherry::db {

namespace {

using base::Errc;
using base::Error;
using base::Result;

struct Migration {
  std::string name;
  std::map<std::string, std::filesystem::path> files;  // by dialect; "" for both
};

struct FileName {
  int number = 0;
  std::string name;     // "0001_base"
  std::string dialect;  // empty: both
};

// "NNNN_name.sql", "NNNN_name.sqlite.sql", "NNNN_name.postgres.sql"; nothing else.
std::optional<FileName> parse_file_name(std::string_view file) {
  const auto parts = base::split(file, '.');
  if (parts.size() < 2 || parts.size() > 3 || parts.back() != "sql") return std::nullopt;
  if (parts.size() == 3 && parts[1] != "sqlite" && parts[1] != "postgres") return std::nullopt;
  const std::string_view name = parts[0];
  if (name.size() < 6 || name[4] != '_' || name.substr(0, 4).find_first_not_of("0123456789") != name.npos)
    return std::nullopt;
  return FileName{std::stoi(std::string(name.substr(0, 4))), std::string(name),
                  parts.size() == 3 ? std::string(parts[1]) : ""};
}

// By number, 1 to n without a gap.
Result<std::map<int, Migration>> read_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::directory_iterator files(folder, failure);
  if (failure)
    return Error{Errc::bad_input,
                 "The folder of migrations " + folder.string() + " cannot be read: " + failure.message() + "."};
  std::map<int, Migration> migrations;
  for (const auto& entry : files) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() != ".sql") continue;
    const auto parsed = parse_file_name(file);
    if (!parsed) {
      return Error{Errc::bad_input,
                   "The migration " + file + " must be named like 0007_name.sql or 0007_name.sqlite.sql."};
    }
    Migration& migration = migrations[parsed->number];
    if (migration.name.empty()) migration.name = parsed->name;
    if (migration.name != parsed->name) {
      return Error{Errc::bad_input, "Two migrations have one number: " + migration.name + " and " + parsed->name + "."};
    }
    migration.files[parsed->dialect] = entry.path();
  }
  int expected = 1;
  for (const auto& [number, migration] : migrations) {
    if (number != expected++) return Error{Errc::bad_input, "The migration before " + migration.name + " is missing."};
    const bool complete = migration.files.contains("") ? migration.files.size() == 1 : migration.files.size() == 2;
    if (!complete) {
      return Error{Errc::bad_input,
                   "The migration " + migration.name + " must be one file for both databases, or a pair."};
    }
  }
  if (migrations.empty()) return Error{Errc::bad_input, "There are no migrations in " + folder.string() + "."};
  return migrations;
}

Result<std::string> read_file(const Migration& migration, std::string_view dialect) {
  const auto both = migration.files.find("");
  const auto& path = both != migration.files.end() ? both->second : migration.files.at(std::string(dialect));
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return Error{Errc::bad_input, "The migration " + path.string() + " cannot be read."};
  return text.str();
}

// The newest migration that the database has, with the right to add the next: another wherry that starts on the same
// PostgreSQL at this moment waits here until our transaction ends. (SQLite is one process's anyway.)
int lock_and_read(Driver& driver) {
  Transaction& transaction = driver.transaction();
  if (driver.dialect() == "postgres") transaction.query("SELECT pg_advisory_xact_lock(8245937406520)");
  transaction.execute("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)");
  return static_cast<int>(transaction.query("SELECT COALESCE(MAX(number), 0) FROM migrations").at(0).integer(0));
}

}  // namespace

Result<int> migrate(Driver& driver, const std::filesystem::path& folder) {
  const auto migrations = read_folder(folder);
  if (!migrations) return migrations.error();
  const int newest = migrations->rbegin()->first;
  std::string at = "reading the table of migrations";
  try {
    for (;;) {
      driver.begin();
      const int present = lock_and_read(driver);
      if (present > newest) {
        driver.rollback();
        return Error{Errc::bad_input, "The database has schema " + std::to_string(present) +
                                          ", this wherry knows only " + std::to_string(newest) +
                                          ". Run the newer wherry, or restore a backup of before the upgrade."};
      }
      if (present == newest) {
        driver.commit();
        return newest;
      }
      const Migration& next = migrations->at(present + 1);
      at = "migration " + next.name;
      const auto script = read_file(next, driver.dialect());
      if (!script) {
        driver.rollback();
        return script.error();
      }
      driver.run_script(*script);
      driver.transaction().execute("INSERT INTO migrations (number, name) VALUES ($1, $2)",
                                   {std::int64_t{present + 1}, next.name});
      driver.commit();
      log::info("database.migrated", {{"to", next.name}});
    }
  } catch (const std::runtime_error& error) {
    driver.rollback();
    return Error{Errc::unavailable, "The database could not be brought up to date, at " + at + ": " + error.what()};
  }
}

}  // namespace wherry::db
