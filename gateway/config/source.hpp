// A TOML file as it was written, and where in it each key is.
#pragma once

#include "gateway/connector/settings.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace wherry::config {

struct Source {
  std::filesystem::path file;
  std::map<std::string, std::size_t> lines;  // of every key in it: "transport[0].server.port" → 12
  nlohmann::json values;
  connector::Mistakes mistakes;  // in single values, with their keys: no such variable, a date
};

// An error names the file and the line.
base::Result<Source> read_source(const std::filesystem::path& file);

// `text` has a line for each mistake, which begins with the key's path: in the order of the file, each with the file's
// name and its line.
std::string located(const std::filesystem::path& file, const std::map<std::string, std::size_t>& lines,
                    const std::string& text);
base::Error locate(const Source& source, const base::Error& error);

}  // namespace wherry::config
