// What the errors of a server mean for whoever asked. Pure.
#pragma once

#include "connectors/msn/link/notification_link.hpp"
#include "gateway/base/error.hpp"

#include <string>

namespace wherry::msn {

// A request about `who` (an address; "": about nobody) was answered with that error.
base::Error to_error(int error, const std::string& who);

// The same of any answer. Repeating a change of a list does no harm: what is not known to be done may be tried again.
base::Result<void> to_result(const Reply& reply, const std::string& who);

// Whether a login that is refused so is not to be tried again with the same password.
bool is_about_password(int error);

// Why a login failed, for the user.
std::string describe_refused_login(int error);

}  // namespace wherry::msn
