// Whose files are. Pure of contents: what is written into them is others' business.
#pragma once

#include <filesystem>
#include <string>

namespace wherry::base {

std::string our_user();

// A file that was just made: where root made it in another user's folder, it becomes that user's, as SQLite does it
// with its logs. Else a command that root calls would leave files that the service cannot read. False, with errno: it
// could not be given away.
bool give_to_owner_of(const std::filesystem::path& folder, int descriptor);

// Why the system refuses a file with EACCES, and what to do.
std::string no_permission(const std::filesystem::path& file);

}  // namespace wherry::base
