#include "connectors/msn/session.hpp"

#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/convert/percent.hpp"
#include "connectors/msn/convert/status.hpp"
#include "connectors/msn/refusals.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace wherry::msn {

using connector::Errc;
using connector::Error;
using connector::Event;
using connector::Receipt;
using connector::Result;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_text_bytes = 30000;  // some twenty messages of MSN's
constexpr std::size_t most_early = 1000, most_told_name_bytes = 200;
constexpr std::chrono::seconds typing_tick{1}, telling_limit{5};

// For good, and not because the server is busy.
bool is_refused(const Reply& reply) {
  return reply.kind == Reply::Kind::refused && to_error(reply.error, {}).code != Errc::unavailable;
}

}  // namespace

MsnSession::MsnSession(Upstream& upstream, connector::Services services, Credentials credentials,
                       std::string memory_key, connector::EventSink& events, std::shared_ptr<Persona> persona)
    : upstream_(upstream),
      services_(services),
      credentials_(std::move(credentials)),
      events_(events),
      persona_(std::move(persona)),
      memory_(services.storage, std::move(memory_key), credentials_.email),
      tasks_(upstream.executor),
      hearers_(upstream.executor),
      connections_(upstream.executor),
      hearing_(contacts_, typing_, services_.clock, events_) {}

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
  tasks_.spawn("msn.hush", hush());
  co_await hearers_.join();  // no server brings again what was heard
  co_await tasks_.end();
  co_await connections_.join();  // each has its last words, and little time for them
}

asio::awaitable<void> MsnSession::hush() {
  co_await base::sleep(telling_limit);
  hearers_.cancel();
}

asio::awaitable<void> MsnSession::tell_state(bool online, bool needs_login, std::string text) {
  Event event = connector::AccountChanged{online, needs_login, std::move(text)};
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
    mailbox_ = std::make_shared<Mailbox>(upstream_, services_.clock, credentials_.email, ticket_, events_);
    server.clear();
    early_.clear();
    for (;;) {
      auto event = co_await link_->next();
      if (!event) break;
      if (auto* signed_in = std::get_if<SignedIn>(&*event)) co_return std::move(signed_in->roster);
      if (const auto* redirected = std::get_if<Redirected>(&*event)) server = redirected->server;
      if (auto* noticed = std::get_if<Noticed>(&*event)) co_await handle_notice(std::move(noticed->payload));
      else if (early_.size() < most_early) early_.push_back(std::move(*event));
    }
    if (is_about_password(link_->machine().refusal())) {
      co_await tell_state(false, true, describe_refused_login(link_->machine().refusal()));
      co_return std::nullopt;
    }
    if (!server.empty()) continue;
    co_await give_way(describe_end(link_->machine()));
    co_return std::nullopt;
  }
  throw std::runtime_error("The MSN server sends us from server to server without an end.");
}

asio::awaitable<void> MsnSession::live() {
  co_await upstream_.pace->turn(false);
  auto roster = co_await sign_in();
  if (!roster) co_return;
  const Groups groups{tasks_, hearers_, connections_};
  conversations_ = std::make_shared<Conversations>(upstream_, credentials_.email, link_, groups, hearing_);
  lists_ = std::make_shared<ListKeeper>(contacts_, link_, credentials_.email, events_);
  sender_ = std::make_shared<Sender>(upstream_.settings, credentials_.email, persona_, conversations_, mailbox_,
                                     typing_, events_);
  if (roster->unread + roster->unshown + roster->left_out > 0)
    log::warn("msn.list_not_whole",
              {{"unread", roster->unread}, {"unshown", roster->unshown}, {"left_out", roster->left_out}});
  const std::string before = co_await memory_.recall();
  std::vector<Event> news = contacts_.begin(std::move(*roster), before);
  const bool has_appeared = co_await appear();
  if (!has_appeared) co_return co_await give_way("The MSN server does not take our status.");
  co_await tell_state(true, false, std::string());
  co_await publish_all(events_, std::move(news));
  co_await memory_.remember(contacts_);
  auto early = std::exchange(early_, {});
  for (NotificationEvent& event : early) co_await handle(std::move(event));
  tasks_.spawn("msn.typing", keep_typing());
  tasks_.spawn("msn.letters", mailbox_->work());
  for (;;) {
    auto event = co_await link_->next();
    if (!event) break;
    co_await handle(std::move(*event));
  }

  co_await give_way(describe_end(link_->machine()));
}

// Who came last wins: to come back would end the other program, which would come back, too.
asio::awaitable<void> MsnSession::give_way(std::string trouble) {
  if (link_->machine().protocol().how_ended() != End::elsewhere) throw std::runtime_error(trouble);
  co_await tell_state(false, true, describe_end(link_->machine()));
}

// First the words, then the status: contacts see both at once.
asio::awaitable<bool> MsnSession::appear() {
  if (!persona_->name.empty()) co_await show_name();
  std::vector<std::string> none;
  co_await link_->ask("UUX", std::move(none), to_personal_message(persona_->status));
  std::vector<std::string> status{to_status_code(persona_->availability), "0"};
  const Reply reply = co_await ask("CHG", std::move(status));
  co_return reply.is_done();
}

// ---- What the server says ----

