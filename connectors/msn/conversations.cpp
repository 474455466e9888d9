#include "connectors/msn/conversations.hpp"

#include "connectors/msn/refusals.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::msn {

using base::Errc;
using base::Error;
using base::Result;
using std::chrono::steady_clock;

namespace {

constexpr std::uint16_t switchboard_port = 1863;  // where the server names none
constexpr std::size_t most_boards = 200;          // of one account
constexpr std::size_t most_answering = 50;

Error not_begun(std::string why) { return {Errc::unavailable, std::move(why), {}}; }

Error not_there(const std::string& who) {
  return {Errc::offline, fmt::format("{} does not come into the conversation, so the message was not sent.", who), {}};
}

}  // namespace

std::shared_ptr<Board> Conversations::find(const std::string& email) {
  for (const auto& board : boards_) {
    if (board->is_ready_for(email)) return board;
  }
  return nullptr;
}

// Whoever invites often enough opens as many sockets as they like, unless others are closed.
void Conversations::make_room() {
  while (boards_.size() >= most_boards) {
    const auto idlest = std::min_element(boards_.begin(), boards_.end(),
                                         [](const auto& a, const auto& b) { return a->used_at() < b->used_at(); });
    const std::shared_ptr<Board> board = *idlest;
    boards_.erase(idlest);
    if (!board->ended()) board->leave();
  }
}

// `invitation`: its server, key and, where it is answered, session.
asio::awaitable<Result<std::shared_ptr<Board>>> Conversations::connect(std::string server, bool is_answer,
                                                                       Rang invitation) {
  auto [host, port] = split_server(server, switchboard_port);
  if (!upstream_.settings.switchboard_host.empty()) host = upstream_.settings.switchboard_host;
  auto socket = co_await dial_server(host, port);
  if (!socket) co_return socket.error();
  if (is_over_) co_return not_begun("The MSN session is over.");
  make_room();
  const Time now = steady_clock::now();
  Switchboard machine = is_answer ? Switchboard::answer(email_, invitation.key, invitation.session, now)
                                  : Switchboard::create(email_, invitation.key, now);
  const auto board = std::make_shared<Board>(upstream_.executor, std::move(machine));
  boards_.push_front(board);
  groups_.connections.spawn("msn.switchboard", Speaker::converse(board, std::move(*socket)));
  groups_.hearers.spawn("msn.conversation", listen(board));
  const bool is_open = co_await board->await_open();
  if (!is_open) co_return not_begun("The MSN server does not open a conversation: " + board->why() + ".");
  co_return board;
}

asio::awaitable<Result<std::shared_ptr<Board>>> Conversations::open(std::string email) {
  std::vector<std::string> args{"SB"};
  const Reply reply = co_await link_->ask("XFR", std::move(args));
  if (reply.kind == Reply::Kind::refused) co_return to_error(reply.error, {});
  if (!reply.is_done()) co_return not_begun("The MSN server does not open a conversation.");
  Rang invitation;  // XFR number SB server CKI key
  invitation.key = reply.command.arg(4);
  auto opened = co_await connect(reply.command.arg(2), false, std::move(invitation));
  if (!opened) co_return opened.error();
  const std::shared_ptr<Board> board = *opened;

  bool has_come = false;
  CallOutcome outcome;
  try {
    outcome = co_await board->call(email);
    has_come = outcome.has_joined;
  } catch (const base::TimedOut&) {}
  if (has_come) co_return board;
  board->leave();
  if (outcome.error != 0) co_return to_error(outcome.error, email);
  if (outcome.is_over) co_return not_begun("The MSN server ends the conversation before it has begun.");
  co_return not_there(email);
}

asio::awaitable<Result<void>> Conversations::say(std::string to, std::string payload) {
  std::shared_ptr<Board> board = find(to);
  if (!board) {
    auto opened = co_await open(to);
    if (!opened) co_return opened.error();
    board = *opened;
  }
  const Fate fate = co_await board->send(std::move(payload), to);
  switch (fate) {
    case Fate::passed_on: co_return base::ok();
    case Fate::refused:
      co_return Error{Errc::rejected, fmt::format("The MSN server could not bring the message to {}.", to)};
    case Fate::missed:
      co_return Error{Errc::uncertain, fmt::format("{} left the conversation while the message was on its way.", to)};
    case Fate::unknown:
    case Fate::waiting: break;
  }
  // Whatever is wrong with it, the next message shall not wait for it, too.
  if (!board->ended()) board->leave();
  co_return Error{Errc::uncertain, "The MSN server does not say whether the message has arrived."};
}

void Conversations::mention(const std::string& to, const std::string& payload) {
  if (const auto board = find(to)) board->tell(payload);
}

void Conversations::follow(Rang invitation) {
  if (!listener_.wants(invitation.email)) return;
  const bool is_whole = !invitation.server.empty() && !invitation.key.empty() && !invitation.session.empty();
  if (!is_whole || answering_ >= most_answering) {
    groups_.tasks.spawn("msn.missed", listener_.missed(std::move(invitation.email)));
    return;
  }
  ++answering_;
  groups_.tasks.spawn("msn.answer", answer(std::move(invitation)));
}

asio::awaitable<void> Conversations::answer(Rang invitation) {
  const std::shared_ptr<void> counted(nullptr, [this](void*) { --answering_; });
  std::string server = invitation.server, email = invitation.email;
  const auto board = co_await connect(std::move(server), true, std::move(invitation));
  leave_unwanted();  // the list may have changed meanwhile
  if (board || is_over_) co_return;
  log::info("msn.invitation_failed", {{"why", board.error().text}});
  co_await listener_.missed(std::move(email));
}

// What cannot be kept is lost, for no server brings it again. So the session ends then, and takes nothing more.
asio::awaitable<void> Conversations::listen(std::shared_ptr<Board> board) {
  try {
    for (;;) {
      auto message = co_await board->next();
      if (!message) break;
      co_await listener_.heard(board, std::move(*message));
    }
    boards_.remove(board);
    co_await listener_.ended(board);
  } catch (...) {
    link_->log_out();
    throw;
  }
}

void Conversations::leave_unwanted() {
  const auto boards = boards_;
  for (const auto& board : boards) {
    const auto& others = board->machine().others();
    const bool is_unwanted = others.size() == 1 && !listener_.wants(others.begin()->first);
    if (is_unwanted && !board->ended()) board->leave();
  }
}

void Conversations::leave() {
  is_over_ = true;
  const auto boards = std::exchange(boards_, {});
  for (const auto& board : boards) {
    if (!board->ended()) board->leave();
  }
}

}  // namespace wherry::msn
