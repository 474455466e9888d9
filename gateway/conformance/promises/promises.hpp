// Every promise that can be seen from outside, in the order in which they are tried.
#pragma once

#include "gateway/conformance/promise.hpp"

#include <span>

namespace wherry::conformance {

std::span<const Promise> greeting_promises();  // of a process that has no account yet; without `hello` nothing works
std::span<const Promise> login_promises();     // leave what log_in gave for the others
std::span<const Promise> contact_promises();
std::span<const Promise> sending_promises();
std::span<const Promise> later_promises();  // what is said of a message after it was sent
std::span<const Promise> receiving_promises();
std::span<const Promise> account_promises();
std::span<const Promise> ending_promises();   // stop the child
std::span<const Promise> closing_promises();  // need nothing that runs

}  // namespace wherry::conformance
