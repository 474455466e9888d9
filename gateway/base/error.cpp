#include "gateway/base/error.hpp"

namespace wherry::base {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::rejected: return "rejected";
    case Errc::not_found: return "not_found";
    case Errc::bad_input: return "bad_input";
    case Errc::conflict: return "conflict";
    case Errc::offline: return "offline";
    case Errc::unsupported: return "unsupported";
    case Errc::not_authorized: return "not_authorized";
    case Errc::unavailable: return "unavailable";
    case Errc::uncertain: return "uncertain";
  }
  return "rejected";
}

std::optional<Errc> parse_errc(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(Errc::uncertain); ++code) {
    if (to_string(static_cast<Errc>(code)) == name) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) +
                         ": the value of a failed result was used: " + error.text);
}

}  // namespace wherry::base
