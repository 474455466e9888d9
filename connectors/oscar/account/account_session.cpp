#include "connectors/oscar/account/account_session.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

namespace wherry::oscar {

using AnswerToQuery = connector::Answer;
using connector::Receipt;
using connector::Result;
using std::chrono::steady_clock;

namespace {

constexpr int most_unfinished_fetches = 2;
constexpr std::size_t most_text = 8000;  // units of UTF-16; in several messages
constexpr std::chrono::minutes sent_away_window{10}, sent_away_pause{5};
constexpr std::chrono::seconds last_news{5};  // for what was read and is not stored yet

std::string value_of(const connector::Account& account, const char* field) {
  const auto found = account.credentials.find(field);
  return found == account.credentials.end() ? std::string() : found->second;
}

}  // namespace

AccountSession::AccountSession(Server& server, const connector::Account& account, connector::EventSink& events,
                               const connector::Services& services)
    : server_(server),
      account_(account.id),
      name_(value_of(account, "username")),
      password_(value_of(account, "password")),
      events_(events),
      services_(services),
      list_(account.id, name_, server.settings().code_page, services, events),
      icq_(name_, services.executor),
      icons_(server, services.executor),
      people_(server, icq_, icons_, events, services.executor),
      own_profile_(server, icq_, icons_, list_, services),
      presences_(server, people_, events, services),
      messages_(account.id, server, list_, presences_, events, services.clock) {}

// ---- The session ----

asio::awaitable<void> AccountSession::publish(connector::Event event) { co_await events_.publish(std::move(event)); }

asio::awaitable<void> AccountSession::needs_login(std::string text) {
  connector::AccountChanged state;
  state.needs_login = true;
  state.text = std::move(text);
  co_await publish(std::move(state));
}

asio::awaitable<void> AccountSession::run() {
  LoginResult result = co_await server_.log_in(name_, password_, false);
  if (const auto* refused = std::get_if<Refused>(&result)) {
    log::info("oscar.login_refused", {{"account", account_.value}, {"code", refused->code}});
    const std::string why = to_sentence(*refused);
    if (refused->kind != Refusal::credentials) throw std::runtime_error("The login was refused: " + why + ".");
    co_await needs_login("The network refuses your login: " + why + ". Register again with what is right.");
    co_return;
  }
  if (const auto* failed = std::get_if<Failed>(&result)) throw std::runtime_error(failed->reason);
  auto conversation = co_await server_.enter(std::move(std::get<Ticket>(result)), presences_.status());
  const bool is_over = co_await converse(std::move(conversation));
  if (is_over) co_return;
}

// Whether nothing more is to be tried; else it throws.
asio::awaitable<bool> AccountSession::converse(std::shared_ptr<Conversation> conversation) {
  Course course(services_.executor);
  base::TaskGroup telling(services_.executor);
  std::exception_ptr failure;
  const auto begun = steady_clock::now();
  try {
    telling.spawn("oscar.news", tell_until_the_end(conversation, course));
    auto driving = conversation->run();
    co_await std::move(driving);
    co_await telling.join();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);  // everything ends in order
  course.is_cancelled = failure != nullptr;
  // The server has given away what was read, and no other one has it: it is told also when the session is to end.
  try {
    if (failure) co_await base::within(last_news, telling.join());
  } catch (const base::TimedOut&) {
    log::info("oscar.news_lost", {{"account", account_.value}});
  }
  co_await telling.end();
  if (!failure) failure = course.failure;
  const bool was_up = conversation_ != nullptr;
  conversation_.reset();
  presences_.forget();
  icq_.end();
  people_.forget();
  own_profile_.forget();
  co_await course.errands.end();
  co_await icons_.end();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begun).count();
  log::info("oscar.session_ended", {{"account", account_.value}, {"why", course.ended.reason}, {"seconds", seconds}});
  if (course.ended.kind == Ended::Kind::other_login) {
    co_await needs_login(
        "You have logged in elsewhere, and the network ended the session here. Register again to have it back here.");
    co_return true;
  }
  co_await wait_before_the_next(was_up && course.ended.kind == Ended::Kind::closed);
  throw std::runtime_error("The connection has ended: " + course.ended.reason + ".");
}

