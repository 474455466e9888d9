// A whole file as text, or why it cannot be read, in words for whoever configured it.
#pragma once

#include "gateway/base/error.hpp"

#include <filesystem>
#include <string>

namespace wherry::connector {

// bad_input: "cannot be read: there is no such file", to stand behind the file's name.
base::Result<std::string> read_file(const std::filesystem::path& file);
// The same of a file that holds one secret, without the white space around it; it is not empty.
base::Result<std::string> read_secret_file(const std::filesystem::path& file);

}  // namespace wherry::connector
