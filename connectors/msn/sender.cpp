#include "connectors/msn/sender.hpp"

#include "connectors/msn/convert/lists.hpp"
#include "connectors/msn/convert/message.hpp"

#include <fmt/format.h>

#include <utility>

namespace wherry::msn {

using connector::ContactId;
using connector::Errc;
using connector::Error;
using connector::Event;
using connector::MessageId;
using connector::Receipt;
using connector::Result;
using std::chrono::steady_clock;

namespace {

constexpr const char* nudge_command = "/nudge";

Error partly_sent(const Error& error, std::size_t arrived, std::size_t parts) {
  if (arrived == 0) return error;
  const std::string told =
      error.code == Errc::uncertain
          ? fmt::format(
                "The first {} of {} parts of the message were sent, and whether the next one was is not known. {}",
                arrived, parts, error.text)
          : fmt::format("Only the first {} of {} parts of the message were sent. {}", arrived, parts, error.text);
  return {Errc::rejected, told, {}};
}

}  // namespace

asio::awaitable<Result<Receipt>> Sender::send(connector::SendMessage message) {
  const auto* contact = std::get_if<ContactId>(&message.chat);
  if (!contact) co_return Error{Errc::unsupported, "This gateway carries no conversations of several on MSN."};
  const auto email = parse_email(contact->value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  if (message.content.text.empty()) co_return Error{Errc::bad_input, "The message is empty."};
  typing_.stop(*email);
  std::vector<std::string> parts = to_text_parts(message.content.text);
  bool is_heard = true;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto said = co_await say(*email, std::move(parts[i]));
    if (!said) co_return partly_sent(said.error(), i, parts.size());
    is_heard = is_heard && *said == Way::conversation;
  }
  if (is_heard && settings_.acknowledged_is_delivered) {
    connector::MessageProgressed progressed;
    progressed.id = MessageId{message.key};
    progressed.stage = connector::Stage::delivered;
    Event event = std::move(progressed);
    co_await events_.publish(std::move(event));
  }
  Receipt receipt;
  receipt.ids.push_back(MessageId{std::move(message.key)});
  co_return receipt;
}

// A nudge is nothing later.
asio::awaitable<Result<Sender::Way>> Sender::say(std::string email, std::string part) {
  const bool is_nudge = part == nudge_command;
  std::string payload = is_nudge ? to_nudge_payload() : to_text_payload(part);
  const auto said = co_await conversations_->say(email, std::move(payload));
  if (said) co_return Way::conversation;
  if (said.error().code != Errc::offline || is_nudge) co_return said.error();
  std::string name = persona_->name.empty() ? email_ : persona_->name;
  const auto left = co_await mailbox_->leave(std::move(email), std::move(name), std::move(part));
  if (left) co_return Way::letter;
  co_return left.error().code == Errc::unsupported ? said.error() : left.error();
}

// A conversation is not opened for it: the other would see a window without a word.
asio::awaitable<Result<Receipt>> Sender::set_typing(connector::SetTyping action) {
  const auto* contact = std::get_if<ContactId>(&action.chat);
  if (!contact) co_return Error{Errc::unsupported, "This gateway carries no conversations of several on MSN."};
  if (action.typing) {
    typing_.begin(contact->value, steady_clock::now());
    conversations_->mention(contact->value, to_typing_payload(email_));
  } else {
    typing_.stop(contact->value);
  }
  co_return Receipt{};
}

}  // namespace wherry::msn
