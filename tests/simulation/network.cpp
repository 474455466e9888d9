#include "tests/simulation/network.hpp"

#include <fmt/format.h>

namespace wherry::simulation {

using connector::ContactId;
using connector::MessageId;

std::string user_of(const std::string& address) { return address.substr(0, address.find('@')); }

void Network::put(const std::string& user, Mail mail) {
  Mailbox& box = mailbox(user);
  box.mails.push_back(std::move(mail));
  if (box.session) box.session->wake();
}

void Network::acknowledge(const std::string& user) {
  Mailbox& box = mailbox(user);
  const Mail& mail = box.mails.front();
  if (!mail.text.empty()) recorder_.add(What::published, name(), user, mail.contact, "", mail.text);
  box.mails.pop_front();
}

void Network::note_mail_left(std::vector<Record>& left) const {
  for (const auto& [user, box] : mailboxes_) {
    for (const Mail& mail : box.mails) {
      if (!mail.text.empty() && !box.needs_login)
        left.push_back({now(), What::written, name(), user, mail.contact, "", mail.text, 0});
    }
  }
}

void Network::write(const Step& step) {
  connector::MessageReceived message;
  message.chat = ContactId{contact_name(step.contact)};
  message.sender = ContactId{contact_name(step.contact)};
  message.id = MessageId{fmt::format("in-{}", step.number)};
  message.content.text = received_text(step);
  message.sent_at = base::from_milliseconds(1'795'000'000'000 + now() / 1000);
  recorder_.add(What::written, name(), user_name(step.user), contact_name(step.contact), message.id.value,
                message.content.text);
  put(user_name(step.user), Mail{message, message.content.text, contact_name(step.contact), 0});
}

void Network::report_nonsense(const Step& step) {
  connector::MessageProgressed progress;
  progress.id = MessageId{fmt::format("nobody-{}", next_number())};
  progress.stage = connector::Stage::delivered;
  put(user_name(step.user), Mail{std::move(progress), "", "", 0});
}

void Network::change_presence(const Step& step) {
  if (!traits().has_presence) return;
  for (std::int64_t i = 0; i < step.number; ++i) {
    connector::PresenceChanged change;
    change.contact = ContactId{contact_name(static_cast<int>(i % recorder_.plan.contacts))};
    change.availability = i % 2 ? connector::Availability::away : connector::Availability::online;
    put(user_name(step.user), Mail{std::move(change), "", "", 0});
  }
}

void Network::ask(const Step& step) {
  connector::ContactAsked asked;
  asked.contact = ContactId{contact_name(step.contact)};
  put(user_name(step.user), Mail{std::move(asked), "", "", 0});
}

void Network::list(const Step& step) {
  if (!traits().has_contact_list) return;
  connector::ContactsListed list;
  for (int i = 0; i < recorder_.plan.contacts + 3; ++i) list.contacts.push_back({ContactId{contact_name(i)}, "", {}});
  put(user_name(step.user), Mail{std::move(list), "", "", 0});
}

void Network::break_session(const std::string& user) {
  Mailbox& box = mailbox(user);
  box.breaks = true;
  if (box.session) box.session->wake();
}

void Network::break_all() {
  for (auto& [user, box] : mailboxes_) break_session(user);
}

void Network::want_login(const std::string& user) {
  Mailbox& box = mailbox(user);
  box.needs_login = true;
  if (box.session) box.session->wake();
}

Microseconds Network::delay(std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  return draw().wait(recorder_.is_healed() ? 50'000 : recorder_.plan.most_network_delay, purpose, a, b);
}

MessageId Network::take(const std::string& user, const connector::SendMessage& message) {
  const std::string& text = message.content.text;
  const std::string contact = base::to_string(message.chat).substr(2);
  const bool goes_by_keys = traits().idempotency != connector::Idempotency::none;
  if (const auto known = taken_.find(message.key); goes_by_keys && known != taken_.end()) {
    recorder_.add(What::taken_again, name(), user, contact, message.key, text);
    return known->second;
  }
  recorder_.add(What::taken, name(), user, contact, message.key, text);
  const MessageId id{traits().names_messages ? fmt::format("{}-{}", name(), next_number()) : message.key};
  taken_[message.key] = id;
  if (!traits().reports_delivery) return id;
  const std::uint64_t about = hash_of(text);
  if (draw().happens(200, "never_reported", about)) return id;
  connector::MessageProgressed progress;
  progress.id = id;
  progress.stage = draw().happens(100, "failed_later", about) ? connector::Stage::failed : connector::Stage::delivered;
  const int copies = draw().happens(200, "reported_twice", about) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    // Before the send is answered, or long after it.
    const Microseconds due =
        now() + (draw().happens(300, "early", about) ? 0 : delay("reports", about, static_cast<std::uint64_t>(i)) * 4);
    if (progress.stage == connector::Stage::delivered)
      recorder_.add(What::reported, name(), user, contact, id.value, text);
    put(user, Mail{progress, "", "", due});
  }
  return id;
}

void Network::add_contact(const std::string& user, const std::string& contact) {
  connector::ContactAnswered answer;
  answer.contact = ContactId{contact};
  answer.accepted = !draw().happens(200, "declines", hash_of(contact), hash_of(user));
  put(user, Mail{std::move(answer), "", "", now() + delay("answers", hash_of(contact))});
}

void Network::forget_or_take(std::uint64_t number) {
  const auto found = sending.extract(number);
  if (!found.empty() && draw().happens(500, "still_comes", number)) take(found.mapped().user, found.mapped().message);
}

void Network::process_died() {
  for (const auto& close_input : children) close_input();
  if (traits().is_child) return;  // which ends when it has read all
  for (auto& [user, box] : mailboxes_) {
    box.session = nullptr;
    box.breaks = false;
  }
  while (!sending.empty()) forget_or_take(sending.begin()->first);
}

}  // namespace wherry::simulation
