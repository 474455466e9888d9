// What is known of somebody, as the two kinds of vCard that XMPP has: vcard-temp (XEP-0054 v1.3.0) and vCard 4
// (XEP-0292 v0.12.0, RFC 6351). Pure.
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/xmpp/element.hpp"

#include <string>
#include <string_view>

namespace wherry::convert {

struct Card {
  std::string name;                  // as the user's list has it, or as they call themselves
  connector::Profile profile;        // what the network knows
  std::string_view photo_type = {};  // "image/png"; empty: there is no picture
  std::string_view photo = {};       // its octets
};

xmpp::Element to_vcard_temp(const Card& card);
xmpp::Element to_vcard4(const Card& card);

}  // namespace wherry::convert
