#include "connectors/msn/hearing.hpp"

#include "connectors/msn/convert/lists.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::msn {

using connector::ContactId;
using connector::Event;
using connector::MessageId;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_missed = 1000;
constexpr const char* nudge_line = "/me sends you a nudge.";

MessageId fresh_id() { return MessageId{base::random_hex(12)}; }

std::string join_names(const std::vector<std::string>& names) {
  std::string joined;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) joined += i + 1 == names.size() ? " and " : ", ";
    joined += names[i];
  }
  return joined;
}

// What begins with "/me" is shown as a deed only where it still does.
std::string mark_as_to_several(const std::string& text) {
  return text.starts_with("/me ") ? text + " (to all of you)" : "(to all of you) " + text;
}

}  // namespace

asio::awaitable<void> publish_all(connector::EventSink& events, std::vector<Event> news) {
  for (Event& event : news) co_await events.publish(std::move(event));
}

asio::awaitable<void> notify(connector::EventSink& events, std::string text, std::string id) {
  Event event = connector::AccountNotice{MessageId{std::move(id)}, std::move(text)};
  co_await events.publish(std::move(event));
}

asio::awaitable<void> notify(connector::EventSink& events, std::string text) {
  return notify(events, std::move(text), fresh_id().value);
}

// Told when one of them writes: a conversation in which nothing is said is nothing to the user.
asio::awaitable<void> Hearing::announce_group(std::shared_ptr<Board> board) {
  const auto newcomers = board->take_newcomers();
  if (newcomers.empty()) co_return;
  std::vector<std::string> came, others;
  for (const auto& [email, name] : board->machine().others()) {
    const bool is_new = std::find(newcomers.begin(), newcomers.end(), email) != newcomers.end();
    (is_new ? came : others).push_back(contacts_.name_of(email));
  }
  std::string told;
  if (others.empty())
    told = fmt::format(
        "You are in a conversation of several on MSN, with {}. What they write there comes to you from each of "
        "them; what you answer goes to that one alone.",
        join_names(came));
  else
    told = fmt::format("{} {} come into your conversation with {} on MSN.", join_names(came),
                       came.size() == 1 ? "has" : "have", join_names(others));
  co_await notify(events_, std::move(told));
}

// A program may call in vain again and again: once is enough.
asio::awaitable<void> Hearing::missed(std::string email) {
  if (email.find('@') == std::string::npos || missed_.size() >= most_missed) co_return;
  if (!missed_.insert(email).second) co_return;
  std::string told = fmt::format(
      "{} has called you into a conversation on MSN that cannot be opened. What is said there does not reach you.",
      contacts_.name_of(email));
  co_await notify(events_, std::move(told));
}

asio::awaitable<void> Hearing::ended(std::shared_ptr<Board> board) {
  board->chunks().give_up();
  co_await tell_torn(board);
}

asio::awaitable<void> Hearing::tell_torn(std::shared_ptr<Board> board) {
  auto torn = board->chunks().take_torn();
  for (auto& [email, payload] : torn) {
    Heard begun{std::move(email), {}, std::move(payload), board->is_group()};
    co_await tell(board, std::move(begun));
  }
}

asio::awaitable<void> Hearing::heard(std::shared_ptr<Board> board, Heard message) {
  if (message.email.find('@') == std::string::npos) co_return;  // the switchboard's own words
  auto whole = board->chunks().add(message.payload, message.email);
  co_await tell_torn(board);
  if (!whole) co_return;
  message.payload = std::move(*whole);
  co_await tell(board, std::move(message));
}

asio::awaitable<void> Hearing::tell(std::shared_ptr<Board> board, Heard message) {
  Spoken spoken = read_payload(message.payload);
  const bool is_showable = parse_email(message.email) == message.email;
  if (spoken.kind == Spoken::Kind::typing) {
    if (board->is_group() || !is_showable) co_return;
    auto news = typing_.note(message.email, true, steady_clock::now());
    co_return co_await publish_all(events_, std::move(news));
  }
  if (spoken.kind == Spoken::Kind::nothing) co_return;
  co_await announce_group(board);
  if (spoken.kind == Spoken::Kind::uncarried) {
    std::string told =
        fmt::format("{} {}, which this gateway does not carry.", contacts_.name_of(message.email), spoken.text);
    co_return co_await notify(events_, std::move(told));
  }
  if (spoken.kind == Spoken::Kind::nudge) spoken.text = nudge_line;
  if (spoken.text.empty()) co_return;
  const bool is_other = spoken.speaker != message.email && spoken.speaker != contacts_.name_of(message.email);
  if (!spoken.speaker.empty() && is_other) spoken.text = spoken.speaker + ": " + spoken.text;
  if (!is_showable) {
    std::string told = fmt::format("{}, whom this gateway cannot show you, writes: {}", message.email, spoken.text);
    co_return co_await notify(events_, std::move(told));
  }
  if (message.is_to_several) spoken.text = mark_as_to_several(spoken.text);
  auto news = typing_.note(message.email, false, steady_clock::now());
  co_await publish_all(events_, std::move(news));
  connector::MessageReceived received;
  const ContactId sender{std::move(message.email)};
  received.chat = sender;
  received.sender = sender;
  received.id = fresh_id();
  received.content.text = std::move(spoken.text);
  received.sent_at = clock_.now();
  Event event = std::move(received);
  co_await events_.publish(std::move(event));
}

}  // namespace wherry::msn
