#include "gateway/convert/delivery.hpp"

#include "gateway/connector/event_codec.hpp"
#include "gateway/connector/json_text.hpp"

namespace wherry::convert {

namespace {

base::Error damaged_delivery() { return {base::Errc::bad_input, "This is no delivery."}; }

// Rows of the versions before 1: ["delivered", origin], ["failed", origin, code, text], the origin as a text. Read for
// ever.
base::Result<Delivery> parse_unversioned_delivery(const nlohmann::json& json) {
  if (json.size() < 2 || !json[0].is_string() || !json[1].is_string()) return damaged_delivery();
  auto origin = parse_origin(json[1].get_ref<const std::string&>());
  if (!origin) return origin.error();
  if (json[0] == "delivered") return Delivery(SendDelivered{std::move(*origin)});
  if (json[0] != "failed" || json.size() != 4 || !json[2].is_string() || !json[3].is_string())
    return damaged_delivery();
  const auto code = base::parse_errc(json[2].get_ref<const std::string&>());
  if (!code) return damaged_delivery();
  return Delivery(SendFailed{std::move(*origin), *code, json[3].get<std::string>()});
}

// What we say ourselves.
base::Result<Delivery> parse_own(const nlohmann::json& json, std::string_view type) {
  const auto written = json.find("origin");
  if (written == json.end()) return damaged_delivery();
  auto origin = parse_origin(written->dump());
  if (!origin) return origin.error();
  if (type == "delivered") return Delivery(SendDelivered{std::move(*origin)});
  if (type == "read") return Delivery(SendRead{std::move(*origin)});
  const auto code_name = json.find("code"), text = json.find("text");
  if (code_name == json.end() || text == json.end() || !code_name->is_string() || !text->is_string())
    return damaged_delivery();
  const auto code = base::parse_errc(code_name->get_ref<const std::string&>());
  if (!code) return damaged_delivery();
  return Delivery(SendFailed{std::move(*origin), *code, text->get<std::string>()});
}

// {"v":1,"type":…, and the rest}: an event's members are the codec's (connector/event_codec.hpp).
std::string row_of(std::string_view type, const Origin& origin) {
  std::string row = R"({"v":1,"type":)";
  connector::append_json_string(row, type);
  return row.append(R"(,"origin":)").append(to_text(origin));
}

}  // namespace

std::optional<Delivery> to_delivery(connector::Event event) {
  return std::visit(
      []<class E>(E& it) -> std::optional<Delivery> {
        if constexpr (std::is_constructible_v<Delivery, E>) return Delivery(std::move(it));
        else return std::nullopt;
      },
      event);
}

const Origin* origin_of(const Delivery& delivery) {
  if (const auto* delivered = std::get_if<SendDelivered>(&delivery)) return &delivered->origin;
  if (const auto* read = std::get_if<SendRead>(&delivery)) return &read->origin;
  if (const auto* failed = std::get_if<SendFailed>(&delivery)) return &failed->origin;
  return nullptr;
}

std::string to_text(const Delivery& delivery) {
  return std::visit(
      [](const auto& d) -> std::string {
        using D = std::decay_t<decltype(d)>;
        if constexpr (std::is_same_v<D, SendDelivered>) {
          return row_of("delivered", d.origin) + '}';
        } else if constexpr (std::is_same_v<D, SendRead>) {
          return row_of("read", d.origin) + '}';
        } else if constexpr (std::is_same_v<D, SendFailed>) {
          std::string row = row_of("failed", d.origin);
          row += R"(,"code":)";
          connector::append_json_string(row, base::to_string(d.code));
          row += R"(,"text":)";
          connector::append_json_string(row, d.text);
          return row += '}';
        } else {
          return R"({"v":1,)" + connector::to_text(connector::Event(d)).substr(1);
        }
      },
      delivery);
}

base::Result<Delivery> parse_delivery(std::string_view text) {
  const auto json = connector::parse_json(text);
  if (!json) return damaged_delivery();
  if (json->is_array()) return parse_unversioned_delivery(*json);
  if (!json->is_object() || json->value("v", nlohmann::json(1)) != 1) return damaged_delivery();
  const auto type = json->find("type");
  if (type != json->end() && (*type == "delivered" || *type == "read" || *type == "failed"))
    return parse_own(*json, type->get_ref<const std::string&>());
  auto event = connector::parse_event(*json);  // without a version, too: older rows
  if (!event) return event.error();
  auto delivery = to_delivery(std::move(*event));
  if (!delivery) return base::Error{base::Errc::bad_input, "This event is not delivered."};
  return std::move(*delivery);
}

}  // namespace wherry::convert
