// The way of each message, one line of the log for each stage, all under the message's key: `grep` for the key shows
// what became of it. No body; users and contacts are masked (log::masked, `wherry mask`).
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/convert/delivery.hpp"
#include "gateway/queues/envelope.hpp"

#include <chrono>

// Each writes its line at level info, and costs next to nothing where that is not logged.
namespace wherry::queues::trail {

// ---- What a user sent; `row` is the outbox's ----

void accepted(const Keys& keys, std::int64_t row, std::string_view transport, const base::ChatId& chat,
              const convert::Origin& origin);
void sent(const Keys& keys, std::int64_t row, const connector::Receipt& receipt);
// It is tried again after `pause`.
void delayed(const Keys& keys, std::int64_t row, const base::Error& error, std::chrono::milliseconds pause);
// The sender is told: `error.code` says whether it may have arrived all the same.
void failed(const Keys& keys, std::int64_t row, const convert::Origin& origin, const base::Error& error);
// The network says how far it has come.
void reported(const Keys& keys, std::int64_t row, connector::Stage stage);

// ---- What came from the network; `row` is the inbox's. Only messages leave a trail here. ----

void received(const Keys& keys, std::int64_t row, std::string_view transport, base::AccountId account,
              const convert::Delivery& delivery);
// The user's server has it.
void delivered(const Keys& keys, std::int64_t row, const convert::Delivery& delivery);
// The user's server gave it back: it is kept until the user comes.
void returned(const Keys& keys, std::int64_t row);
// What was given back goes to the user's server anew, as `row`; it was `before`.
void sent_again(const Keys& keys, std::int64_t row, std::int64_t before);

}  // namespace wherry::queues::trail
