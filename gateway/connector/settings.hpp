// Strict reading of a connector's configuration: every error names the key's path, as "carriers[0].port: must be …",
// and a key that nobody asked for is an error.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/secret.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::connector {

class Fields {
 public:
  // `object` outlives this. An empty path is the configuration itself.
  Fields(const nlohmann::json& object, std::string path);

  // Each reads one key. Where it is absent the second form gives the default; the first notes an error.
  std::string required_text(std::string_view key);
  std::string text(std::string_view key, std::string fallback);
  std::string choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed);
  std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most);
  double decimal(std::string_view key, double fallback, double least, double most);
  bool flag(std::string_view key, bool fallback);
  std::vector<std::string> texts(std::string_view key);  // absent: empty
  const nlohmann::json* object(std::string_view key);    // absent: null
  std::vector<const nlohmann::json*> objects(std::string_view key);
  // The value of `key`, or the first line of the file that `key`_file names.
  base::Secret secret(std::string_view key);
  bool has_secret(std::string_view key) const;  // whether either is there

  // Only the first error is kept: what is wrong with a key.
  void wrong(std::string_view key, std::string_view what);
  std::string path_of(std::string_view key) const;

  // The first error, unknown keys included; a misspelt one before all others. Call it last.
  base::Result<void> finish();

 private:
  const nlohmann::json* find(std::string_view key);

  const nlohmann::json& object_;
  std::string path_;
  std::set<std::string, std::less<>> asked_;
  std::optional<base::Error> error_;
};

}  // namespace wherry::connector
