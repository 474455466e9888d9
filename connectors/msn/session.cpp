#include "connectors/msn/session.hpp"

#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/convert/percent.hpp"
#include "connectors/msn/convert/status.hpp"
#include "connectors/msn/refusals.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
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

constexpr std::size_t most_text_bytes = 30000;  // some twenty messages of MSN's
constexpr std::size_t most_name_bytes = 129;
constexpr std::chrono::seconds typing_again{5}, typing_at_most{60}, typing_shown{8}, typing_tick{1};
constexpr const char* nudge_line = "/me sends you a nudge.";
constexpr const char* nudge_command = "/nudge";

std::string list_word(list::Bit bit) {
  switch (bit) {
    case list::forward: return "FL";
    case list::allow: return "AL";
    case list::block: return "BL";
    case list::reverse: return "RL";
    case list::pending: return "PL";
  }
  return {};
}

MessageId fresh_id() { return MessageId{base::random_hex(12)}; }

// Repeating a change of a list does no harm, so what is not known to be done may be tried again.
Error not_answered() { return {Errc::unavailable, "The MSN server does not answer.", {}}; }

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

Error partly_sent(const Error& error, std::size_t arrived, std::size_t parts) {
  if (arrived == 0) return error;
  return {Errc::rejected,
          fmt::format("Only the first {} of {} parts of the message were sent. {}", arrived, parts, error.text),
          {}};
}

}  // namespace

MsnSession::MsnSession(Upstream& upstream, const base::Clock& clock, Credentials credentials,
                       connector::EventSink& events, std::shared_ptr<Persona> persona)
    : upstream_(upstream),
      clock_(clock),
      credentials_(std::move(credentials)),
      events_(events),
      persona_(std::move(persona)),
      tasks_(upstream.executor),
      connections_(upstream.executor) {}

// ---- The session's life ----

