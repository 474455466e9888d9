#include "gateway/convert/delivery.hpp"

#include "gateway/connector/codec.hpp"

#include <nlohmann/json.hpp>

namespace wherry::convert {

namespace {

// Our own two kinds are arrays, events are objects: ["delivered", origin], ["failed", origin, code, text].
std::string dump(const nlohmann::json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

template <class... Kinds>
base::Result<Delivery> pick(connector::Event event) {
  Delivery delivery;
  const bool picked = ((std::holds_alternative<Kinds>(event) && (delivery = std::move(std::get<Kinds>(event)), true)) || ...);
  if (!picked) return base::Error{base::Errc::bad_input, "This event is not delivered."};
  return delivery;
}

base::Result<Delivery> parse_own(const nlohmann::json& json) {
  const base::Error damaged{base::Errc::bad_input, "This is no delivery."};
  if (json.size() < 2 || !json[0].is_string() || !json[1].is_string()) return damaged;
  auto origin = parse_origin(json[1].get_ref<const std::string&>());
  if (!origin) return origin.error();
  if (json[0] == "delivered") return Delivery(SendDelivered{std::move(*origin)});
  if (json[0] != "failed" || json.size() != 4 || !json[2].is_string() || !json[3].is_string()) return damaged;
  const auto code = base::parse_errc(json[2].get_ref<const std::string&>());
  if (!code) return damaged;
  return Delivery(SendFailed{std::move(*origin), *code, json[3].get<std::string>()});
}

}  // namespace

const Origin* origin_of(const Delivery& delivery) {
  if (const auto* delivered = std::get_if<SendDelivered>(&delivery)) return &delivered->origin;
  if (const auto* failed = std::get_if<SendFailed>(&delivery)) return &failed->origin;
  return nullptr;
}

std::string to_text(const Delivery& delivery) {
  return std::visit(
      [](const auto& d) -> std::string {
        using D = std::decay_t<decltype(d)>;
        if constexpr (std::is_same_v<D, SendDelivered>) {
          return dump(nlohmann::json::array({"delivered", to_text(d.origin)}));
        } else if constexpr (std::is_same_v<D, SendFailed>) {
          return dump(nlohmann::json::array({"failed", to_text(d.origin), base::to_string(d.code), d.text}));
        } else {
          return connector::to_text(connector::Event(d));
        }
      },
      delivery);
}

base::Result<Delivery> parse_delivery(std::string_view text) {
  if (text.starts_with('[')) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_array()) return base::Error{base::Errc::bad_input, "This is no delivery."};
    return parse_own(json);
  }
  auto event = connector::parse_event(text);
  if (!event) return event.error();
  return pick<connector::MessageReceived, connector::ContactAsked, connector::ContactAnswered, connector::ContactRemoved>(
      std::move(*event));
}

}  // namespace wherry::convert
