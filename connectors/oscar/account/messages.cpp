#include "connectors/oscar/account/messages.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/text.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace wherry::oscar {

using connector::Errc;
using connector::Error;
using connector::Receipt;
using connector::Result;

namespace {

std::string octets_of_hash(std::string_view text, std::size_t count) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot make a hash");
  return std::string(reinterpret_cast<const char*>(hash.data()), count);
}

// By which acknowledgements name a message of ours, also those that come after a restart.
connector::MessageId sent_id(std::string_view cookie) { return {"sent:" + base::to_hex(cookie)}; }

}  // namespace

asio::awaitable<void> Messages::publish(connector::Event event) { co_await events_.publish(std::move(event)); }

asio::awaitable<void> Messages::tell_notice(std::string id, std::string text) {
  connector::AccountNotice notice;
  notice.id.value = std::move(id);
  notice.text = std::move(text);
  co_await publish(std::move(notice));
}

asio::awaitable<void> Messages::decline(std::shared_ptr<Conversation> conversation, IncomingMessage message) {
  using Offer = IncomingMessage::Offer;
  const std::string sender = from_unnamed(plain_name(message.sender.name), server_.settings().code_page);
  const char* offer = message.offer == Offer::file   ? "offers you a file"
                      : message.offer == Offer::room ? "invites you to a chat room"
                                                     : "wants to talk without the server between";
  co_await tell_notice(id_of(message), fmt::format("{} {}, which this gateway does not carry.", sender, offer));
  conversation->tell(family::messages, 0x06, std::move(message.refusal));
}

asio::awaitable<void> Messages::received(std::shared_ptr<Conversation> conversation, IncomingMessage message) {
  if (was_kept(message)) co_return;
  co_await tell(std::move(conversation), std::move(message));
}

asio::awaitable<void> Messages::tell(std::shared_ptr<Conversation> conversation, IncomingMessage message) {
  using Sort = IncomingMessage::Kind;
  if (message.offer != IncomingMessage::Offer::none)
    co_return co_await decline(std::move(conversation), std::move(message));
  const std::string& code_page = server_.settings().code_page;
  const std::string sender = plain_name(message.sender.name);
  const auto contact = parse_contact(sender);
  std::string text = text_of(message, code_page);
  if (!contact || message.kind == Sort::server) {
    co_await tell_notice(id_of(message), fmt::format("{}: {}", from_unnamed(sender, code_page), text));
  } else if (message.kind == Sort::authorisation_request || message.kind == Sort::added) {
    std::string why;
    if (message.kind == Sort::authorisation_request) why = reason_of(message, code_page);
    co_await list_.asked(sender, std::move(why));
  } else if (message.kind == Sort::authorisation_granted || message.kind == Sort::authorisation_refused) {
    co_await list_.answered(sender, message.kind == Sort::authorisation_granted);
  } else if (!text.empty()) {
    connector::MessageReceived received;
    received.chat = received.sender = *contact;
    received.id.value = id_of(message);
    received.content.text = std::move(text);
    received.sent_at = clock_.now();
    if (message.stored_at) received.sent_at = base::Time(std::chrono::seconds(*message.stored_at));
    co_await publish(std::move(received));
    if (!message.owed_answer.empty()) conversation->tell(family::messages, 0x0B, std::move(message.owed_answer));
  }
}

asio::awaitable<void> Messages::kept(std::shared_ptr<Conversation> conversation, IcqPacket packet) {
  Reader in(packet.data);
  auto message = read_stored_message(in);
  if (!message) co_return;
  // They have no cookies, and their times no seconds. Who has written the same twice in a minute has written it
  // twice.
  kept_.insert(description_of(*message));
  const int before = stored_[id_of(*message)]++;
  if (before > 0) message->cookie = octets_of_hash(fmt::format("{}/{}", id_of(*message), before), cookie_octets);
  co_await tell(std::move(conversation), std::move(*message));
}

void Messages::begin_kept() {
  stored_.clear();
  kept_.clear();
}

// The two ways have no more in common: one has no cookies, and minutes in place of seconds.
std::string Messages::description_of(const IncomingMessage& message) const {
  return fmt::format("{}/{}/{}", plain_name(message.sender.name), message.stored_at.value_or(0) / 60,
                     text_of(message, server_.settings().code_page));
}

bool Messages::was_kept(const IncomingMessage& message) {
  if (kept_.empty() || !message.stored_at || !is_uin(plain_name(message.sender.name))) return false;
  const auto found = kept_.find(description_of(message));
  if (found == kept_.end()) return false;
  kept_.erase(found);
  return true;
}

asio::awaitable<void> Messages::missed(Missed missed) {
  const std::string sender = from_unnamed(plain_name(missed.name), server_.settings().code_page);
  std::string id = fmt::format("missed:{}:{}", sender, base::random_hex(8));
  std::string text = fmt::format("The network has lost {} message(s) from {}.", missed.count, sender);
  co_await tell_notice(std::move(id), std::move(text));
}

asio::awaitable<void> Messages::heard(Heard heard) {
  const std::uint16_t reason = heard.acknowledgement.reason;
  connector::MessageProgressed progress;
  progress.id = sent_id(heard.acknowledgement.cookie);
  progress.stage = connector::Stage::delivered;
  if (reason == Acknowledgement::unknown_channel || reason == Acknowledgement::unreadable) {
    progress.stage = connector::Stage::failed;
    progress.text = "The contact's program could not read the message.";
  }
  co_await publish(std::move(progress));
}

asio::awaitable<void> Messages::typing(TypingNotice notice) {
  auto contact = parse_contact(plain_name(notice.name));
  if (!contact) co_return;
  connector::TypingChanged change;
  change.chat = *contact;
  change.sender = std::move(*contact);
  change.typing = notice.state == TypingState::typing;
  co_await publish(std::move(change));
}

// The same for the same action, so that a recipient's program may know a repeat.
std::string Messages::cookie_of(const std::string& key, std::size_t piece) const {
  return octets_of_hash(fmt::format("{}/{}/{}", account_.value, key, piece), cookie_octets);
}

asio::awaitable<Result<Receipt>> Messages::send(std::shared_ptr<Conversation> with, connector::SendMessage message) {
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
    auto sending = with->send(std::move(piece), server_.settings().acknowledges_stored || presences_.is_there(to));
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

asio::awaitable<Result<Receipt>> Messages::show_typing(std::shared_ptr<Conversation> with,
                                                       connector::SetTyping typing) {
  const auto* contact = std::get_if<connector::ContactId>(&typing.chat);
  if (!contact) co_return has_no_rooms();
  TypingNotice notice;
  notice.name = contact->value;
  notice.state = typing.typing ? TypingState::typing : TypingState::finished;
  with->tell_at_once(family::messages, 0x14, write_typing(notice));  // what comes late is of no use
  co_return Receipt();
}

}  // namespace wherry::oscar
