// Texts, and what a repeated send costs.
#include "gateway/base/within.hpp"
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::conformance {

namespace {

using connector::Action;
using connector::Errc;
using connector::Idempotency;
using connector::MessageProgressed;
using connector::Network;
using connector::RoomId;
using connector::SendMessage;
using connector::Stage;

constexpr int repeats = 3;

asio::awaitable<void> comes_online(Host& host) { co_await host.online(1); }

asio::awaitable<void> gives_ids(Host& host) {
  const Sent sent = co_await send_text(host, 1);
  expect(!host.greeting.network.refers_to_messages || !sent.ids.empty(),
         "a text is answered without ids, though refers_to_messages is declared: answer with {\"ids\": [\"…\"]}, all "
         "that the network will know it by.");
}

asio::awaitable<void> carries_text(Host& host) {
  require_back(host, "text");
  SendMessage message = new_text(host);
  message.content.text += " Zoë: \"5 < 6\" & 'x'\\ 😀\nsecond line";
  const Sent sent = co_await send(host, 1, std::move(message));
  const Events& events = host.events(1);
  const std::string key = sent.action.key;
  std::function<bool()> has_come = [&events, key] {
    const auto all = events.all<connector::MessageReceived>();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.content.text.starts_with(key); });
  };
  co_await host.until(std::move(has_come), "the text that was sent does not come back, as `comes_back` says.");
  expect(events.count(sent.text()) > 0,
         "a text comes back changed: letters beyond ASCII, quotes, < and &, \\ and a line's "
         "end must stay as they are.");
}

// The same send again; its ids must be the same, since it is the same message.
asio::awaitable<void> repeat(Host& host, const Sent& sent) {
  for (int i = 1; i < repeats; ++i) {
    const Sent again = co_await send(host, 1, sent.action);
    expect(again.ids == sent.ids,
           "the same send again, by its key, is answered with other ids: it is the same message.");
  }
}

asio::awaitable<void> sends_once(Host& host) {
  const auto* network = co_await host.network();
  if (network->idempotency(host.account(1)) == Idempotency::none)
    throw NotTried("`idempotency` is none: a repeat may double");
  const Sent sent = co_await send_text(host, 1);
  co_await repeat(host, sent);
  if (!host.description.comes_back.contains("text"))
    throw NotTried("the ids are the same; whether it was sent once shows only where `comes_back` has \"text\"");
  co_await settle(host, 1);
  const std::size_t came = host.events(1).count_ids(sent.text());
  expect(came == 1,
         fmt::format("a text that was asked for {} times with one key came back {} times: the same key is sent "
                     "once, or declare `idempotency` none.",
                     repeats, came));
}

asio::awaitable<void> sends_once_over_restarts(Host& host) {
  const auto* network = co_await host.network();
  if (network->idempotency(host.account(1)) == Idempotency::none)
    throw NotTried("`idempotency` is none: a repeat may double");
  require_back(host, "text");
  const Sent sent = co_await send_text(host, 1);
  co_await wait_back(host, 1, sent.text());
  co_await host.stop();
  co_await send(host, 1, sent.action);
  co_await settle(host, 1);
  const std::size_t came = host.events(1).count_ids(sent.text());
  expect(came == 1,
         fmt::format("a text that was asked for again with the same key, after the child had been started anew, "
                     "came back {} times: keep what you must know of keys at the network or by store_write.",
                     came));
}

asio::awaitable<void> refuses_with_the_code(Host& host) {
  if (!host.description.refused) throw NotTried("the description has no [refused]");
  SendMessage message = new_text(host, "This must be refused.");
  message.chat = connector::ContactId{host.description.refused->contact};
  Action action = std::move(message);
  const auto refused = co_await perform(host, 1, std::move(action));
  expect(!refused, "a text to the description's refused.contact is answered as sent.");
  if (refused.error().code != host.description.refused->code) {
    throw Broken(fmt::format("a text to the description's refused.contact is answered {}, and not `{}`.",
                             in_words(refused.error()), base::to_string(host.description.refused->code)));
  }
  expect_refusal(refused.error(), "a text to the description's refused.contact");
}

