// What `wherry` does when called from a shell; each returns the exit code (see main.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wherry::cli {

int run_gateway(const std::filesystem::path& config);  // until SIGTERM or SIGINT
// reads it, and lets each connector read its own part; touches nothing
int check_config(const std::filesystem::path& config);
int generate_key();                                   // prints one
int rotate_key(const std::filesystem::path& config);  // seals everything again with the key file's first key
// Registers a user as if through a client, with answers like "phone=+14155550100"; nobody is asked, nothing is
// verified.
int register_user(const std::filesystem::path& config, const std::string& transport, const std::string& user,
                  const std::vector<std::string>& answers);
// Prints each address or number as the log shows it, so that its messages can be found there.
int mask(const std::filesystem::path& config, const std::vector<std::string>& values);
int export_user(const std::filesystem::path& config, const std::string& user);
int erase_user(const std::filesystem::path& config, const std::string& user);

}  // namespace wherry::cli
