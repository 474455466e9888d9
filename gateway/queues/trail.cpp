#include "gateway/queues/trail.hpp"

#include "gateway/base/log.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace wherry::queues::trail {

namespace {

bool is_wanted() { return log::enabled(log::Level::info); }

std::string_view bare(std::string_view jid) { return jid.substr(0, jid.find('/')); }

const std::string& value_of(const base::ChatId& chat) {
  return std::visit([](const auto& id) -> const std::string& { return id.value; }, chat);
}

std::string_view name_of(connector::Stage stage) {
  switch (stage) {
    case connector::Stage::accepted: return "accepted";
    case connector::Stage::delivered: return "delivered";
    case connector::Stage::read: return "read";
    case connector::Stage::failed: return "failed";
  }
  return "unknown";
}

const connector::MessageReceived* message_of(const convert::Delivery& delivery) {
  return std::get_if<connector::MessageReceived>(&delivery);
}

}  // namespace

void accepted(const Keys& keys, std::int64_t row, std::string_view transport, const base::ChatId& chat,
              const convert::Origin& origin) {
  if (!is_wanted()) return;
  log::info("message.accepted", {{"id", keys.of(row)},
                                 {"transport", transport},
                                 {"from", log::masked(bare(origin.user))},
                                 {"to", log::masked(value_of(chat))},
                                 {"stanza", origin.stanza_id}});
}

void sent(const Keys& keys, std::int64_t row, const connector::Receipt& receipt) {
  if (!is_wanted()) return;
  const std::string id = keys.of(row);
  const bool has_other = !receipt.ids.empty() && receipt.ids.front().value != id;
  if (has_other) log::info("message.sent", {{"id", id}, {"network_id", receipt.ids.front().value}});
  else log::info("message.sent", {{"id", id}});
}

void delayed(const Keys& keys, std::int64_t row, const base::Error& error, std::chrono::milliseconds pause) {
  if (!is_wanted()) return;
  log::info("message.delayed", {{"id", keys.of(row)},
                                {"outcome", base::to_string(error.code)},
                                {"error", log::without_numbers(error.text)},
                                {"retry_ms", pause.count()}});
}

void failed(const Keys& keys, std::int64_t row, const convert::Origin& origin, const base::Error& error) {
  if (!is_wanted()) return;
  log::info("message.failed", {{"id", keys.of(row)},
                               {"outcome", base::to_string(error.code)},
                               {"error", log::without_numbers(error.text)},
                               {"stanza", origin.stanza_id}});
}

void reported(const Keys& keys, std::int64_t row, connector::Stage stage) {
  if (!is_wanted()) return;
  log::info("message.reported", {{"id", keys.of(row)}, {"stage", name_of(stage)}});
}

void received(const Keys& keys, std::int64_t row, std::string_view transport, base::AccountId account,
              const convert::Delivery& delivery) {
  const connector::MessageReceived* message = message_of(delivery);
  if (!message || !is_wanted()) return;
  log::info("message.received", {{"id", "w" + keys.of(row)},
                                 {"transport", transport},
                                 {"account", account.value},
                                 {"from", log::masked(message->sender.value)},
                                 {"network_id", message->id.value}});
}

void delivered(const Keys& keys, std::int64_t row, const convert::Delivery& delivery) {
  if (!message_of(delivery) || !is_wanted()) return;
  log::info("message.delivered", {{"id", "w" + keys.of(row)}});
}

void returned(const Keys& keys, std::int64_t row) {
  if (!is_wanted()) return;
  log::info("message.returned", {{"id", "w" + keys.of(row)}});
}

void sent_again(const Keys& keys, std::int64_t row, std::int64_t before) {
  if (!is_wanted()) return;
  log::info("message.sent_again", {{"id", "w" + keys.of(row)}, {"was", "w" + keys.of(before)}});
}

}  // namespace wherry::queues::trail
