#include "connectors/oscar/account_session.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/status.hpp"
#include "connectors/oscar/convert/text.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace wherry::oscar {

using AnswerToQuery = connector::Answer;
using connector::Availability;
using connector::Errc;
using connector::Error;
using connector::Receipt;
using connector::Result;
using std::chrono::steady_clock;

namespace {

constexpr std::uint16_t away_text_flag = 2;
constexpr std::uint32_t most_idle_minutes = 60 * 24 * 365;
constexpr std::size_t most_present = 10'000, most_away = 500;
constexpr std::size_t most_text = 8000;                // units of UTF-16; in several messages
constexpr std::chrono::seconds between_away_texts{2};  // the server counts them with the messages
constexpr std::chrono::minutes sent_away_window{10}, sent_away_pause{5};

std::string octets_of_hash(std::string_view text, std::size_t count) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot make a hash");
  return std::string(reinterpret_cast<const char*>(hash.data()), count);
}

// By which acknowledgements name a message of ours, also those that come after a restart.
connector::MessageId sent_id(std::string_view cookie) { return {"sent:" + base::to_hex(cookie)}; }

// Behind the user info of 02/06.
std::string away_text_of(const Snac& snac) {
  Reader in(snac.body);
  const auto user = read_user_info(in);
  if (!user) return {};
  const Tlvs tlvs = read_tlvs(in);
  const std::string* text = find(tlvs, 0x04);
  if (!text) text = find(user->tlvs, 0x04);  // some servers count it among the user's own
  return text ? *text : std::string();
}

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
      list_(account.id, services.storage, events, services.executor),
      icq_(name_, services.executor),
      icons_(server, services.executor),
      people_(server, icq_, icons_, events, services.executor),
      own_profile_(server, icq_, icons_, list_, services.http),
      away_changed_(services.executor) {}

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
  auto conversation = co_await server_.enter(std::move(std::get<Ticket>(result)), 0);
  const bool is_over = co_await converse(std::move(conversation));
  if (is_over) co_return;
}

// Whether nothing more is to be tried; else it throws.
asio::awaitable<bool> AccountSession::converse(std::shared_ptr<Conversation> conversation) {
  base::TaskGroup errands(services_.executor);
  const auto ended = std::make_shared<Ended>();
  std::exception_ptr failure;
  const auto begun = steady_clock::now();
  try {
    auto driving = conversation->run();
    auto telling = take_news(conversation, errands, ended);
    co_await base::together(std::move(driving), std::move(telling));
  } catch (...) {
    failure = std::current_exception();
  }
  const bool was_up = conversation_ != nullptr;
  conversation_.reset();
  present_.clear();
  away_.clear();
  stored_.clear();
  icq_.end();
  people_.forget();
  co_await asio::this_coro::throw_if_cancelled(false);  // the errands end in order
  co_await errands.end();
  co_await icons_.end();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begun).count();
  log::info("oscar.session_ended", {{"account", account_.value}, {"why", ended->reason}, {"seconds", seconds}});
  if (ended->kind == Ended::Kind::other_login) {
    co_await needs_login(
        "You have logged in elsewhere, and the network ended the session here. Register again to have it back here.");
    co_return true;
  }
  co_await wait_before_the_next(was_up && ended->kind == Ended::Kind::closed);
  throw std::runtime_error("The connection has ended: " + ended->reason + ".");
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
  errands.spawn("oscar.away_texts", fetch_away_texts(conversation));
  errands.spawn("oscar.names", people_.ask_names(conversation));
  errands.spawn("oscar.preferences", list_.show_typing(conversation));
  // ICQ's own way keeps the messages until they are deleted; the other one deletes what it gives out.
  if (icq_.are_there(*conversation)) {
    icq_.fetch_stored(*conversation);
  } else {
    conversation->tell(family::messages, 0x10, {});
  }
}