// Some servers say nothing of the reason when the account logs in elsewhere. Two programs that each end the other's
// session go on for ever, so the second time it is left to the other one for a while.
asio::awaitable<void> AccountSession::wait_before_the_next(bool was_sent_away) {
  if (!was_sent_away) co_return;
  const Time now = steady_clock::now();
  while (!sent_away_.empty() && sent_away_.front() + sent_away_window < now) sent_away_.pop_front();
  sent_away_.push_back(now);
  if (sent_away_.size() < 2) co_return;
  connector::AccountChanged state;
  state.text =
      "The network ended the session again, as it does when you log in elsewhere. It is tried again in five minutes.";
  co_await publish(std::move(state));
  co_await base::sleep(sent_away_pause);
}

asio::awaitable<void> AccountSession::come_up(std::shared_ptr<Conversation> conversation, base::TaskGroup& errands) {
  conversation_ = conversation;
  icons_.begin(conversation);
  connector::AccountChanged state;
  state.online = true;
  co_await publish(std::move(state));
  co_await list_.tell_all(conversation);
  errands.spawn("oscar.away_texts", presences_.ask_away_texts(conversation));
  errands.spawn("oscar.names", people_.ask_names(conversation));
  errands.spawn("oscar.preferences", list_.show_typing(conversation));
  fetch_stored(*conversation);
}

// ICQ's own way keeps the messages until they are deleted; the other one deletes what it gives out.
// COMPAT(open-oscar-server 0.24): ends the session at a kept message that is no text (anybody's offer of a file, say),
// at each login anew. The other way gives it out.
void AccountSession::fetch_stored(Conversation& from) {
  if (icq_.are_there(from) && unfinished_fetches_ < most_unfinished_fetches) {
    ++unfinished_fetches_;
    messages_.begin_kept();
    icq_.fetch_stored(from);
  } else {
    unfinished_fetches_ = 0;
    from.tell(family::messages, 0x10, {});
  }
}

// Where something cannot be stored, the conversation ends.
asio::awaitable<void> AccountSession::tell_until_the_end(std::shared_ptr<Conversation> conversation, Course& course) {
  try {
    co_await take_news(conversation, course);
  } catch (...) {
    course.failure = std::current_exception();
    conversation->end("what came cannot be stored");
  }
}

asio::awaitable<void> AccountSession::take_news(std::shared_ptr<Conversation> conversation, Course& course) {
  for (;;) {
    auto happening = co_await conversation->next();
    if (std::holds_alternative<Ready>(happening)) {
      if (!course.is_cancelled) co_await come_up(conversation, course.errands);
    } else if (auto* end = std::get_if<Ended>(&happening)) {
      course.ended = std::move(*end);
      co_return;
    } else {
      co_await tell(conversation, std::move(std::get<News>(happening)));
    }
  }
}

asio::awaitable<Result<void>> AccountSession::probe() {
  const auto with = conversation_;
  if (!with) co_return is_down();
  auto asking = with->ask(family::messages, 0x04, {});
  const Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered) co_return is_down();
  co_await list_.tell_losses(with);
  co_return base::ok();
}

// ---- What comes ----

