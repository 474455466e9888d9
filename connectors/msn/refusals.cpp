#include "connectors/msn/refusals.hpp"

#include <fmt/format.h>

namespace wherry::msn {

using base::Errc;
using base::Error;

namespace {

bool is_temporary(int error) {
  return (error >= 500 && error < 900 && error != 511 && error != 540) || error == 910 || error == 918 ||
         (error >= 919 && error <= 922) || error == 280 || error == 281;
}

}  // namespace

bool is_about_password(int error) { return error == 911 || error == 511; }

Error to_error(int error, const std::string& who) {
  const std::string person = who.empty() ? std::string("This contact") : who;
  switch (error) {
    case 201:
    case 205:
    case 206:
    case 208:
    case 209: return {Errc::not_found, fmt::format("MSN has no account {}.", who.empty() ? "of this name" : who), {}};
    case 210: return {Errc::rejected, "This list of your MSN account is full: remove somebody first.", {}};
    case 216:
    case 217: return {Errc::offline, fmt::format("{} is not there, so the message was not sent.", person), {}};
    case 713:
    case 800: return {Errc::unavailable, "MSN wants us to be slower.", std::chrono::seconds(60)};
    case 911: return {Errc::not_authorized, "MSN does not accept your login any more. Register again.", {}};
    case 913: return {Errc::rejected, "MSN sends no messages of somebody who is hidden.", {}};
    default: break;
  }
  if (is_temporary(error))
    return {Errc::unavailable, fmt::format("The MSN server is too busy (error {}).", error), std::chrono::seconds(30)};
  return {Errc::rejected, fmt::format("The MSN server refuses this (error {}).", error), {}};
}

base::Result<void> to_result(const Reply& reply, const std::string& who) {
  if (reply.kind == Reply::Kind::refused) return to_error(reply.error, who);
  if (!reply.is_done()) return Error{Errc::unavailable, "The MSN server does not answer.", {}};
  return base::ok();
}

std::string describe_refused_login(int error) {
  if (error == 511) return "The MSN server has closed this account.";
  if (is_about_password(error))
    return "The MSN server does not accept this login. Register again with the right password.";
  return to_error(error, {}).text;
}

}  // namespace wherry::msn