asio::awaitable<void> AccountSession::take_news(std::shared_ptr<Conversation> conversation, base::TaskGroup& errands,
                                                std::shared_ptr<Ended> ended) {
  for (;;) {
    auto happening = co_await conversation->next();
    if (std::holds_alternative<Ready>(happening)) {
      co_await come_up(conversation, errands);
    } else if (auto* end = std::get_if<Ended>(&happening)) {
      *ended = std::move(*end);
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
  co_return base::ok();
}

// ---- What comes ----

asio::awaitable<void> AccountSession::tell(std::shared_ptr<Conversation> conversation, News news) {
  if (auto* message = std::get_if<IncomingMessage>(&news)) {
    co_await tell_message(std::move(conversation), std::move(*message));
  } else if (auto* arrived = std::get_if<Arrived>(&news)) {
    co_await tell_presences(conversation, std::move(arrived->users));
  } else if (auto* departed = std::get_if<Departed>(&news)) {
    co_await tell_departed(std::move(departed->names));
  } else if (auto* typing = std::get_if<TypingNotice>(&news)) {
    const bool is_typing = typing->state == TypingState::typing;
    co_await tell_typing(std::move(typing->name), is_typing);
  } else if (auto* change = std::get_if<RosterChange>(&news)) {
    co_await list_.tell_change(std::move(conversation), std::move(*change));
  } else if (const auto* asked = std::get_if<AuthorisationAsked>(&news)) {
    co_await list_.asked(plain_name(asked->name));
  } else if (const auto* added = std::get_if<Added>(&news)) {
    co_await list_.asked(plain_name(added->name));
  } else if (const auto* answered = std::get_if<AuthorisationAnswered>(&news)) {
    co_await list_.answered(plain_name(answered->name), answered->is_granted);
  } else if (auto* packet = std::get_if<IcqPacket>(&news)) {
    co_await tell_packet(std::move(conversation), std::move(*packet));
  } else if (const auto* missed = std::get_if<Missed>(&news)) {
    std::string id = fmt::format("missed:{}:{}", plain_name(missed->name), base::random_hex(8));
    std::string text =
        fmt::format("The network has lost {} message(s) from {}.", missed->count, plain_name(missed->name));
    co_await tell_notice(std::move(id), std::move(text));
  } else if (const auto* delivered = std::get_if<Delivered>(&news)) {
    connector::MessageProgressed progress;
    progress.id = sent_id(delivered->acknowledgement.cookie);
    progress.stage = connector::Stage::delivered;
    co_await publish(std::move(progress));
  }
}

asio::awaitable<void> AccountSession::tell_notice(std::string id, std::string text) {
  connector::AccountNotice notice;
  notice.id.value = std::move(id);
  notice.text = std::move(text);
  co_await publish(std::move(notice));
}

asio::awaitable<void> AccountSession::tell_message(std::shared_ptr<Conversation> conversation,
                                                   IncomingMessage message) {
  using Sort = IncomingMessage::Kind;
  const std::string& code_page = server_.settings().code_page;
  const std::string sender = plain_name(message.sender.name);
  const auto contact = parse_contact(sender);
  std::string text = text_of(message, code_page);
  if (!contact || message.kind == Sort::server) {
    co_await tell_notice(id_of(message), fmt::format("{}: {}", sender, text));
  } else if (message.kind == Sort::authorisation_request || message.kind == Sort::added) {
    co_await list_.asked(sender);
  } else if (message.kind == Sort::authorisation_granted || message.kind == Sort::authorisation_refused) {
    co_await list_.answered(sender, message.kind == Sort::authorisation_granted);
  } else if (!text.empty()) {
    connector::MessageReceived received;
    received.chat = received.sender = *contact;
    received.id.value = id_of(message);
    received.content.text = std::move(text);
    received.sent_at = services_.clock.now();
    if (message.stored_at) received.sent_at = base::Time(std::chrono::seconds(*message.stored_at));
    co_await publish(std::move(received));
    if (!message.owed_answer.empty()) conversation->tell(family::messages, 0x0B, std::move(message.owed_answer));
  }
}

asio::awaitable<void> AccountSession::tell_presences(std::shared_ptr<Conversation> conversation,
                                                     std::vector<UserInfo> users) {
  for (const UserInfo& user : users) {
    const std::string name = plain_name(user.name);
    if (!parse_contact(name) || (present_.size() >= most_present && !present_.contains(name))) continue;
    const Availability availability = to_availability(user);
    Contact& contact = present_[name];
    const bool has_changed = contact.availability != availability;
    contact.availability = availability;
    contact.idle_since = idle_since(user, contact.idle_since);
    const std::string note = from_unnamed(user.note, server_.settings().code_page);
    if (has_changed || !note.empty()) contact.text = note;
    const bool is_unknown = has_changed && has_away_text(availability) && note.empty();
    if (is_unknown && away_.size() < most_away && std::find(away_.begin(), away_.end(), name) == away_.end()) {
      away_.push_back(name);
      away_changed_.notify();
    }
    connector::PresenceChanged presence;
    presence.contact.value = name;
    presence.availability = availability;
    presence.status = contact.text;
    presence.idle_since = contact.idle_since;
    co_await publish(std::move(presence));
    co_await people_.saw(conversation, user);
  }
}

// The network counts whole minutes: what would move it by less is the same time.
std::optional<base::Time> AccountSession::idle_since(const UserInfo& user, std::optional<base::Time> before) const {
  if (user.idle_minutes == 0) return std::nullopt;
  const base::Time since = services_.clock.now() - std::chrono::minutes(std::min(user.idle_minutes, most_idle_minutes));
  return before && std::chrono::abs(*before - since) < std::chrono::minutes(2) ? before : since;
}

asio::awaitable<void> AccountSession::tell_departed(std::vector<std::string> names) {
  for (const std::string& spelt : names) {
    std::string name = plain_name(spelt);
    if (!parse_contact(name)) continue;
    present_.erase(name);
    connector::PresenceChanged presence;
    presence.contact.value = std::move(name);
    presence.availability = Availability::offline;
    co_await publish(std::move(presence));
  }
}

// Why people are away is asked once each time that they go, slowly: the server counts it with the messages.
asio::awaitable<void> AccountSession::fetch_away_texts(std::shared_ptr<Conversation> conversation) {
  for (;;) {
    if (away_.empty()) {
      co_await away_changed_.wait();
      continue;
    }
    const std::string name = std::move(away_.front());
    away_.pop_front();
    auto asking = conversation->ask(family::locate, 0x05, Writer().u16(away_text_flag).text8(name).take());
    const Reply reply = co_await std::move(asking);
    const auto contact = present_.find(name);
    const bool is_answered = reply.kind == Reply::Kind::answered && reply.snac.subtype == 0x06;
    std::string text = is_answered ? away_text_of(reply.snac) : std::string();
    if (contact != present_.end() && has_away_text(contact->second.availability) && !text.empty()) {
      text = html_to_text(from_unnamed(text, server_.settings().code_page));
      contact->second.text = text;
      connector::PresenceChanged presence;
      presence.contact.value = name;
      presence.availability = contact->second.availability;
      presence.status = std::move(text);
      presence.idle_since = contact->second.idle_since;
      co_await publish(std::move(presence));
    }
    co_await base::sleep(between_away_texts);
  }
}

asio::awaitable<void> AccountSession::tell_packet(std::shared_ptr<Conversation> conversation, IcqPacket packet) {
  if (packet.type == IcqPacket::stored_message) {
    Reader in(packet.data);
    auto message = read_stored_message(in);
    if (!message) co_return;
    // They have no cookies, and their times no seconds. Who has written the same twice in a minute has written it
    // twice.
    const int before = stored_[id_of(*message)]++;
    if (before > 0) message->cookie = octets_of_hash(fmt::format("{}/{}", id_of(*message), before), cookie_octets);
    co_await tell_message(std::move(conversation), std::move(*message));
  } else if (packet.type == IcqPacket::end_of_stored) {
    // What came before it is committed: whatever is told is told in turn.
    stored_.clear();
    icq_.delete_stored(*conversation);
  } else {
    icq_.take(std::move(packet));
  }
}

asio::awaitable<void> AccountSession::tell_typing(std::string name, bool typing) {
  auto contact = parse_contact(plain_name(name));
  if (!contact) co_return;
  connector::TypingChanged change;
  change.chat = *contact;
  change.sender = std::move(*contact);
  change.typing = typing;
  co_await publish(std::move(change));
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

bool AccountSession::is_there(const std::string& name) const { return present_.contains(name); }

// The same for the same action, so that a recipient's program may know a repeat.
std::string AccountSession::cookie_of(const std::string& key, std::size_t piece) const {
  return octets_of_hash(fmt::format("{}/{}/{}", account_.value, key, piece), cookie_octets);
}

asio::awaitable<Result<Receipt>> AccountSession::perform(connector::Action action) {
  const auto with = conversation_;
  if (!with) co_return is_down();
  if (auto* message = std::get_if<connector::SendMessage>(&action)) co_return co_await send(with, std::move(*message));
  if (auto* presence = std::get_if<connector::SetPresence>(&action))
    co_return co_await show(with, std::move(*presence));
  if (auto* add = std::get_if<connector::AddContact>(&action))
    co_return co_await list_.add(with, std::move(add->contact));
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
  if (const auto* typing = std::get_if<connector::SetTyping>(&action)) {
    const auto* contact = std::get_if<connector::ContactId>(&typing->chat);
    if (!contact) co_return has_no_rooms();
    TypingNotice notice;
    notice.name = contact->value;
    notice.state = typing->typing ? TypingState::typing : TypingState::finished;
    with->tell_at_once(family::messages, 0x14, write_typing(notice));  // what comes late is of no use
    co_return Receipt();
  }
  co_return has_no_such_thing();
}

asio::awaitable<Result<Receipt>> AccountSession::send(std::shared_ptr<Conversation> with,
                                                      connector::SendMessage message) {
  const auto* contact = std::get_if<connector::ContactId>(&message.chat);
  if (!contact) co_return has_no_rooms();
  const std::string to = contact->value;
  const auto pieces = to_pieces(message.content.text, is_uin(to));
  if (pieces.empty()) co_return Error{Errc::bad_input, "The message is empty."};
  if (pieces.size() > most_pieces) co_return Error{Errc::rejected, "The message is too long for the network."};
  Receipt receipt;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    OutgoingMessage piece;
    piece.cookie = cookie_of(message.key, i);
    piece.to = to;
    piece.text = pieces[i];
    const connector::MessageId id = sent_id(piece.cookie);
    auto sending = with->send(std::move(piece), server_.settings().acknowledges_stored || is_there(to));
    const Reply reply = co_await std::move(sending);
    const bool is_taken = reply.kind == Reply::Kind::presumed ||
                          (reply.kind == Reply::Kind::answered && reply.snac.is(family::messages, 0x0C));
    if (is_taken) {
      receipt.ids.push_back(id);
      continue;
    }
    Error error = reply.kind == Reply::Kind::answered ? message_refused(reply.snac)
                  : reply.kind == Reply::Kind::unsent
                      ? is_busy()
                      : Error{Errc::uncertain, "The network did not say whether it took the message."};
    if (i > 0 && error.code != Errc::uncertain)
      error = Error{Errc::rejected,
                    fmt::format("Only the first {} of {} parts were sent. {}", i, pieces.size(), error.text)};
    co_return error;
  }
  co_return receipt;
}

// ICQ's programs look at the status, AIM's at whether there is a text.
asio::awaitable<Result<Receipt>> AccountSession::show(std::shared_ptr<Conversation> with,
                                                      connector::SetPresence presence) {
  if (presence.to) co_return Receipt();  // the network shows everybody the same
  const std::string text = presence.status.empty() ? "Away" : presence.status;
  const bool is_told =
      with->tell(family::generic, 0x1E, Writer().tlv32(0x06, to_status(presence.availability)).take()) &&
      with->tell(family::locate, 0x04,
                 Writer()
                     .tlv(0x03, "text/aolrtf; charset=\"utf-8\"")
                     .tlv(0x04, has_away_text(presence.availability) ? text_to_html(text) : std::string())
                     .take());
  if (!is_told) co_return is_busy();
  co_return Receipt();
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
