#include "gateway/queues/messages.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/convert/origin.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wherry::queues {

namespace asio = boost::asio;
using connector::Stage;
using store::MessageRow;

namespace {

// What is known of a whole message by its parts: it has failed where one of them has, and come as far as the last.
Stage stage_of_all(const std::vector<Stage>& parts) {
  if (std::find(parts.begin(), parts.end(), Stage::failed) != parts.end()) return Stage::failed;
  return parts.empty() ? Stage::accepted : *std::min_element(parts.begin(), parts.end());
}

// Delivered after failed counts, failed after delivered does not (connector::Stage).
bool is_news(Stage before, Stage now) {
  if (before == Stage::read) return false;
  if (before == Stage::delivered) return now == Stage::read;
  return now != before && now != Stage::accepted;
}

// Whether it came to the network is not known, and the network has not told what it calls it: our key is no name there.
bool has_no_name(const MessageRow& sent) { return sent.network_id.empty() && sent.stage == Stage::failed; }

constexpr std::size_t most_staged = 1000;  // messages of several parts whose stages are in memory

// What the chat is told of something that refers to a message which nobody knows any more.
connector::MessageReceived in_words(base::ChatId chat, base::ContactId sender, base::MessageId id, std::string text,
                                    bool from_me) {
  connector::MessageReceived message;
  message.chat = std::move(chat);
  message.sender = std::move(sender);
  message.id = std::move(id);
  message.content.text = std::move(text);
  message.sent_at = std::chrono::system_clock::now();
  message.from_me = from_me;
  return message;
}

std::optional<connector::Event> without_target(connector::MessageEdited edit) {
  edit.content.text = convert::marked_as_correction(edit.content.text);
  auto message = in_words(std::move(edit.chat), std::move(edit.sender), std::move(edit.id), "", edit.from_me);
  message.content = std::move(edit.content);
  message.sent_at = edit.sent_at;
  return message;
}

std::optional<connector::Event> without_target(connector::MessageRetracted retraction) {
  return in_words(std::move(retraction.chat), std::move(retraction.sender), std::move(retraction.id),
                  "(An older message was taken back.)", retraction.from_me);
}

std::optional<connector::Event> without_target(connector::Reacted reacted) {
  std::string text;
  for (const std::string& reaction : reacted.reactions) text += (text.empty() ? "" : " ") + reaction;
  if (text.empty()) return std::nullopt;
  return in_words(std::move(reacted.chat), std::move(reacted.sender), std::move(reacted.id), std::move(text),
                  reacted.from_me);
}

// A contact changes, or takes back, its own messages; the user's other program those of the user. In a room others may.
bool is_authors_own(const connector::Event& event, bool is_users) {
  return std::visit(
      [&]<class E>(const E& it) {
        constexpr bool is_change =
            std::is_same_v<E, connector::MessageEdited> || std::is_same_v<E, connector::MessageRetracted>;
        if constexpr (is_change) return std::holds_alternative<base::RoomId>(it.chat) || it.from_me == is_users;
        else return true;
      },
      event);
}

}  // namespace

// ---- Noting ----

void Messages::note_sent(MessageRow sent, const std::vector<base::MessageId>& ids) {
  if (!refers_) sent.stanza_hash = 0;
  if (!ids.empty()) sent.network_id = ids.front().value;
  sent.parts = std::max<std::int64_t>(1, static_cast<std::int64_t>(ids.size()));
  recent_.insert(sent);
  journal_.insert(sent);
  for (std::size_t part = 1; part < ids.size(); ++part) {
    MessageRow row;
    row.id = sent.id;
    row.account = sent.account;
    row.created = sent.created;
    row.parts = sent.parts;
    row.part = static_cast<std::int64_t>(part);
    row.network_id = ids[part].value;
    row.stage = sent.stage;
    recent_.name_part(sent.account, sent.id, row.part, row.network_id);
    journal_.insert(std::move(row));
  }
  if (sent.parts > 1) hold_stages(sent.id, std::vector<Stage>(ids.size(), sent.stage.value_or(Stage::accepted)));
}

void Messages::note_received(base::AccountId account, std::int64_t id, const connector::MessageReceived& message,
                             std::int64_t created) {
  if (!refers_) return;
  MessageRow row;
  row.id = id;
  row.account = account;
  row.kind = message.from_me ? MessageRow::Kind::written_elsewhere : MessageRow::Kind::received;
  row.network_id = message.id.value;
  row.chat = base::to_string(message.chat);
  row.created = created;
  recent_.insert(row);
  journal_.insert(std::move(row));
  journal_.after_commit([this, id](const std::exception_ptr& error) {
    if (error) recent_.erase(id);
  });
}

