// Events.
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace wherry::conformance {

namespace {

using connector::Action;
using connector::ContactId;
using connector::Errc;
using connector::Event;
using connector::Idempotency;
using connector::MessageProgressed;
using connector::MessageReceived;

asio::awaitable<void> says_who_and_when(Host& host) {
  require_back(host, "text");
  const Sent sent = co_await send_text(host, 1);
  const MessageReceived message = co_await wait_back(host, 1, sent.text());
  const ContactId contact = contact_of(host);
  expect(message.chat == connector::ChatId(contact),
         fmt::format("what {} sends comes in the chat {}, and not in c:{}.", contact.value,
                     base::to_string(message.chat), contact.value));
  expect(message.sender == contact && !message.from_me,
         fmt::format("what {} sends has the sender {}{}.", contact.value, message.sender.value,
                     message.from_me ? ", and from_me" : ""));
  const auto age = std::chrono::abs(base::SystemClock().now() - message.sent_at);
  expect(age < std::chrono::hours(1),
         "what was sent just now has a sent_at of another hour: it is in milliseconds since 1970, UTC.");
}

bool may_repeat(const connector::Error& error, Idempotency idempotency) {
  return error.code == Errc::unavailable || (error.code == Errc::uncertain && idempotency != Idempotency::none);
}

// The gateway's store is gone for a moment, then the session breaks; and what the gateway would send again, is.
asio::awaitable<void> brings_again(Host& host) {
  require_back(host, "text");
  if (!host.greeting.network.redelivers) throw NotTried("`redelivers` is false");
  Events& events = host.events(1);
  connector::SendMessage message = new_text(host);
  const std::string text = message.content.text;
  const Action action = std::move(message);
  events.refuse(text);
  const auto result = co_await perform(host, 1, action);
  std::function<bool()> was_refused = [&events] { return events.refused() > 0; };
  co_await host.until(std::move(was_refused), "the text that was sent does not come back, as `comes_back` says.");
  events.store_all();
  co_await host.close(1);
  co_await host.online(1);
  const auto* network = co_await host.network();
  if (!result && may_repeat(result.error(), network->idempotency(host.account(1)))) co_await perform(host, 1, action);
  std::function<bool()> has_come = [&events, text] { return events.count(text) > 0; };
  co_await host.until(
      std::move(has_come),
      "an event whose `publish` was answered with `unavailable` does not come again after the session was "
      "opened anew: acknowledge it to the network only after `publish` is answered with {}, or declare "
      "`redelivers` false.");
  for (const auto& received : events.all<MessageReceived>())
    expect(received.content.text != text || received.id == events.refused_id(),
           fmt::format("what could not be stored as {} comes again as {}: give a message one id for ever, or its user "
                       "may get it twice.",
                       excerpt(events.refused_id().value), excerpt(received.id.value)));
}

// Of the first account, by what it sent and what came.
std::set<std::string> known_messages(const Host& host, const Events& events) {
  std::set<std::string> known(host.names_of_sent.begin(), host.names_of_sent.end());
  for (const auto& message : events.all<MessageReceived>()) known.insert(message.id.value);
  return known;
}

asio::awaitable<void> refers_to_what_is_known(Host& host) {
  const Events& events = host.events(1);
  const std::set<std::string> known = known_messages(host, events);
  bool has_any = false;
  for (Event event : events.list()) {
    const connector::MessageId* const target = connector::target_of(event);
    if (!target) continue;
    has_any = true;
    expect(known.contains(target->value),
           fmt::format("an event names the message {}, which neither came nor was sent: name each by the id that it "
                       "came with, or that the answer to its send gave.",
                       excerpt(target->value)));
  }
  if (!has_any) throw NotTried("no event came that names a message");
  co_return;
}

asio::awaitable<void> gives_each_its_id(Host& host) {
  std::map<std::string, Event> seen;
  for (Event event : host.events(1).list()) {
    const connector::MessageId* const id = connector::id_of(event);
    if (!id) continue;
    auto [found, is_new] = seen.emplace(id->value, event);
    connector::MessageId* const target = connector::target_of(event);
    connector::MessageId* const other = connector::target_of(found->second);
    const bool is_same = found->second.index() == event.index() && (!target || *target == *other);
    expect(is_new || is_same,
           fmt::format("two events have the id {}: the gateway drops the second one. Give each event its own, and the "
                       "same one the same.",
                       excerpt(id->value)));
  }
  if (seen.empty()) throw NotTried("no event came that has an id");
  co_return;
}

// The contacts that an event names.
std::set<std::string> contacts_in(const Event& event) {
  std::set<std::string> found;
  const auto add = [&found](const auto& one) {
    if constexpr (requires { one.chat.index(); }) {
      if (const auto* contact = std::get_if<ContactId>(&one.chat)) found.insert(contact->value);
    }
    if constexpr (requires { one.sender.value; }) {
      bool is_the_user = false;
      if constexpr (requires { one.from_me; }) is_the_user = one.from_me;
      if (!is_the_user) found.insert(one.sender.value);
    }
    if constexpr (requires { one.contact.value; }) found.insert(one.contact.value);
  };
  std::visit(add, event);
  return found;
}

asio::awaitable<void> names_contacts_by_id(Host& host) {
  std::set<std::string> named;
  for (std::size_t number = 1; number <= host.description.accounts.size(); ++number) {
    for (const Event& event : host.events(number).list()) named.merge(contacts_in(event));
  }
  if (named.empty()) throw NotTried("no event came that names a contact");
  auto* network = co_await host.network();
  for (const std::string& id : named) {
    const base::AccountId account{1};
    const auto found = co_await network->parse_contact(id, account);
    if (!found)
      throw Broken(fmt::format("an event names the contact {}, whom parse_contact refuses: {}.", excerpt(id),
                               in_words(found.error())));
    expect(found->value == id,
           fmt::format("an event names the contact {}, of whom parse_contact makes {}: name each by its "
                       "one id.",
                       excerpt(id), excerpt(found->value)));
  }
}

asio::awaitable<void> reports_on_what_was_sent(Host& host) {
  std::size_t reports = 0;
  for (std::size_t number = 1; number <= host.description.accounts.size(); ++number) {
    for (const auto& report : host.events(number).all<MessageProgressed>()) {
      ++reports;
      expect(
          host.names_of_sent.contains(report.id.value),
          fmt::format("message_progressed names {}, which is neither the key of a send nor an id that its answer gave.",
                      excerpt(report.id.value)));
    }
  }
  if (reports == 0) throw NotTried("no message_progressed came");
  expect(host.greeting.network.reports_delivery, "message_progressed came: declare network.reports_delivery.");
  co_return;
}

constexpr Promise all_receiving_promises[] = {
    {"what comes in says from whom it is, in which chat, and when it was sent", 8, says_who_and_when},
    {"what the gateway could not store comes again", 8, brings_again},
    {"events name contacts by their ids", 6, names_contacts_by_id},
    {"reports are on what was sent", 8, reports_on_what_was_sent},
    {"what is said of a message names one that came or was sent", 8, refers_to_what_is_known},
    {"every event has an id of its own", 8, gives_each_its_id},
};

}  // namespace

std::span<const Promise> receiving_promises() { return all_receiving_promises; }

}  // namespace wherry::conformance
