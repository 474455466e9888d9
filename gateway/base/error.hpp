// What can go wrong because of input, a user or a peer, as a value. What only a broken machine or a bug
// can cause is an exception (house rule; gateway/README.md "Errors").
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wherry::base {

// The only distinctions that change what the gateway does next.
enum class Errc {
  rejected,        // refused for good: bounce to the sender
  not_found,       // refused for good: no such contact, number or room
  bad_input,       // refused for good: what was typed or configured is wrong; the text says how to mend it
  conflict,        // refused for good: it is somebody else's already, a number or a name
  offline,         // refused for good: the contact is away, and neither side keeps messages for it
  unsupported,     // this network has no such thing
  not_authorized,  // the credentials no longer work: the user must log in again
  unavailable,     // provably not done; may be retried
  uncertain,       // may have been done; repeated only where the network deduplicates (the last one: parse_errc)
};

struct Error {
  Errc code = Errc::rejected;
  std::string text;                     // for the human who caused it: what happened, what to do
  std::chrono::seconds retry_after{0};  // with `unavailable`; 0: the gateway's own back-off
};

std::string_view to_string(Errc code);
std::optional<Errc> parse_errc(std::string_view name);

// Called by Result<T>::value() on an error: reaching it is a bug of the caller.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Error>;

// A Result<void>'s success, readable at the return: `return ok();`
inline Result<void> ok() { return {}; }

}  // namespace wherry::base