asio::awaitable<void> MsnSession::handle(NotificationEvent event) {
  std::vector<Event> news;
  if (const auto* status = std::get_if<StatusChanged>(&event)) news = contacts_.take(*status);
  else if (const auto* personal = std::get_if<PersonalMessageChanged>(&event)) news = contacts_.take(*personal);
  else if (const auto* phone = std::get_if<PhoneChanged>(&event)) contacts_.take(*phone);
  else if (const auto* added = std::get_if<AddedUs>(&event)) news = contacts_.take(*added);
  else if (const auto* removed = std::get_if<RemovedUs>(&event)) news = contacts_.take(*removed);
  else if (auto* rang = std::get_if<Rang>(&event)) conversations_->follow(std::move(*rang));
  else if (auto* noticed = std::get_if<Noticed>(&event)) co_await handle_notice(std::move(noticed->payload));
  co_await publish_all(events_, std::move(news));
  const bool is_of_lists = std::holds_alternative<AddedUs>(event) || std::holds_alternative<RemovedUs>(event);
  if (is_of_lists) co_await memory_.remember(contacts_);
}

asio::awaitable<void> MsnSession::handle_notice(std::string bytes) {
  const Payload payload = parse_payload(bytes);
  const std::string type = payload.content_type();
  if (type == "application/x-msmsgssystemmessage") {
    const Payload message = parse_payload(payload.body);
    if (message.header("type") == "1")
      co_await notify(events_, "The MSN server will go down in " + to_utf8(message.header("arg1")) + " minutes.");
  }
  if (auto mail = read_mail_notice(bytes)) mailbox_->announce(std::move(*mail));
}

// Once a second: to whom it is said again that the user writes, and who is shown no longer to write.
asio::awaitable<void> MsnSession::keep_typing() {
  for (;;) {
    co_await base::sleep(typing_tick);
    const Time now = steady_clock::now();
    for (const std::string& email : typing_.due(now))
      conversations_->mention(email, to_typing_payload(credentials_.email));
    auto news = typing_.expire(now);
    co_await publish_all(events_, std::move(news));
  }
}

// ---- What the user wants ----

asio::awaitable<Reply> MsnSession::ask(std::string name, std::vector<std::string> args) {
  const auto link = link_;
  if (!link) co_return Reply();
  co_return co_await link->ask(std::move(name), std::move(args));
}

asio::awaitable<Result<Receipt>> MsnSession::perform(connector::Action action) {
  if (!sender_) co_return Error{Errc::unavailable, "The MSN session is not open."};
  const auto sender = sender_;
  if (auto* message = std::get_if<connector::SendMessage>(&action))
    co_return co_await sender->send(std::move(*message));
  if (auto* typing = std::get_if<connector::SetTyping>(&action))
    co_return co_await sender->set_typing(std::move(*typing));
  if (auto* now = std::get_if<connector::SetPresence>(&action)) co_return co_await set_presence(std::move(*now));
  if (auto* profile = std::get_if<connector::SetProfile>(&action)) co_return co_await set_profile(std::move(*profile));
  auto changed = co_await change_list(std::move(action));
  conversations_->leave_unwanted();  // somebody may have been blocked
  if (changed) changed->changes = memory_.take_changes(contacts_);
  co_return changed;
}

asio::awaitable<Result<Receipt>> MsnSession::change_list(connector::Action action) {
  const auto lists = lists_;
  if (auto* added = std::get_if<connector::AddContact>(&action)) co_return co_await lists->add(std::move(*added));
  if (auto* reply = std::get_if<connector::AnswerContact>(&action)) co_return co_await lists->answer(std::move(*reply));
  if (auto* removed = std::get_if<connector::RemoveContact>(&action))
    co_return co_await lists->remove(std::move(*removed));
  if (auto* renamed = std::get_if<connector::RenameContact>(&action))
    co_return co_await lists->rename(std::move(*renamed));
  if (auto* blocked = std::get_if<connector::BlockContact>(&action))
    co_return co_await lists->block(std::move(*blocked));
  co_return Error{Errc::unsupported, "MSN has no such thing."};
}

asio::awaitable<Result<connector::Answer>> MsnSession::query(connector::Query query) {
  const auto* asked = std::get_if<connector::ProfileQuery>(&query);
  if (!asked) co_return Error{Errc::unsupported, "MSN cannot be asked that."};
  auto profile = contacts_.profile_of(asked->contact.value);
  if (!profile) co_return Error{Errc::not_found, "MSN says nothing of who is on none of your lists."};
  co_return connector::Answer(std::move(*profile));
}

connector::Capabilities MsnSession::capabilities(const connector::ChatId&) const {
  connector::Capabilities capabilities;
  capabilities.text.most = most_text_bytes;
  capabilities.typing = connector::Support::full;
  if (upstream_.settings.acknowledged_is_delivered) capabilities.delivery_reports = connector::Support::full;
  return capabilities;
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
  const auto taken = to_result(reply, {});
  if (!taken) co_return taken.error();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> MsnSession::set_profile(connector::SetProfile profile) {
  persona_->name = std::move(profile.name);
  if (persona_->name.empty()) co_return Receipt{};
  const Reply reply = co_await show_name();
  if (is_refused(reply)) co_return Error{Errc::rejected, "The MSN server does not take this name."};
  const auto taken = to_result(reply, {});
  if (!taken) co_return taken.error();
  co_return Receipt{};
}

// Whoever gives a name sees no answer to it, so a refusal is told: once of each name, however often there is a login.
asio::awaitable<Reply> MsnSession::show_name() {
  const std::string name(base::utf8_prefix(persona_->name, most_told_name_bytes));
  std::vector<std::string> args{"MFN", to_name_word(name)};
  Reply reply = co_await ask("PRP", std::move(args));
  if (!is_refused(reply)) co_return reply;
  std::string told = fmt::format(
      "The MSN server does not take your name, {}. Your contacts see the one that you had there before.", name);
  co_await notify(events_, std::move(told), "name/" + name);
  co_return reply;
}

}  // namespace wherry::msn