asio::awaitable<void> AccountSession::tell(std::shared_ptr<Conversation> conversation, News news) {
  if (auto* message = std::get_if<IncomingMessage>(&news)) {
    co_await messages_.received(std::move(conversation), std::move(*message));
  } else if (auto* arrived = std::get_if<Arrived>(&news)) {
    co_await presences_.arrived(std::move(conversation), std::move(arrived->users));
  } else if (auto* departed = std::get_if<Departed>(&news)) {
    co_await presences_.departed(std::move(departed->names));
  } else if (auto* typing = std::get_if<TypingNotice>(&news)) {
    co_await messages_.typing(std::move(*typing));
  } else if (auto* change = std::get_if<RosterChange>(&news)) {
    co_await list_.tell_change(std::move(conversation), std::move(*change));
  } else if (const auto* asked = std::get_if<AuthorisationAsked>(&news)) {
    co_await list_.asked(asked->name, asked->reason);
  } else if (const auto* added = std::get_if<Added>(&news)) {
    co_await list_.asked(added->name, "");
  } else if (const auto* answered = std::get_if<AuthorisationAnswered>(&news)) {
    co_await list_.answered(answered->name, answered->is_granted);
  } else if (auto* packet = std::get_if<IcqPacket>(&news)) {
    co_await tell_packet(std::move(conversation), std::move(*packet));
  } else if (std::holds_alternative<StoredEnd>(news)) {
    messages_.begin_kept();
  } else if (auto* missed = std::get_if<Missed>(&news)) {
    co_await messages_.missed(std::move(*missed));
  } else if (auto* heard = std::get_if<Heard>(&news)) {
    co_await messages_.heard(std::move(*heard));
  } else if (auto* icon = std::get_if<IconNoted>(&news)) {
    own_profile_.noted(std::move(*icon));
  }
}

asio::awaitable<void> AccountSession::tell_packet(std::shared_ptr<Conversation> conversation, IcqPacket packet) {
  if (packet.type == IcqPacket::stored_message) {
    co_await messages_.kept(std::move(conversation), std::move(packet));
  } else if (packet.type == IcqPacket::end_of_stored) {
    // What came before it is committed: whatever is told is told in turn.
    unfinished_fetches_ = 0;
    messages_.begin_kept();
    icq_.delete_stored(*conversation);
  } else {
    icq_.take(std::move(packet));
  }
}

// ---- What is asked ----

connector::Capabilities AccountSession::capabilities(const connector::ChatId&) const {
  connector::Capabilities can;
  can.text.most = most_text;
  can.text.unit = connector::TextLimit::Unit::utf16;
  can.typing = connector::Support::full;
  can.delivery_reports = connector::Support::partial;  // few programs acknowledge
  return can;
}

asio::awaitable<Result<Receipt>> AccountSession::perform(connector::Action action) {
  const auto with = conversation_;
  if (!with) co_return is_down();
  if (auto* message = std::get_if<connector::SendMessage>(&action))
    co_return co_await messages_.send(with, std::move(*message));
  if (auto* presence = std::get_if<connector::SetPresence>(&action))
    co_return co_await presences_.show(with, std::move(*presence));
  if (auto* add = std::get_if<connector::AddContact>(&action)) co_return co_await list_.add(with, std::move(*add));
  if (auto* answer = std::get_if<connector::AnswerContact>(&action))
    co_return co_await list_.answer(with, std::move(*answer));
  if (auto* remove = std::get_if<connector::RemoveContact>(&action))
    co_return co_await list_.remove(with, std::move(remove->contact));
  if (auto* rename = std::get_if<connector::RenameContact>(&action))
    co_return co_await list_.rename(with, std::move(*rename));
  if (auto* block = std::get_if<connector::BlockContact>(&action))
    co_return co_await list_.block(with, std::move(*block));
  if (auto* profile = std::get_if<connector::SetProfile>(&action))
    co_return co_await own_profile_.set(with, std::move(*profile));
  if (auto* typing = std::get_if<connector::SetTyping>(&action))
    co_return co_await messages_.show_typing(with, std::move(*typing));
  co_return has_no_such_thing();
}

asio::awaitable<Result<AnswerToQuery>> AccountSession::query(connector::Query query) {
  const auto with = conversation_;
  if (!with) co_return is_down();
  co_return co_await people_.answer(with, std::move(query));
}

asio::awaitable<Result<void>> AccountSession::fetch(std::string handle, connector::FileSink& sink) {
  auto fetching = icons_.fetch(std::move(handle));
  auto picture = co_await std::move(fetching);
  if (!picture) co_return picture.error();
  co_return co_await sink.write(std::move(*picture));
}

}  // namespace wherry::oscar
