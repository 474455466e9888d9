// What the inbox holds: an event of the network with everything resolved that is needed to tell the user.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/convert/origin.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace wherry::convert {

struct SendDelivered {  // the other side's device has it: a receipt (XEP-0184)
  Origin origin;
  bool operator==(const SendDelivered&) const = default;
};
struct SendRead {  // its person has read it: a marker (XEP-0333)
  Origin origin;
  bool operator==(const SendRead&) const = default;
};
struct SendFailed {  // an error stanza with the original id, also days later
  Origin origin;
  base::Errc code = base::Errc::rejected;
  std::string text;
  bool operator==(const SendFailed&) const = default;
};

using Delivery = std::variant<connector::MessageReceived, connector::ContactAsked, connector::ContactAnswered,
                              connector::ContactRemoved, SendDelivered, SendRead, SendFailed>;

// Of the three kinds that we say ourselves: where the send came from; of the others null.
const Origin* origin_of(const Delivery& delivery);

// As JSON without line breaks; a row that was damaged gives bad_input.
std::string to_text(const Delivery& delivery);
base::Result<Delivery> parse_delivery(std::string_view text);

}  // namespace wherry::convert
