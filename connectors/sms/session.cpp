#include "connectors/sms/session.hpp"

#include "connectors/sms/connector.hpp"
#include "connectors/sms/text/face.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "connectors/sms/text/profile.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace wherry::sms {

using connector::Errc;
using connector::Error;
using connector::Result;

namespace {

constexpr std::uint64_t most_mms_bytes = 5 << 20;  // of a file; what is larger goes as a link

// Why an account cannot use its number any more.
std::string gone(const std::string& number, bool is_withdrawn) {
  if (is_withdrawn)
    return fmt::format("The number {} is no longer yours. Register again to choose another one.", number);
  return fmt::format("The number {} is no longer served here. Register again to choose another one.", number);
}

}  // namespace

asio::awaitable<void> SmsSession::run() {
  std::optional<bool> told;
  for (;;) {
    const auto* known = connector_.find(account_);
    if (!known) co_return;
    const Carrier* carrier = connector_.carrier_of(*known);
    connector::AccountChanged state;
    state.online = carrier && carrier->is_up();
    state.needs_login = !carrier;
    if (!carrier) state.text = gone(known->number, known->is_withdrawn);
    else if (!state.online)
      state.text = "The SMS service cannot be reached at the moment. Your messages wait until it can.";
    if (carrier && told == state.online) {
      const auto changed = known->changed;  // the account may be forgotten meanwhile
      co_await changed->wait();
      continue;
    }
    told = state.online;
    const bool over = state.needs_login;
    connector::Event event = std::move(state);
    co_await known->events->publish(std::move(event));
    if (over) co_return;
  }
}

connector::Capabilities SmsSession::capabilities(const connector::ChatId&) const {
  connector::Capabilities capabilities;
  const auto* known = connector_.find(account_);
  const Carrier* carrier = known ? connector_.carrier_of(*known) : nullptr;
  if (!carrier) return capabilities;
  capabilities.text.most = carrier->most_text_bytes();
  capabilities.files = carrier->sends_media() ? connector::Support::full : connector::Support::fall_back;
  capabilities.file_types = {"image/*", "audio/*", "video/*", "text/vcard", "application/pdf"};  // others as links
  capabilities.file_bytes = most_mms_bytes;
  capabilities.delivery_reports = carrier->reports_delivery() ? connector::Support::full : connector::Support::refuse;
  return capabilities;
}

asio::awaitable<Result<connector::Receipt>> SmsSession::perform(connector::Action action) {
  if (auto* message = std::get_if<connector::SendMessage>(&action)) co_return co_await send(std::move(*message));
  if (auto* contact = std::get_if<connector::AddContact>(&action)) co_return co_await add(std::move(*contact));
  const bool of_no_consequence = std::holds_alternative<connector::SetPresence>(action) ||
                                 std::holds_alternative<connector::RemoveContact>(action) ||
                                 std::holds_alternative<connector::AnswerContact>(action);
  if (of_no_consequence) co_return connector::Receipt{};
  co_return Error{Errc::unsupported, "Text messages have no such thing."};
}

asio::awaitable<Result<connector::Answer>> SmsSession::query(connector::Query query) {
  if (auto* face = std::get_if<connector::AvatarQuery>(&query)) {
    if (number_of_face(face->avatar).empty()) co_return Error{Errc::not_found, "There is no such picture."};
    connector::File file{"", "image/png"};
    file.handle = std::move(face->avatar);
    co_return connector::Answer(std::move(file));
  }
  const auto* asked = std::get_if<connector::ProfileQuery>(&query);
  if (!asked) co_return Error{Errc::unsupported, "Text messages have no such thing."};
  const auto* known = connector_.find(account_);
  const auto address = connector_.numbers_.parse(asked->contact.value, known ? known->region : std::string());
  if (!address) co_return Error{Errc::not_found, address.error().text};
  co_return connector::Answer(profile_of(*address));
}

asio::awaitable<Result<void>> SmsSession::fetch(std::string handle, connector::FileSink& sink) {
  const std::string_view number = number_of_face(handle);
  if (number.empty()) co_return Error{Errc::not_found, "There is no such file."};
  co_return co_await sink.write(face_of(number));
}

asio::awaitable<Result<connector::Receipt>> SmsSession::send(connector::SendMessage message) {
  const auto* known = connector_.find(account_);
  Carrier* carrier = known ? connector_.carrier_of(*known) : nullptr;
  if (!carrier) co_return Error{Errc::not_authorized, gone(known ? known->number : "", known && known->is_withdrawn)};
  const auto* contact = std::get_if<connector::ContactId>(&message.chat);
  if (!contact) co_return Error{Errc::unsupported, "Text messages have no rooms."};
  const auto to = connector_.numbers_.parse(contact->value, known->region);
  if (!to) co_return to.error();
  if (to->type == Address::Type::alphanumeric) {
    co_return Error{Errc::rejected, "This sender has a name instead of a number and cannot be answered."};
  }

  OutgoingText text;
  text.key = fmt::format("{}:{}", account_.value, message.key);  // carriers serve many accounts
  text.from = {known->number.starts_with('+') ? Address::Type::international : Address::Type::short_code,
               known->number};
  text.to = *to;
  text.text = message.content.text;
  for (const connector::File& file : message.content.files) {
    if (carrier->sends_media()) text.media.push_back(file.url);
    else if (text.text.find(file.url) == std::string::npos) text.text += (text.text.empty() ? "" : "\n") + file.url;
  }
  if (text.text.empty() && text.media.empty()) co_return Error{Errc::bad_input, "The message is empty."};
  auto sent = co_await carrier->send(std::move(text));
  if (!sent) co_return sent.error();
  connector::Receipt receipt;
  receipt.changes = std::move(*sent);
  co_return receipt;
}

// The telephone network asks nobody: a number that can be one is a contact.
asio::awaitable<Result<connector::Receipt>> SmsSession::add(connector::AddContact action) {
  const auto* known = connector_.find(account_);
  if (!known) co_return Error{Errc::not_authorized, "Your number is no longer served here. Register again."};
  const auto address = parse_number(action.contact.value, known->region);
  if (!address) co_return address.error();
  connector::ContactChanged looks{action.contact, profile_of(*address).name, face_name(address->text)};
  connector::Event event = connector::ContactAnswered{std::move(action.contact), true};
  co_await known->events->publish(std::move(event));
  const auto* still = connector_.find(account_);
  event = std::move(looks);
  if (still) co_await still->events->publish(std::move(event));
  co_return connector::Receipt{};
}

}  // namespace wherry::sms
