#include "connectors/oscar/account/refusals.hpp"

#include <fmt/format.h>

namespace wherry::oscar {

using connector::Errc;
using connector::Error;

Error is_down() { return {Errc::unavailable, "There is no connection to the network at the moment."}; }
Error is_busy() {
  return {Errc::unavailable, "Too much is on its way to the network already.", std::chrono::seconds(30)};
}
Error no_answer() { return {Errc::unavailable, "The network did not answer."}; }
Error has_no_rooms() { return {Errc::unsupported, "This network has no rooms here."}; }
Error has_no_such_thing() { return {Errc::unsupported, "This network has no such thing."}; }

Error message_refused(const Snac& error) {
  Reader in(error.body);
  const std::uint16_t code = in.u16();
  const auto sub_code = number(read_tlvs(in), 0x08).value_or(0);
  switch (code) {
    case 0x02:
    case 0x03:
    case 0x05:
    case 0x13: return {Errc::unavailable, "The network cannot take the message at the moment."};
    case 0x04:
      if (sub_code == 0x0F)
        return {Errc::rejected, "The network keeps no more messages for this contact until they log in."};
      return {Errc::offline, "The contact is away, and the network keeps no messages for them."};
    case 0x0B: return {Errc::rejected, "The message is too long for the network."};
    case 0x10: return {Errc::rejected, "You have blocked this contact."};
    case 0x14: return {Errc::not_found, "There is nobody with that name."};
    default: return {Errc::rejected, fmt::format("The network refuses the message (code {}).", code)};
  }
}

Error no_list() { return {Errc::unsupported, "This server keeps no contact lists."}; }
Error list_is_unchanged() {
  return {Errc::unavailable, "The contact list could not be changed: the server did not answer."};
}

Error list_refused(std::uint16_t code) {
  switch (code) {
    case 0x02: return {Errc::not_found, "There is nobody with that name."};
    case 0x0C: return {Errc::rejected, "The contact list at the server is full."};
    case 0x0D: return {Errc::rejected, "This network takes no such contacts."};
    default: return {Errc::rejected, fmt::format("The server refuses to change the contact list (code {}).", code)};
  }
}

Error no_profiles() { return {Errc::unsupported, "This server has no profiles of people."}; }
Error nothing_is_known() { return {Errc::not_found, "The network knows nothing of this contact."}; }
Error cannot_search() { return {Errc::unsupported, "This server cannot search for people."}; }
Error finds_by_address_only() { return {Errc::bad_input, "This network finds people by their mail address only."}; }
Error no_icon() { return {Errc::not_found, "The network has no such picture."}; }
Error icon_refused() { return {Errc::rejected, "The network does not take the picture."}; }
Error icon_unusable() {
  return {Errc::rejected, "A picture for this network is a GIF, JPEG, PNG or BMP of at most 60 kB."};
}

}  // namespace wherry::oscar
