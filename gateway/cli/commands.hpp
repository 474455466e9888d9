// What `wherry` does when called from a shell; each returns the exit code (see main.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wherry::config {
struct Config;
}

namespace wherry::cli {

int run_gateway(const std::filesystem::path& config);  // until SIGTERM or SIGINT
// reads it, and lets each connector read its own part; touches nothing. With `yes`, tries what it would connect to.
enum class Connect { no, yes };
int check_config(const std::filesystem::path& config, Connect connect);
int try_connections(const config::Config& config);
int print_example();                                  // of a configuration
int print_reference();                                // of its keys
int generate_key();                                   // prints one
int rotate_key(const std::filesystem::path& config);  // seals everything again with the key file's first key
// Registers a user as through a client: the connector's form is answered with "phone=+14155550100".
int register_user(const std::filesystem::path& config, const std::string& transport, const std::string& user,
                  const std::string& alias, const std::vector<std::string>& answers);
// Prints each address or number as the log shows it, so that its messages can be found there.
int mask(const std::filesystem::path& config, const std::vector<std::string>& values);
// Holds the child that `command` starts to the promises of connectors/README.md, as the file describes it.
int try_conformance(const std::filesystem::path& description, const std::vector<std::string>& command);
int export_user(const std::filesystem::path& config, const std::string& user);
int erase_user(const std::filesystem::path& config, const std::string& user);

}  // namespace wherry::cli
