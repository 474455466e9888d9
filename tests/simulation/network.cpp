#include "tests/simulation/network.hpp"

#include <fmt/format.h>

#include <optional>

namespace wherry::simulation {

using connector::ContactId;
using connector::MessageId;

std::string user_of(const std::string& address) { return address.substr(0, address.find('@')); }

void Network::put(const std::string& user, Mail mail) {
  Mailbox& box = mailbox(user);
  box.mails.push_back(std::move(mail));
  if (box.session) box.session->wake();
}

std::string account_in(const connector::Answers& credentials, const std::string& user) {
  const auto nick = credentials.find("nick");
  return nick == credentials.end() ? user_of(user) : nick->second;
}

void Network::hand_over(const std::string& user) {
  const connector::Event& event = mailbox(user).mails.front().event;
  const Known* const known = delivered_in(user, event);
  if (!known) return;
  recorder_.add(What::reported, name(), user, known->contact, std::get<connector::MessageProgressed>(event).id.value,
                known->text, static_cast<std::int64_t>(known->ids.size()));
}

// The message of which the event says that a part is delivered; null: of none.
Network::Known* Network::delivered_in(const std::string& user, const connector::Event& event) {
  const auto* progress = std::get_if<connector::MessageProgressed>(&event);
  if (!progress || progress->stage != connector::Stage::delivered) return nullptr;
  const auto found = known_by_id_.find({user, progress->id.value});
  return found == known_by_id_.end() ? nullptr : &known_[found->second];
}

void Network::acknowledge(const std::string& user) {
  Mailbox& box = mailbox(user);
  const Mail& mail = box.mails.front();
  if (!mail.text.empty()) recorder_.add(What::published, name(), user, mail.contact, "", mail.text);
  if (Known* const known = delivered_in(user, mail.event)) {
    known->delivered.insert(std::get<connector::MessageProgressed>(mail.event).id.value);
    if (known->delivered.size() == known->ids.size())
      recorder_.add(What::receipted, name(), user, known->contact, "", known->text);
  }
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
  recorder_.add(What::written, name(), account_name(step), contact_name(step.contact), message.id.value,
                message.content.text);
  know({account_name(step), contact_name(step.contact), message.content.text, {message.id}});
  put(account_name(step), Mail{message, message.content.text, contact_name(step.contact), 0});
}

// Mostly of a message of that chat; sometimes of one that is not known there.
void Network::refer(const Step& step) {
  const auto number = static_cast<std::uint64_t>(step.number);
  const std::string user = account_name(step), contact = contact_name(step.contact);
  const bool is_astray = draw().happens(150, "refers_astray", number);
  std::vector<const Known*> known;
  for (const Known& message : known_) {
    const bool is_here = message.user == user && message.contact == contact;
    if (is_here != is_astray && (step.act == Act::contact_reacts || !message.from_user)) known.push_back(&message);
  }
  const auto last = static_cast<std::int64_t>(known.size()) - 1;
  const bool is_newest = draw().happens(400, "refers_to_newest", number);
  const auto which =
      static_cast<std::size_t>(is_newest || last < 0 ? last : draw().between(0, last, "refers_to", number));
  say(user, contact, step, known.empty() ? nullptr : known[which]);
}

void Network::say(const std::string& user, const std::string& contact, const Step& step, const Known* target) {
  const auto number = static_cast<std::uint64_t>(step.number);
  MessageId named{fmt::format("nobody-{}", number)};
  if (target) {
    const auto last = static_cast<std::int64_t>(target->ids.size()) - 1;
    named = target->ids[static_cast<std::size_t>(draw().between(0, last, "refers_to_part", number))];
  }
  // What it calls so in that account: another's message may have the same id.
  const auto meant = known_by_id_.find({user, named.value});
  const Known* const here = meant == known_by_id_.end() ? nullptr : &known_[meant->second];
  const bool is_here = here && here->contact == contact;
  const std::string text = received_text(step).substr(0, received_text(step).find(' ')) + " for " + user;
  const auto fill = [&](auto event) {
    event.chat = ContactId{contact};
    event.sender = ContactId{contact};
    event.id = MessageId{text.substr(0, text.find(' '))};
    event.target = named;
    return event;
  };
  Mail mail;
  mail.text = text;
  mail.contact = contact;
  if (step.act == Act::contact_edits) {
    auto edit = fill(connector::MessageEdited());
    edit.content.text = text;
    edit.sent_at = base::from_milliseconds(1'795'000'000'000 + now() / 1000);
    mail.event = std::move(edit);
  } else if (step.act == Act::contact_retracts) {
    mail.event = fill(connector::MessageRetracted());
  } else {
    auto reacted = fill(connector::Reacted());
    reacted.reactions = {text};
    mail.event = std::move(reacted);
  }
  recorder_.add(Record{0, What::written, name(), user, contact, named.value, text, 0, is_here ? here->text : ""});
  if (draw().happens(200, "comes_again", number)) put(user, mail);
  put(user, std::move(mail));
}

void Network::report_nonsense(const Step& step) {
  connector::MessageProgressed progress;
  progress.id = MessageId{fmt::format("nobody-{}", next_number())};
  progress.stage = connector::Stage::delivered;
  put(account_name(step), Mail{std::move(progress), "", "", 0});
}

void Network::change_presence(const Step& step) {
  if (!traits().has_presence) return;
  for (std::int64_t i = 0; i < step.number; ++i) {
    connector::PresenceChanged change;
    change.contact = ContactId{contact_name(static_cast<int>(i % recorder_.plan.contacts))};
    change.availability = i % 2 ? connector::Availability::away : connector::Availability::online;
    put(account_name(step), Mail{std::move(change), "", "", 0});
    if (step.number > 30 ||
        !draw().happens(300, "changes", static_cast<std::uint64_t>(step.number), static_cast<std::uint64_t>(i)))
      continue;
    connector::ContactChanged self;  // the picture is another one, or none
    self.contact = ContactId{contact_name(static_cast<int>(i % recorder_.plan.contacts))};
    self.name = fmt::format("nick {}", next_number() % 3);
    if (i % 4) self.avatar = fmt::format("picture {}", next_number() % 5);
    put(account_name(step), Mail{std::move(self), "", "", 0});
  }
}

void Network::ask(const Step& step) {
  connector::ContactAsked asked;
  asked.contact = ContactId{contact_name(step.contact)};
  put(account_name(step), Mail{std::move(asked), "", "", 0});
}

void Network::list(const Step& step) {
  if (!traits().has_contact_list) return;
  connector::ContactsListed list;
  for (int i = 0; i < recorder_.plan.contacts + 3; ++i) list.contacts.push_back({ContactId{contact_name(i)}, "", {}});
  put(account_name(step), Mail{std::move(list), "", "", 0});
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

// ---- Messages ----

void Network::know(Known message) {
  for (const MessageId& id : message.ids) known_by_id_[{message.user, id.value}] = known_.size();
  known_.push_back(std::move(message));
}

std::string Network::text_of(const connector::Action& action) const {
  if (const auto* message = std::get_if<connector::SendMessage>(&action)) {
    std::string_view text = message->content.text;
    if (text.starts_with(correction_mark)) text.remove_prefix(correction_mark.size());
    return std::string(text);
  }
  if (const auto* edit = std::get_if<connector::EditMessage>(&action)) return edit->content.text;
  const auto* react = std::get_if<connector::React>(&action);
  if (react && !react->reactions.empty()) return react->reactions.front();
  const std::string* const key = connector::key_of(action);
  const auto asked = key ? recorder_.asked.find(row_in(*key)) : recorder_.asked.end();
  return asked == recorder_.asked.end() ? "" : asked->second;
}

// The text of the message whose ids an action has: all of them, in order, and with the right author.
std::string Network::named_by(const std::string& user, const connector::Action& action) const {
  const auto target = std::visit(
      [](const auto& it) -> std::optional<connector::Target> {
        if constexpr (requires { it.target; }) return it.target;
        else return std::nullopt;
      },
      action);
  if (!target) return "";
  if (target->ids.empty()) return "no message";
  const auto found = known_by_id_.find({user, target->ids.front().value});
  if (found == known_by_id_.end()) return "no message here: " + target->ids.front().value;
  const Known& known = known_[found->second];
  if (known.ids != target->ids) return "not all parts of " + known.text;
  return (known.from_user == target->from_me ? "" : "by the wrong author: ") + known.text;
}

std::vector<MessageId> Network::take(const std::string& user, const connector::Action& action) {
  const std::string text = text_of(action), &key = *connector::key_of(action);
  const std::string contact = base::to_string(*connector::chat_of(action)).substr(2);
  const bool goes_by_keys = traits().idempotency != connector::Idempotency::none;
  if (const auto taken = taken_.find(key); goes_by_keys && taken != taken_.end()) {
    recorder_.add(What::taken_again, name(), user, contact, key, text);
    return taken->second;
  }
  recorder_.add(Record{0, What::taken, name(), user, contact, key, text, 0, named_by(user, action)});
  std::vector<MessageId>& ids = taken_[key];
  if (!std::holds_alternative<connector::SendMessage>(action)) return ids = {MessageId{key}};
  ids = ids_for(user, text, key);
  know({user, contact, text, ids, true});
  if (traits().reports_delivery) report(user, text, ids);
  const std::uint64_t about = hash_of(text);
  if (!traits().refers || !draw().happens(150, "reacts_at_once", about)) return ids;
  Step reaction;
  reaction.act = Act::contact_reacts;
  reaction.number = 1'000'000 * (index_ + 1) + static_cast<std::int64_t>(next_number());  // no other network's
  const Known target = known_.back();
  say(user, contact, reaction, &target);
  return ids;
}

// Counted for each account: another one has the same.
std::vector<MessageId> Network::ids_for(const std::string& user, const std::string& text, const std::string& key) {
  if (!traits().names_messages) return {MessageId{key}};
  std::vector<MessageId> ids;
  const auto parts = draw().between(1, traits().most_parts, "has_parts", hash_of(text));
  for (std::int64_t part = 0; part < parts; ++part) ids.push_back({fmt::format("{}-{}", name(), ++ids_given_[user])});
  return ids;
}

void Network::report(const std::string& user, const std::string& text, const std::vector<MessageId>& ids) {
  const std::uint64_t about = hash_of(text);
  if (draw().happens(200, "never_reported", about)) return;
  const int copies = draw().happens(200, "reported_twice", about) ? 2 : 1;
  for (std::size_t part = 0; part < ids.size(); ++part) {
    connector::MessageProgressed progress;
    progress.id = ids[part];
    const bool fails = draw().happens(100, "failed_later", about, part);
    progress.stage = fails ? connector::Stage::failed : connector::Stage::delivered;
    for (int i = 0; i < copies; ++i) {
      // Before the send is answered, or long after it.
      const auto turn = static_cast<std::uint64_t>(i) + 2 * part;
      const Microseconds wait = draw().happens(300, "early", about, part) ? 0 : delay("reports", about, turn) * 4;
      put(user, Mail{progress, "", "", now() + wait});
    }
  }
}

void Network::add_contact(const std::string& user, const std::string& contact) {
  connector::ContactAnswered answer;
  answer.contact = ContactId{contact};
  answer.accepted = !draw().happens(200, "declines", hash_of(contact), hash_of(user));
  put(user, Mail{std::move(answer), "", "", now() + delay("answers", hash_of(contact))});
}

void Network::forget_or_take(std::uint64_t number) {
  const auto found = sending.extract(number);
  if (!found.empty() && draw().happens(500, "still_comes", number)) take(found.mapped().user, found.mapped().action);
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