asio::awaitable<void> refuses_rooms(Host& host) {
  SendMessage message;
  message.chat = RoomId{"no such room"};
  message.key = host.new_key();
  message.content.text = "This must be refused.";
  Action action = std::move(message);
  const auto refused = co_await perform(host, 1, std::move(action));
  expect(!refused,
         "a text to the room “no such room” is answered as sent: a chat begins with c: (a contact) or r: (a "
         "room); answer for others than you know with `not_found` or `unsupported`.");
  expect_refusal(refused.error(), "a text to a room that there is not");
}

asio::awaitable<void> reports_by_name(Host& host) {
  require_back(host, "report");
  expect(host.greeting.network.reports_delivery,
         "reports come, as `comes_back` says: declare network.reports_delivery.");
  const Sent sent = co_await send_text(host, 1);
  const Events& events = host.events(1);
  std::function<bool()> has_come = [&events, &sent] {
    const auto all = events.all<MessageProgressed>();
    return std::any_of(all.begin(), all.end(), [&](const MessageProgressed& one) {
      const bool is_ours =
          one.id.value == sent.action.key || std::find(sent.ids.begin(), sent.ids.end(), one.id) != sent.ids.end();
      return is_ours && (one.stage == Stage::delivered || one.stage == Stage::read);
    });
  };
  co_await host.until(std::move(has_come),
                      "no message_progressed with `delivered` or `read` names a text that was sent, by "
                      "an id of its answer or by its key, as `comes_back` says.");
}

asio::awaitable<void> answers_presence(Host& host) {
  Action action = connector::SetPresence();
  const auto result = co_await perform(host, 1, std::move(action));
  if (host.greeting.network.has_presence) {
    expect(result.has_value(),
           result ? std::string()
                  : "`set_presence` is answered " + in_words(result.error()) + ", though has_presence is declared.");
    co_return;
  }
  if (!result) expect_refusal(result.error(), "`set_presence`");
}

// Whoever it is: an answer, or a refusal in the protocol's words.
asio::awaitable<void> answers_queries(Host& host) {
  const connector::Query queries[] = {connector::ProfileQuery{contact_of(host)}, connector::RoomsQuery()};
  for (const connector::Query& query : queries) {
    auto* session = co_await host.online(1);
    const auto answer = co_await session->query(query);
    if (!answer) expect_refusal(answer.error(), query.index() == 0 ? "`query` of a profile" : "`query` of rooms");
  }
}

asio::awaitable<void> proves_life(Host& host) {
  const auto limit = host.greeting.network.proof_of_life / 2;
  if (limit.count() == 0) throw NotTried("`proof_of_life` is not declared");
  auto* session = co_await host.online(1);
  auto probing = session->probe();
  try {
    const auto alive = co_await base::within(std::min(limit, host.description.wait), std::move(probing));
    expect(alive.has_value(), alive ? std::string() : "`probe` is answered " + in_words(alive.error()) + ".");
  } catch (const base::TimedOut&) {
    throw Silence("`probe` is not answered within half of proof_of_life, so that every session would be ended.");
  }
}

constexpr Promise all_sending_promises[] = {
    {"a session comes online", 10, comes_online},
    {"a session proves that it is alive", 10, proves_life},
    {"a text is taken, and its answer has the ids that are declared", 7, gives_ids},
    {"a text arrives as it was written", 7, carries_text},
    {"the same key again is not sent again", 7, sends_once},
    {"the same key again is not sent again, also after the child was started anew", 7, sends_once_over_restarts},
    {"a contact to whom nothing can be sent is refused with the code that fits", 7, refuses_with_the_code},
    {"a room that there is not is refused", 7, refuses_rooms},
    {"a report names the message by its id or key", 8, reports_by_name},
    {"the user's presence is taken, or refused", 6, answers_presence},
    {"a question is answered, or refused", 9, answers_queries},
};

}  // namespace

std::span<const Promise> sending_promises() { return all_sending_promises; }

}  // namespace wherry::conformance
