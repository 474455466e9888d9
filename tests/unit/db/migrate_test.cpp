#include "gateway/db/migrate.hpp"

#include "tests/support/temp_database.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::tests;

namespace {

const std::filesystem::path source = WHERRY_SOURCE_DIR;

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

std::string error_of(db::Driver& driver, const std::filesystem::path& folder) {
  const auto result = db::migrate(driver, folder);
  REQUIRE_FALSE(result.has_value());
  return result.error().text;
}

bool has_table(db::Driver& driver, const std::string& name) {
  driver.begin();
  const auto rows = driver.dialect() == "sqlite"
                        ? driver.transaction().query("SELECT 1 FROM sqlite_schema WHERE name = $1", {name})
                        : driver.transaction().query("SELECT 1 FROM pg_class WHERE relname = $1", {name});
  driver.commit();
  return !rows.empty();
}

// "table.column" of every table, in the order of the columns.
std::vector<std::string> columns(db::Driver& driver) {
  driver.begin();
  const auto rows = driver.dialect() == "sqlite"
                        ? driver.transaction().query(
                              "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c "
                              "WHERE t.type = 'table' ORDER BY t.name, c.cid")
                        : driver.transaction().query(
                              "SELECT table_name || '.' || column_name FROM information_schema.columns "
                              "WHERE table_schema = 'public' ORDER BY table_name COLLATE \"C\", ordinal_position");
  driver.commit();
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.text(0));
  return names;
}

// The schema as its database tells it, in SQL.
std::string describe_sqlite(db::Driver& driver) {
  std::string text;
  driver.begin();
  for (const auto& row : driver.transaction().query(
           "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type = 'index', name")) {
    text += row.text(0) + ";\n\n";
  }
  driver.commit();
  return text;
}

std::string describe_postgres(db::Driver& driver) {
  std::string text;
  driver.begin();
  auto& transaction = driver.transaction();
  for (const auto& table : transaction.query("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace "
                                             "= 'public'::regnamespace ORDER BY relname COLLATE \"C\"")) {
    const std::string& name = table.text(0);
    std::string lines;
    for (const auto& column : transaction.query("SELECT attname || ' ' || upper(format_type(atttypid, atttypmod)) || "
                                                "CASE WHEN attcollation = 950 THEN ' COLLATE \"C\"' ELSE '' END "
                                                "|| CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END "
                                                "FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 "
                                                "AND NOT attisdropped ORDER BY attnum",
                                                {name})) {
      lines += (lines.empty() ? "  " : ",\n  ") + column.text(0);
    }
    for (const auto& constraint : transaction.query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE "
                                                    "conrelid = $1::text::regclass AND contype IN ('p', 'u', 'f', 'c') "
                                                    "ORDER BY contype DESC, conname COLLATE \"C\"",
                                                    {name})) {
      lines += ",\n  " + constraint.text(0);
    }
    text += "CREATE TABLE " + name + " (\n" + lines + "\n);\n";
    for (const auto& index : transaction.query("SELECT replace(pg_get_indexdef(indexrelid), 'public.', '') FROM "
                                               "pg_index WHERE indrelid = $1::text::regclass AND NOT indisprimary "
                                               "ORDER BY indexrelid::regclass::text COLLATE \"C\"",
                                               {name})) {
      text += index.text(0) + ";\n";
    }
    text += "\n";
  }
  driver.commit();
  return text;
}

}  // namespace

TEST_CASE(
    "Migrations bring both databases to the newest schema, once, and give them the same tables and columns "
    "(migrate.hpp)") {
  std::vector<std::vector<std::string>> found;
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = database.open();
    const auto first = db::migrate(*driver, source / "schemas/migrations");
    REQUIRE_MESSAGE(first.has_value(), first.error().text);
    const auto again = db::migrate(*driver, source / "schemas/migrations");
    REQUIRE(again.has_value());
    CHECK(*again == *first);
    found.push_back(columns(*driver));
  }
  CHECK(found[0].size() > 40);
  CHECK(found[0] == found[1]);
}

