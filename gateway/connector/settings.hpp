// Strict reading of a table of the configuration: every mistake names the key's path, as "carriers[0].port: must be …",
// a key that nobody asked for is one, and all of them are told at once.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/connector/keys.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::connector {

// What is wrong with a configuration: a line for each mistake.
class Mistakes {
 public:
  void add(std::string_view lines) { text_.append(text_.empty() ? "" : "\n").append(lines); }
  template <class T>
  void add(const base::Result<T>& result) {
    if (!result) add(result.error().text);
  }
  bool empty() const { return text_.empty(); }
  base::Error error() const { return {base::Errc::bad_input, text_}; }

 private:
  std::string text_;
};

class Fields {
 public:
  // `object` outlives this. An empty path is the configuration itself. `keys` are those that it may have.
  Fields(const nlohmann::json& object, std::string path, std::span<const Key> keys = {});

  // Each reads one key of the table, as that says.
  std::string text(std::string_view key);
  std::string choice(std::string_view key);
  std::int64_t number(std::string_view key);
  double decimal(std::string_view key);
  bool flag(std::string_view key);

  // The same without a table.
  std::string required_text(std::string_view key);
  std::string text(std::string_view key, std::string fallback);
  std::string choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed);
  std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most);
  double decimal(std::string_view key, double fallback, double least, double most);
  bool flag(std::string_view key, bool fallback);

  std::vector<std::string> texts(std::string_view key);  // absent: empty
  const nlohmann::json* object(std::string_view key);    // absent: null
  std::vector<const nlohmann::json*> objects(std::string_view key);
  // The value of `key`, or what the file holds that `key`_file names.
  base::Secret secret(std::string_view key);
  bool has_secret(std::string_view key) const;  // whether either is there
  bool has(std::string_view key) const;

  // Notes a mistake, the first of each key.
  void wrong(std::string_view key, std::string_view what);
  std::string path_of(std::string_view key) const;
  // Whether the key is not there because it is misspelt: what is missing in it then is no mistake of its own.
  bool is_misspelt(std::string_view key) const;

  // All mistakes, unknown keys included. Call it last.
  base::Result<void> finish();

 private:
  const nlohmann::json* find(std::string_view key);
  const Key& entry(std::string_view key) const;
  void missing(std::string_view key, std::string_view what);
  std::string what_is_missing(std::string_view secret) const;
  std::string meant_by(std::string_view unknown) const;

  const nlohmann::json& object_;
  std::string path_;
  std::span<const Key> keys_;
  std::set<std::string, std::less<>> known_;                // the table's, and what was asked for
  std::vector<std::pair<std::string, std::string>> wrong_;  // key, what
  std::set<std::string, std::less<>> missing_;
};

}  // namespace wherry::connector