// ---- Asking ----

std::optional<MessageRow> Messages::find_recent(base::AccountId account, const std::string& network_id) const {
  const auto id = keys_.row_of(network_id);
  if (!id) return recent_.find(account, network_id);
  const MessageRow* const message = recent_.find(account, *id);
  return message ? std::optional(*message) : std::nullopt;
}

asio::awaitable<std::optional<MessageRow>> Messages::find(base::AccountId account, std::string network_id) {
  if (auto recent = find_recent(account, network_id)) co_return recent;
  const auto id = keys_.row_of(network_id);
  auto read = [account, id, network_id](db::Transaction& t) {
    auto found = id ? store::find_message(t, account, *id) : store::find_message(t, account, network_id);
    if (!found || found->part == 0) return found;
    auto first = store::find_message(t, account, found->id);
    if (first) first->part = found->part;
    return first;
  };
  auto stored = co_await database_.fetch(std::move(read));
  if (auto recent = find_recent(account, network_id)) co_return recent;
  if (stored && stored->part == 0) recent_.insert(*stored);
  co_return stored;
}

// ---- How far a message has come ----

asio::awaitable<void> Messages::load_stages(MessageRow message) {
  const std::int64_t id = message.id;
  if (message.parts == 1 || stages_.contains(id)) co_return;
  auto read = [account = message.account, id](db::Transaction& t) { return store::read_parts(t, account, id); };
  std::vector<Stage> stages;
  for (const MessageRow& part : co_await database_.fetch(std::move(read)))
    stages.push_back(part.stage.value_or(Stage::accepted));
  hold_stages(id, std::move(stages));
}

// Those that are there hold: another report may have read them meanwhile.
void Messages::hold_stages(std::int64_t id, std::vector<Stage> stages) {
  if (!stages_.emplace(id, std::move(stages)).second || stages_.size() <= most_staged) return;
  const auto oldest = stages_.begin();
  stages_.erase(oldest->first == id ? std::next(oldest) : oldest);
}

Messages::Step Messages::advance(const MessageRow& message, Stage stage) {
  Step step;
  const auto parts = stages_.find(message.id);
  const bool is_whole = message.parts == 1;
  const auto part = static_cast<std::size_t>(message.part);
  if (!is_whole && (parts == stages_.end() || part >= parts->second.size())) return step;
  const Stage before = is_whole ? message.stage.value_or(Stage::accepted) : parts->second[part];
  step.before = step.after = is_whole ? before : stage_of_all(parts->second);
  step.is_new = is_news(before, stage);
  if (!step.is_new) return step;
  if (!is_whole) parts->second[part] = stage;
  step.after = is_whole ? stage : stage_of_all(parts->second);
  recent_.set_stage(message.id, step.after);
  journal_.set_stage(message.id, message.part, stage);
  journal_.after_commit([this, id = message.id, is_whole, step](const std::exception_ptr& error) {
    if (!error) return;
    if (is_whole) recent_.take_back_stage(id, step.after, step.before);  // so it may come again
    else stages_.erase(id);
  });
  return step;
}

// ---- Translating ----

// "w<key>" is a message that came, and what follows it a part that it was shown in; anything else is the id that the
// user's program gave what it sent.
asio::awaitable<std::vector<MessageRow>> Messages::find_named_by_user(base::AccountId account, base::ChatId chat,
                                                                      std::string name) {
  const auto id = name.starts_with('w') ? keys_.row_of(std::string_view(name).substr(1)) : std::nullopt;
  auto read = [account, id, name, in = base::to_string(chat)](db::Transaction& t) {
    if (id) {
      auto parts = store::read_parts(t, account, *id);
      const bool is_there = !parts.empty() && parts.front().chat == in;
      return is_there ? parts : std::vector<MessageRow>();
    }
    for (const MessageRow& sent : store::find_sent_by_stanza(t, account, store::hash_of_id(name))) {
      const auto origin = convert::parse_origin(sent.origin);
      if (sent.chat != in || !origin || origin->stanza_id != name || has_no_name(sent)) continue;
      return store::read_parts(t, account, sent.id);
    }
    return std::vector<MessageRow>();
  };
  co_return co_await database_.fetch(std::move(read));
}