TEST_CASE("schemas/latest.sql is what all migrations come to on both databases (schemas/README.md)") {
  std::string latest =
      "-- Generated from migrations/ by a test (schemas/README.md tells how); for reading and comparing.\n\n"
      "-- ---- SQLite ----\n\n";
  for (const auto kind : every_database) {
    const TempDatabase database(kind);
    const auto driver = database.open();
    REQUIRE(db::migrate(*driver, source / "schemas/migrations").has_value());
    if (kind == DatabaseKind::sqlite) latest += describe_sqlite(*driver) + "-- ---- PostgreSQL ----\n\n";
    else latest += describe_postgres(*driver);
  }
  latest.pop_back();
  if (std::getenv("WHERRY_WRITE_LATEST")) write(source / "schemas/latest.sql", latest);
  std::ostringstream kept;
  kept << std::ifstream(source / "schemas/latest.sql").rdbuf();
  CHECK(kept.str() == latest);
}

TEST_CASE("A database that is newer than the files is refused and left alone (migrate.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = database.open();
    const TempFolder folder;
    write(folder.path() / "0001_a.sql", "CREATE TABLE a (id BIGINT);");
    write(folder.path() / "0002_b.sql", "CREATE TABLE b (id BIGINT);");
    REQUIRE(db::migrate(*driver, folder.path()).value() == 2);
    std::filesystem::remove(folder.path() / "0002_b.sql");
    CHECK(error_of(*driver, folder.path()).find("The database has schema 2, this wherry knows only 1.") == 0);
    CHECK(has_table(*driver, "b"));
  }
}

TEST_CASE("A migration that fails leaves nothing of itself, keeps those before it, and is named (migrate.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = database.open();
    const TempFolder folder;
    write(folder.path() / "0001_good.sql", "CREATE TABLE good (id BIGINT);");
    write(folder.path() / "0002_broken.sql", "CREATE TABLE half (id BIGINT); CREATE TABLE good (id BIGINT);");
    CHECK(error_of(*driver, folder.path()).find("at migration 0002_broken:") != std::string::npos);
    CHECK(has_table(*driver, "good"));
    CHECK_FALSE(has_table(*driver, "half"));
    write(folder.path() / "0002_broken.sql", "CREATE TABLE half (id BIGINT);");  // mended
    CHECK(db::migrate(*driver, folder.path()).value() == 2);
  }
}

TEST_CASE("A pair of files is one migration, each database takes its own (migrate.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = database.open();
    const TempFolder folder;
    write(folder.path() / "0001_pair.sqlite.sql", "CREATE TABLE small (id BIGINT);");
    write(folder.path() / "0001_pair.postgres.sql", "CREATE TABLE large (id BIGINT);");
    CHECK(db::migrate(*driver, folder.path()).value() == 1);
    CHECK(has_table(*driver, kind == DatabaseKind::sqlite ? "small" : "large"));
    CHECK_FALSE(has_table(*driver, kind == DatabaseKind::sqlite ? "large" : "small"));
  }
}

TEST_CASE(
    "A folder of migrations with a gap, two of one number, half a pair or a misnamed file is refused (migrate.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  const auto driver = database.open();
  const TempFolder folder;
  CHECK(error_of(*driver, folder.path() / "none").find("cannot be read") != std::string::npos);
  CHECK(error_of(*driver, folder.path()).find("There are no migrations") == 0);
  write(folder.path() / "0001_a.sqlite.sql", "");
  CHECK(error_of(*driver, folder.path()).find("must be one file for both databases, or a pair") != std::string::npos);
  std::filesystem::rename(folder.path() / "0001_a.sqlite.sql", folder.path() / "0001_a.sql");
  write(folder.path() / "0003_c.sql", "");
  CHECK(error_of(*driver, folder.path()) == "The migration before 0003_c is missing.");
  std::filesystem::rename(folder.path() / "0003_c.sql", folder.path() / "0001_c.sql");
  CHECK(error_of(*driver, folder.path()).find("Two migrations have one number: ") == 0);
  std::filesystem::rename(folder.path() / "0001_c.sql", folder.path() / "2_c.sql");
  CHECK(error_of(*driver, folder.path()).find("2_c.sql must be named like") != std::string::npos);
}
