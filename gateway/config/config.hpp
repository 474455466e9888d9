// The configuration: one TOML file → typed, checked structs. keys.cpp has every key.
#pragma once

#include "gateway/base/log.hpp"
#include "gateway/files/file_store.hpp"
#include "gateway/store/retention.hpp"
#include "gateway/transport/transport.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace wherry::config {

struct StoreConfig {
  std::string url = "sqlite:wherry.db";  // or postgresql://…
  std::filesystem::path key_file;        // seals credentials; empty: beside the SQLite file, made at first start
  store::Retention kept;
};

struct HttpConfig {
  // 0: any free port; only connectors with webhooks need one
  boost::asio::ip::tcp::endpoint listen{boost::asio::ip::address_v4::loopback(), 0};
  std::string public_url;
};

struct FilesConfig {
  std::filesystem::path folder;  // empty: none are kept
  files::FileLimits limits;
};

struct LogConfig {
  base::log::Level level = base::log::Level::info;
  base::log::Format format = base::log::Format::text;
};

struct TransportEntry {
  transport::TransportConfig transport;
  std::string connector;                                    // the name of a shared object in connectors_folder, or
  std::vector<std::string> child;                           // the command of a child connector
  nlohmann::json configuration = nlohmann::json::object();  // the connector's own
  std::string where;                                        // "transport[0]": for errors
};

struct Config {
  std::filesystem::path file;                // where all this was read
  std::map<std::string, std::size_t> lines;  // of every key in it: "transport[0].server.port" → 12
  nlohmann::json source;                     // as it was written
  StoreConfig store;
  HttpConfig http;
  FilesConfig files;
  LogConfig log;
  std::filesystem::path connectors_folder, migrations_folder;
  std::vector<TransportEntry> transports;
};

// All mistakes at once, a line of text each: the file, the line, the key, and what would be right. Relative paths in
// the file are relative to its folder.
base::Result<Config> read_config(const std::filesystem::path& file);

// What showed to be wrong only in use, in the same form. Each line of `error`'s text begins with the key's path, as a
// connector's do behind "transport[0].configuration."; of a key that is missing, the line is that of the table it
// belongs in.
base::Error locate(const Config& config, const base::Error& error);

// The paths of the keys in which two sources differ: "log.level", "transport[0].register.jids".
std::vector<std::string> changes(const nlohmann::json& old, const nlohmann::json& now);

// `now`, but as in `old` what stands at the paths `left`: what runs after a part of `now` was taken over.
nlohmann::json with_left(const nlohmann::json& old, nlohmann::json now, const std::vector<std::string>& left);

}  // namespace wherry::config