asio::awaitable<void> MsnSession::run() {
  std::exception_ptr failure;
  try {
    co_await live();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);  // the connections end in order
  co_await close();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> MsnSession::close() {
  if (conversations_) conversations_->leave();
  if (link_) link_->log_out();
  co_await tasks_.end();
  co_await connections_.join();  // each has its last words, and little time for them
}

asio::awaitable<void> MsnSession::tell_state(bool online, bool needs_login, std::string text) {
  connector::AccountChanged changed;
  changed.online = online;
  changed.needs_login = needs_login;
  changed.text = std::move(text);
  Event event = std::move(changed);
  co_await events_.publish(std::move(event));
}

asio::awaitable<std::optional<Roster>> MsnSession::sign_in() {
  std::string server;
  for (int hops = 0; hops <= most_redirections; ++hops) {
    auto admission = co_await ask_admission(upstream_, connections_, credentials_, server);
    if (!admission && admission.error().code == Errc::not_authorized) {
      co_await tell_state(false, true, admission.error().text);
      co_return std::nullopt;
    }
    if (!admission) throw std::runtime_error(admission.error().text);
    link_ = admission->link;
    ticket_ = std::move(admission->ticket);
    link_->give_ticket(ticket_);
    mailbox_ = std::make_shared<Mailbox>(upstream_, clock_, credentials_.email, ticket_, events_);
    server.clear();
    for (;;) {
      auto event = co_await link_->next();
      if (!event) break;
      if (auto* signed_in = std::get_if<SignedIn>(&*event)) co_return std::move(signed_in->roster);
      if (const auto* redirected = std::get_if<Redirected>(&*event)) server = redirected->server;
      if (auto* noticed = std::get_if<Noticed>(&*event)) co_await handle_notice(std::move(noticed->payload));
    }
    if (is_about_password(link_->machine().refusal())) {
      co_await tell_state(false, true, describe_refused_login(link_->machine().refusal()));
      co_return std::nullopt;
    }
    if (server.empty()) throw std::runtime_error(describe_end(link_->machine()));
  }
  throw std::runtime_error("The MSN server sends us from server to server without an end.");
}

asio::awaitable<void> MsnSession::live() {
  co_await upstream_.pace->turn(false);
  auto roster = co_await sign_in();
  if (!roster) co_return;
  Listener& listener = *this;
  const Groups groups{tasks_, connections_};
  conversations_ = std::make_shared<Conversations>(upstream_, credentials_.email, link_, groups, listener);
  std::vector<Event> news = contacts_.begin(std::move(*roster));
  co_await appear();
  co_await tell_state(true, false, std::string());
  co_await publish_all(std::move(news));
  tasks_.spawn("msn.typing", keep_typing());
  tasks_.spawn("msn.letters", mailbox_->work());
  for (;;) {
    auto event = co_await link_->next();
    if (!event) break;
    co_await handle(std::move(*event));
  }

  std::string why = describe_end(link_->machine());
  if (link_->machine().protocol().how_ended() != End::elsewhere) throw std::runtime_error(why);
  // Who came last wins: to come back would end the other program, which would come back, too.
  conversations_->leave();
  co_await tell_state(false, false, std::move(why));
  base::Signal never(upstream_.executor);
  for (;;) co_await never.wait();
}

// First the words, then the status: contacts see both at once.
asio::awaitable<void> MsnSession::appear() {
  if (!persona_->name.empty()) {
    std::vector<std::string> name{"MFN", to_percent(persona_->name)};
    co_await ask("PRP", std::move(name));
  }
  std::vector<std::string> none;
  co_await link_->ask("UUX", std::move(none), to_personal_message(persona_->status));
  std::vector<std::string> status{to_status_code(persona_->availability), "0"};
  const Reply reply = co_await ask("CHG", std::move(status));
  if (!reply.is_done()) throw std::runtime_error("The MSN server does not take our status.");
}

asio::awaitable<void> MsnSession::publish_all(std::vector<Event> events) {
  for (Event& event : events) co_await events_.publish(std::move(event));
}

asio::awaitable<void> MsnSession::notify(std::string text) {
  Event event = connector::AccountNotice{fresh_id(), std::move(text)};
  co_await events_.publish(std::move(event));
}

// ---- What the server says ----

asio::awaitable<void> MsnSession::handle(NotificationEvent event) {
  std::vector<Event> news;
  if (const auto* status = std::get_if<StatusChanged>(&event)) news = contacts_.take(*status);
  else if (const auto* personal = std::get_if<PersonalMessageChanged>(&event)) news = contacts_.take(*personal);
  else if (const auto* added = std::get_if<AddedUs>(&event)) news = contacts_.take(*added);
  else if (const auto* removed = std::get_if<RemovedUs>(&event)) news = contacts_.take(*removed);
  else if (auto* rang = std::get_if<Rang>(&event)) conversations_->follow(std::move(*rang));
  else if (auto* noticed = std::get_if<Noticed>(&event)) co_await handle_notice(std::move(noticed->payload));
  co_await publish_all(std::move(news));
}

asio::awaitable<void> MsnSession::handle_notice(std::string bytes) {
  const Payload payload = parse_payload(bytes);
  const std::string type = payload.content_type();
  if (type == "application/x-msmsgssystemmessage") {
    const Payload message = parse_payload(payload.body);
    if (message.header("type") == "1")
      co_await notify(fmt::format("The MSN server will go down in {} minutes.", to_utf8(message.header("arg1"))));
  }
  if (auto mail = read_mail_notice(bytes)) mailbox_->announce(std::move(*mail));
}

asio::awaitable<void> MsnSession::show_typing(std::string email, bool typing) {
  const bool was_shown = shown_typing_.erase(email) > 0;
  if (typing) shown_typing_[email] = steady_clock::now() + typing_shown;
  if (was_shown == typing) co_return;
  const ContactId contact{std::move(email)};
  Event event = connector::TypingChanged{contact, contact, typing};
  co_await events_.publish(std::move(event));
}

// Told when one of them writes: a conversation in which nothing is said is nothing to the user.
asio::awaitable<void> MsnSession::announce_group(std::shared_ptr<Board> board) {
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
  co_await notify(std::move(told));
}

asio::awaitable<void> MsnSession::heard(std::shared_ptr<Board> board, Heard message) {
  if (parse_email(message.email) != message.email) co_return;  // the switchboard's own words
  const auto whole = board->chunks().add(message.payload);
  if (!whole) co_return;
  Spoken spoken = read_payload(*whole);
  if (spoken.kind == Spoken::Kind::typing) {
    if (!board->is_group()) co_await show_typing(std::move(message.email), true);
    co_return;
  }
  if (spoken.kind == Spoken::Kind::nothing) co_return;
  co_await announce_group(board);
  if (spoken.kind == Spoken::Kind::picture) {
    co_return co_await notify(fmt::format("{} offers you a file or a call, which this gateway does not carry.",
                                          contacts_.name_of(message.email)));
  }
  if (spoken.kind == Spoken::Kind::nudge) spoken.text = nudge_line;
  if (spoken.text.empty()) co_return;
  if (message.is_to_several) spoken.text = mark_as_to_several(spoken.text);
  co_await show_typing(message.email, false);
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

// Says again every five seconds that the user writes, and shows no longer who has stopped to say so.
asio::awaitable<void> MsnSession::keep_typing() {
  for (;;) {
    co_await base::sleep(typing_tick);
    const Time now = steady_clock::now();
    std::erase_if(typing_, [&](const auto& entry) { return entry.second.until <= now; });
    for (auto& [email, typing] : typing_) {
      if (typing.again_at > now) continue;
      typing.again_at = now + typing_again;
      conversations_->mention(email, to_typing_payload(credentials_.email));
    }
    std::vector<std::string> over;
    for (const auto& [email, until] : shown_typing_) {
      if (until <= now) over.push_back(email);
    }
    for (std::string& email : over) co_await show_typing(std::move(email), false);
  }
}

// ---- What the user wants ----

asio::awaitable<Reply> MsnSession::ask(std::string name, std::vector<std::string> args) {
  const auto link = link_;
  if (!link) co_return Reply();
  co_return co_await link->ask(std::move(name), std::move(args));
}

asio::awaitable<Result<Receipt>> MsnSession::perform(connector::Action action) {
  if (!conversations_) co_return Error{Errc::unavailable, "The MSN session is not open."};
  if (auto* message = std::get_if<connector::SendMessage>(&action)) co_return co_await send(std::move(*message));
  if (auto* typing = std::get_if<connector::SetTyping>(&action)) co_return co_await set_typing(std::move(*typing));
  if (auto* now = std::get_if<connector::SetPresence>(&action)) co_return co_await set_presence(std::move(*now));
  if (auto* profile = std::get_if<connector::SetProfile>(&action)) co_return co_await set_profile(std::move(*profile));
  if (auto* added = std::get_if<connector::AddContact>(&action)) co_return co_await add(std::move(*added));
  if (auto* reply = std::get_if<connector::AnswerContact>(&action)) co_return co_await answer(std::move(*reply));
  if (auto* removed = std::get_if<connector::RemoveContact>(&action)) co_return co_await remove(std::move(*removed));
  if (auto* renamed = std::get_if<connector::RenameContact>(&action)) co_return co_await rename(std::move(*renamed));
  if (auto* blocked = std::get_if<connector::BlockContact>(&action)) co_return co_await block(std::move(*blocked));
  co_return Error{Errc::unsupported, "MSN has no such thing."};
}

connector::Capabilities MsnSession::capabilities(const connector::ChatId&) const {
  connector::Capabilities capabilities;
  capabilities.text.most = most_text_bytes;
  capabilities.typing = connector::Support::full;
  if (upstream_.settings.acknowledged_is_delivered) capabilities.delivery_reports = connector::Support::full;
  return capabilities;
}

asio::awaitable<Result<Receipt>> MsnSession::send(connector::SendMessage message) {
  const auto* contact = std::get_if<ContactId>(&message.chat);
  if (!contact) co_return Error{Errc::unsupported, "This gateway carries no conversations of several on MSN."};
  const auto email = parse_email(contact->value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  if (message.content.text.empty()) co_return Error{Errc::bad_input, "The message is empty."};
  typing_.erase(*email);
  std::vector<std::string> parts = to_text_parts(message.content.text);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto said = co_await say(*email, std::move(parts[i]));
    if (!said) co_return partly_sent(said.error(), i, parts.size());
  }
  if (upstream_.settings.acknowledged_is_delivered) {
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

// In a conversation, or in a letter where the other does not come into one.
asio::awaitable<Result<void>> MsnSession::say(std::string email, std::string part) {
  const auto conversations = conversations_;
  const auto mailbox = mailbox_;
  const bool is_nudge = part == nudge_command;
  std::string payload = is_nudge ? to_nudge_payload() : to_text_payload(part);
  const auto said = co_await conversations->say(email, std::move(payload));
  if (said || said.error().code != Errc::offline || is_nudge) co_return said;
  std::string name = persona_->name.empty() ? credentials_.email : persona_->name;
  const auto left = co_await mailbox->leave(std::move(email), std::move(name), std::move(part));
  if (!left && left.error().code == Errc::unsupported) co_return said;
  co_return left;
}

// A conversation is not opened for it: the other would see a window without a word.
asio::awaitable<Result<Receipt>> MsnSession::set_typing(connector::SetTyping action) {
  const auto* contact = std::get_if<ContactId>(&action.chat);
  if (!contact) co_return Error{Errc::unsupported, "This gateway carries no conversations of several on MSN."};
  typing_.erase(contact->value);
  if (action.typing) {
    const Time now = steady_clock::now();
    typing_[contact->value] = {now + typing_again, now + typing_at_most};
    conversations_->mention(contact->value, to_typing_payload(credentials_.email));
  }
  co_return Receipt{};
}

// MSN shows everybody the same.
asio::awaitable<Result<Receipt>> MsnSession::set_presence(connector::SetPresence presence) {
  if (presence.to) co_return Receipt{};
  persona_->availability = presence.availability;
  const bool has_new_words = presence.status != persona_->status;
  persona_->status = std::move(presence.status);
  const auto link = link_;
  if (has_new_words) {
    std::vector<std::string> none;
    co_await link->ask("UUX", std::move(none), to_personal_message(persona_->status));
  }
  std::vector<std::string> status{to_status_code(persona_->availability), "0"};
  const Reply reply = co_await ask("CHG", std::move(status));
  if (reply.kind == Reply::Kind::refused) co_return to_error(reply.error, {});
  if (!reply.is_done()) co_return not_answered();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> MsnSession::set_profile(connector::SetProfile profile) {
  persona_->name = std::string(base::utf8_prefix(profile.name, most_name_bytes));
  if (persona_->name.empty()) co_return Receipt{};
  std::vector<std::string> name{"MFN", to_percent(persona_->name)};
  const Reply reply = co_await ask("PRP", std::move(name));
  if (reply.kind == Reply::Kind::refused) co_return to_error(reply.error, {});
  if (!reply.is_done()) co_return not_answered();
  co_return Receipt{};
}

// ---- Lists ----

asio::awaitable<Result<void>> MsnSession::put_on(std::string email, list::Bit bit) {
  if (contacts_.is_on(email, bit)) co_return base::ok();
  contacts_.put_on(email, bit);  // before the answer, since what comes behind it may be about the new member
  std::vector<std::string> args{list_word(bit), "N=" + email};
  if (bit == list::forward) args.push_back("F=" + email);
  const Reply reply = co_await ask("ADC", std::move(args));
  if (reply.is_done() && bit == list::forward) contacts_.set_guid(email, parse_addition(reply.command.args, 2).guid);
  if (reply.is_done() || reply.error == 215) co_return base::ok();
  contacts_.take_off(email, bit);
  if (reply.kind == Reply::Kind::refused) co_return to_error(reply.error, email);
  co_return not_answered();
}

asio::awaitable<Result<void>> MsnSession::take_off(std::string email, list::Bit bit) {
  if (!contacts_.is_on(email, bit)) co_return base::ok();
  // FL knows its members by their guids alone.
  std::vector<std::string> args{list_word(bit), bit == list::forward ? contacts_.guid_of(email) : email};
  const Reply reply = co_await ask("REM", std::move(args));
  const bool was_not_there = reply.error == 216 || reply.error == 208 || reply.error == 205;
  if (reply.kind == Reply::Kind::refused && !was_not_there) co_return to_error(reply.error, email);
  if (reply.kind != Reply::Kind::refused && !reply.is_done()) co_return not_answered();
  contacts_.take_off(email, bit);
  co_return base::ok();
}

// Nobody is on both lists, so one is left first.
asio::awaitable<Result<void>> MsnSession::let_see(std::string email, bool allowed) {
  const list::Bit from = allowed ? list::block : list::allow, to = allowed ? list::allow : list::block;
  const auto left = co_await take_off(email, from);
  if (!left) co_return left.error();
  co_return co_await put_on(email, to);
}

asio::awaitable<Result<Receipt>> MsnSession::add(connector::AddContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  if (*email == credentials_.email) co_return Error{Errc::rejected, "This is your own account."};
  const auto allowed = co_await let_see(*email, true);
  if (!allowed) co_return allowed.error();
  const auto added = co_await put_on(*email, list::forward);
  if (!added) co_return added.error();
  Event answered = connector::ContactAnswered{action.contact, true};  // MSN asks nobody
  co_await events_.publish(std::move(answered));
  Event presence = contacts_.presence_of(*email);
  co_await events_.publish(std::move(presence));
  co_return Receipt{};
}

// RL may be changed for who waits on PL alone: for anybody else the server closes the connection.
asio::awaitable<Result<Receipt>> MsnSession::answer(connector::AnswerContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Receipt{};
  const bool is_pending = contacts_.is_on(*email, list::pending);
  if (is_pending && action.accepted) {
    contacts_.take_off(*email, list::reverse);
    const auto known = co_await put_on(*email, list::reverse);
    if (!known) co_return known.error();
  }
  Result<void> seen = base::ok();
  if (is_pending || action.accepted) seen = co_await let_see(*email, action.accepted);
  else seen = co_await take_off(*email, list::allow);
  if (!seen) co_return seen.error();
  const auto answered = co_await take_off(*email, list::pending);
  if (!answered) co_return answered.error();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> MsnSession::remove(connector::RemoveContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Receipt{};
  const auto removed = co_await take_off(*email, list::forward);
  if (!removed) co_return removed.error();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> MsnSession::rename(connector::RenameContact action) {
  const std::string guid = contacts_.guid_of(action.contact.value);
  if (guid.empty()) co_return Error{Errc::not_found, "This contact is not on your MSN list."};
  std::vector<std::string> args{guid, "MFN", to_percent(base::utf8_prefix(action.name, most_name_bytes))};
  const Reply reply = co_await ask("SBP", std::move(args));
  if (reply.kind == Reply::Kind::refused) co_return to_error(reply.error, action.contact.value);
  if (!reply.is_done()) co_return not_answered();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> MsnSession::block(connector::BlockContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  const auto done = co_await let_see(*email, !action.blocked);
  if (!done) co_return done.error();
  co_return Receipt{};
}

}  // namespace wherry::msn
