// Every sentence with which something that was asked of an account is refused.
#pragma once

#include "connectors/oscar/client/wire.hpp"
#include "gateway/connector/contract.hpp"

namespace wherry::oscar {

connector::Error is_down();
connector::Error is_busy();
connector::Error no_answer();  // the outcome does not matter: it may be asked again
connector::Error has_no_rooms();
connector::Error has_no_such_thing();
connector::Error message_refused(const Snac& error);  // 04/01

connector::Error no_list();
connector::Error list_is_unchanged();               // the server did not answer
connector::Error list_refused(std::uint16_t code);  // 13/0E

connector::Error no_profiles();       // of such people
connector::Error nothing_is_known();  // of this contact
connector::Error cannot_search();
connector::Error finds_by_address_only();
connector::Error no_icon();
connector::Error icon_refused();
connector::Error icon_unusable();

}  // namespace wherry::oscar
