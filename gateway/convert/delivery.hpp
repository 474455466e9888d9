// What the inbox holds: an event of the network with everything resolved that is needed to tell the user.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/convert/origin.hpp"

#include <optional>
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

// The messages that an event names are named as the user's program names them: by stanza ids.
using Delivery = std::variant<connector::MessageReceived, connector::ContactAsked, connector::ContactAnswered,
                              connector::ContactRemoved, SendDelivered, SendRead, SendFailed, connector::MessageEdited,
                              connector::MessageRetracted, connector::Reacted, connector::AccountNotice>;

// Nothing: the user is not told of such an event.
std::optional<Delivery> to_delivery(connector::Event event);

// Of the three kinds that we say ourselves: where the send came from; of the others null.
const Origin* origin_of(const Delivery& delivery);

// As JSON without line breaks; a row that was damaged gives bad_input.
std::string to_text(const Delivery& delivery);
base::Result<Delivery> parse_delivery(std::string_view text);

}  // namespace wherry::convert
