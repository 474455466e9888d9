#include "connectors/oscar/convert/status.hpp"

namespace wherry::oscar {

using connector::Availability;

namespace {

constexpr std::uint32_t away = 0x01, do_not_disturb = 0x02, not_available = 0x04, occupied = 0x10, free_for_chat = 0x20,
                        invisible = 0x100;

}  // namespace

// The higher ones have the lower ones' bits, for clients that do not know them.
std::uint32_t to_status(Availability availability) {
  switch (availability) {
    case Availability::offline: return invisible;
    case Availability::online: return 0;
    case Availability::chat: return free_for_chat;
    case Availability::away: return away;
    case Availability::extended_away: return not_available | away;
    case Availability::do_not_disturb: return do_not_disturb | occupied | away;
  }
  return 0;
}

Availability to_availability(const UserInfo& user) {
  const std::uint32_t status = user.status.value_or(0);
  if ((status & invisible) != 0) return Availability::offline;
  if ((status & (do_not_disturb | occupied)) != 0) return Availability::do_not_disturb;
  if ((status & not_available) != 0) return Availability::extended_away;
  if ((status & away) != 0) return Availability::away;
  if (user.is_away) return Availability::away;
  if ((status & free_for_chat) != 0) return Availability::chat;
  return Availability::online;
}

bool has_away_text(Availability availability) {
  return availability == Availability::away || availability == Availability::extended_away ||
         availability == Availability::do_not_disturb;
}

}  // namespace wherry::oscar
