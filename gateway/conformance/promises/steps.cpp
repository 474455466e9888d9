#include "gateway/conformance/promises/steps.hpp"

#include "gateway/conformance/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::conformance {

using connector::Action;
using connector::Errc;
using connector::Error;
using connector::MessageReceived;
using connector::Receipt;
using connector::Result;
using connector::SendMessage;

std::string in_words(const Error& error) { return fmt::format("“{}” ({})", error.text, base::to_string(error.code)); }

void expect_refusal(const Error& error, const std::string& what) {
  expect(error.code != Errc::unavailable && error.code != Errc::uncertain,
         fmt::format("{} is answered {}: answer with a code that is for good, like `not_found` or `unsupported`.", what,
                     in_words(error)));
  expect(
      is_sentence(error.text),
      fmt::format("{} is answered {}: the text must be a sentence, because a user reads it.", what, in_words(error)));
}

connector::ContactId contact_of(const Host& host) {
  if (!host.description.contact) throw NotTried("the description names no `contact` that may be written to");
  return *host.description.contact;
}

void require_back(const Host& host, std::string_view what) {
  contact_of(host);
  if (!host.description.comes_back.contains(what))
    throw NotTried(fmt::format("the description has no \"{}\" in `comes_back`", what));
}

void require_second_account(const Host& host) {
  if (host.description.accounts.size() < 2) throw NotTried("the description has no second [[account]]");
  if (!host.credentials.contains(2)) throw NotTried("the second account could not log in");
}

asio::awaitable<RawChild*> raw_session(Host& host) {
  const connector::Account account = host.account(1);
  co_await host.stop();
  auto* child = co_await host.raw();
  auto told = child::to_json(account);
  const auto known = co_await child->ask("know_account", std::move(told));
  expect(known.has_value(), known ? std::string() : "`know_account` is answered " + in_words(known.error()) + ".");
  co_await child->go_online(account.id, host.greeting.has_shared_link);
  co_return child;
}

SendMessage new_text(Host& host, std::string text) {
  SendMessage message;
  message.chat = contact_of(host);
  message.key = host.new_key();
  message.content.text = text.empty() ? message.key : std::move(text);
  return message;
}

asio::awaitable<Result<Receipt>> perform(Host& host, std::size_t account, Action action) {
  connector::Session* session = co_await host.online(account);
  if (const std::string* key = connector::key_of(action)) host.names_of_sent.insert(*key);
  auto result = co_await session->perform(std::move(action));
  if (result) {
    for (const auto& id : result->ids) host.names_of_sent.insert(id.value);
  }
  co_return result;
}

asio::awaitable<Sent> send(Host& host, std::size_t account, SendMessage message) {
  Action action = message;
  auto result = co_await perform(host, account, std::move(action));
  if (!result)
    throw Broken(fmt::format("a text to {} is answered {}.", contact_of(host).value, in_words(result.error())));
  co_return Sent{std::move(message), std::move(result->ids)};
}

asio::awaitable<Sent> send_text(Host& host, std::size_t account) { return send(host, account, new_text(host)); }

asio::awaitable<MessageReceived> wait_back(Host& host, std::size_t account, std::string text) {
  const Events& events = host.events(account);
  std::function<bool()> has_come = [&events, text] { return events.count(text) > 0; };
  std::string otherwise = fmt::format(
      "the text that was sent does not come back within {} s, as `comes_back` says that it does. Publish it as "
      "message_received.",
      host.description.wait.count());
  co_await host.until(std::move(has_come), std::move(otherwise));
  const auto all = events.all<MessageReceived>();
  co_return *std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.content.text == text; });
}

asio::awaitable<void> settle(Host& host, std::size_t account) {
  const Sent marker = co_await send_text(host, account);
  co_await wait_back(host, account, marker.text());
}

}  // namespace wherry::conformance
