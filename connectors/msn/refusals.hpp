// What the errors of a server mean for whoever asked. Pure.
#pragma once

#include "gateway/base/error.hpp"

#include <string>

namespace wherry::msn {

// A request about `who` (an address; "": about nobody) was answered with that error.
base::Error to_error(int error, const std::string& who);

// Whether a login that is refused so is not to be tried again with the same password.
bool is_about_password(int error);

// Why a login failed, for the user.
std::string describe_refused_login(int error);

}  // namespace wherry::msn