asio::awaitable<convert::Referents> Messages::name_for_network(base::AccountId account, connector::Action& action,
                                                               base::Time now) {
  convert::Referents referents;
  const base::ChatId* const chat = connector::chat_of(action);
  if (!chat || !refers_) co_return referents;
  referents.target = co_await name_for_network(account, *chat, connector::ids_of_target(action), now);
  if (referents.target.is_known) connector::set_author_of_target(action, referents.target.is_users);
  referents.reply = co_await name_for_network(account, *chat, connector::ids_of_reply(action), now);
  if (referents.reply.is_known) connector::set_author_of_reply(action, referents.reply.is_users);
  co_return referents;
}

// `ids`: as the user's program calls the message, and then as the network does; null: no message is named.
asio::awaitable<convert::Referent> Messages::name_for_network(base::AccountId account, const base::ChatId& chat,
                                                              std::vector<base::MessageId>* ids, base::Time now) {
  convert::Referent referent;
  if (!ids || ids->empty()) co_return referent;
  std::string name = ids->front().value;
  const auto parts = co_await find_named_by_user(account, chat, std::move(name));
  if (parts.empty()) co_return referent;
  ids->clear();
  for (const MessageRow& part : parts) ids->push_back({part.network_id.empty() ? keys_.of(part.id) : part.network_id});
  referent.is_users = parts.front().kind != MessageRow::Kind::received;
  referent.is_known = true;
  const base::Time sent = base::from_milliseconds(parts.front().created);
  referent.age =
      std::max(std::chrono::milliseconds(0), std::chrono::duration_cast<std::chrono::milliseconds>(now - sent));
  co_return referent;
}

asio::awaitable<std::optional<Messages::Named>> Messages::named(base::AccountId account, std::string chat,
                                                                std::string network_id) {
  const auto found = co_await find(account, std::move(network_id));
  if (!found || found->chat != chat) co_return std::nullopt;
  Named named;
  named.is_users = found->kind != MessageRow::Kind::received;
  if (found->kind != MessageRow::Kind::sent) {
    named.stanza_id = "w" + keys_.of(found->id);
    co_return named;
  }
  auto origin = convert::parse_origin(found->origin);
  if (!origin || origin->stanza_id.empty()) co_return std::nullopt;
  named.stanza_id = std::move(origin->stanza_id);
  co_return named;
}

// The network may speak of a message before its answer to the send has come, which names it.
asio::awaitable<std::optional<Messages::Named>> Messages::await_named(base::AccountId account, std::string chat,
                                                                      std::string network_id) {
  const SendsUnderway::Turn newest = underway_.last(account);
  auto known = co_await named(account, chat, network_id);
  const auto until = underway_.awaited_until(account, chat, newest);
  if (known || !refers_ || !until) co_return known;
  try {
    co_await base::within(*until - std::chrono::steady_clock::now(), await_name(account, chat, network_id, newest));
  } catch (const base::TimedOut&) {}
  co_return co_await named(account, std::move(chat), std::move(network_id));
}

asio::awaitable<void> Messages::await_name(base::AccountId account, std::string chat, std::string network_id,
                                           SendsUnderway::Turn newest) {
  while (!find_recent(account, network_id) && underway_.has_any(account, chat, newest)) co_await underway_.change();
}

asio::awaitable<std::optional<connector::Event>> Messages::name_for_user(base::AccountId account,
                                                                         connector::Event event) {
  const base::ChatId* const chat = connector::chat_of(event);
  if (!chat) co_return event;
  const std::string in = base::to_string(*chat);
  Lines::Place place(naming_, std::to_string(account.value) + " " + in);
  co_await place.come();
  if (connector::Reply* const reply = connector::reply_of(event); reply && !reply->ids.empty()) {
    std::string name = reply->ids.front().value;
    auto known = co_await await_named(account, in, std::move(name));
    reply->ids.clear();
    if (known) reply->ids.push_back({std::move(known->stanza_id)});
  }
  base::MessageId* const target = connector::target_of(event);
  if (!target) co_return event;
  std::string name = target->value;
  // A read mark is not worth holding up what comes behind it.
  std::optional<Named> known;
  if (connector::is_durable(event)) known = co_await await_named(account, in, std::move(name));
  else known = co_await named(account, in, std::move(name));
  if (known && !is_authors_own(event, known->is_users)) {
    log::debug("message.not_the_authors", {{"account", account.value}});
    co_return std::nullopt;
  }
  if (known) {
    target->value = std::move(known->stanza_id);
    co_return event;
  }
  log::debug("message.target_unknown", {{"account", account.value}});
  co_return std::visit(
      [](auto& it) -> std::optional<connector::Event> {
        if constexpr (requires { without_target(it); }) return without_target(std::move(it));
        else return std::nullopt;
      },
      event);
}

}  // namespace wherry::queues
