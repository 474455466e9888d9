// How a file is called in the link to it.
#pragma once

#include <string>
#include <string_view>

namespace wherry::files {

// Letters that no program and no server reads another meaning from, and the ending of what the octets say that it is.
// `name`: what its sender calls it, or empty; `media_type`: empty where nobody knows.
std::string name_in_link(std::string_view name, const std::string& media_type);

}  // namespace wherry::files
