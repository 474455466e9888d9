// What the outbox's sources share: the clock of its waits, and the sentences with which senders are told.
#pragma once

#include <chrono>
#include <cstdint>

namespace wherry::queues {

inline std::int64_t now_forward() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

namespace told {

inline constexpr char uncertain[] =
    "The connection broke while this message was being sent: it may or may not have arrived. It is not sent again by "
    "itself.";
inline constexpr char unregistered_meanwhile[] = "You have unregistered while it was being sent.";
inline constexpr char unregistered_unsure[] =
    "You have unregistered. An earlier attempt may have succeeded, so the message may or may not have arrived.";
inline constexpr char leaving[] = "You are being unregistered; the message was not sent.";
inline constexpr char unregistered[] = "You are no longer registered here; the message was not sent.";
inline constexpr char expired[] = "The network could not be reached for too long; the message was not sent.";
inline constexpr char expired_unwanted[] =
    "You were not logged in to the network for too long; the message was not sent. Showing the gateway your presence "
    "logs you in.";
inline constexpr char expired_logged_out[] =
    "You were logged out of the network for too long; the message was not sent. Write “log in” to the gateway to come "
    "back.";
inline constexpr char expired_refused[] =
    "The network has not accepted your login for too long; the message was not sent. Please register again.";
inline constexpr char expired_unsure[] =
    "The network could not be reached for too long. An earlier attempt may have succeeded, so the message may or may "
    "not have arrived.";
inline constexpr char damaged[] = "The gateway's record of it is damaged; the message was not sent.";

}  // namespace told
}  // namespace wherry::queues
