// The configuration: one TOML file → typed, checked structs. deploy/wherry.example.toml shows every key.
#pragma once

#include "gateway/base/log.hpp"
#include "gateway/transport/transport.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace wherry {

struct StoreConfig {
  std::string url = "sqlite:wherry.db";  // or postgresql://…
  std::filesystem::path key_file;        // seals credentials; empty: beside the SQLite file, made at first start
};

struct HttpConfig {
  std::string listen = "127.0.0.1:0";  // 0: any free port; only for connectors that need webhooks
  std::string public_url;
};

struct LogConfig {
  base::log::Level level = base::log::Level::info;
  base::log::Format format = base::log::Format::text;
};

struct TransportEntry {
  transport::TransportConfig transport;
  std::string connector;             // the name of a shared object in connectors_folder, or
  std::vector<std::string> child;    // the command of a child connector
  nlohmann::json configuration = nlohmann::json::object();  // the connector's own
  std::string where;                 // "transport[0]": for errors
};

struct Config {
  StoreConfig store;
  HttpConfig http;
  LogConfig log;
  std::filesystem::path connectors_folder, migrations_folder;
  std::vector<TransportEntry> transports;
};

// Every error names the file, the line and the key, and says what would be right. Relative paths in the file are
// relative to its folder.
base::Result<Config> read_config(const std::filesystem::path& file);

}  // namespace wherry
