#include "gateway/convert/origin.hpp"

#include <nlohmann/json.hpp>

namespace wherry::convert {

Origin origin_of(const xmpp::Stanza& stanza, base::Time now) {
  Origin origin;
  origin.user = stanza.from.str();
  origin.contact = stanza.to.str();
  origin.stanza_id = stanza.id();
  origin.type = stanza.type();
  origin.lang = stanza.lang();
  origin.wants_receipt = stanza.element.child("request", xmpp::ns::receipts) != nullptr;
  origin.sent = base::to_milliseconds(now);
  return origin;
}

std::string to_text(const Origin& origin) {
  nlohmann::json json = {origin.user, origin.contact, origin.stanza_id, origin.type, origin.lang, origin.wants_receipt, origin.sent};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Result<Origin> parse_origin(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array() || json.size() != 7 || !json[5].is_boolean() || !json[6].is_number_integer()) return base::Error{base::Errc::bad_input, "This is no origin."};
  for (std::size_t i = 0; i < 5; ++i) {
    if (!json[i].is_string()) return base::Error{base::Errc::bad_input, "This is no origin."};
  }
  Origin origin;
  origin.user = json[0].get<std::string>();
  origin.contact = json[1].get<std::string>();
  origin.stanza_id = json[2].get<std::string>();
  origin.type = json[3].get<std::string>();
  origin.lang = json[4].get<std::string>();
  origin.wants_receipt = json[5].get<bool>();
  origin.sent = json[6].get<std::int64_t>();
  return origin;
}

}  // namespace wherry::convert
