// Outbox: the only table from a result to a row's next state, and what reports say of it.
#include "gateway/queues/outbox.hpp"

#include "gateway/connector/action_codec.hpp"
#include "gateway/queues/outbox/pause.hpp"
#include "gateway/queues/outbox/told.hpp"
#include "gateway/queues/trail.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

using connector::Errc;
using connector::Error;
using store::OutboxState;

namespace {

bool is_final(Errc code) { return code != Errc::unavailable && code != Errc::uncertain; }

}  // namespace

void Outbox::settle(Item& item, const connector::Action& performed, const base::Result<connector::Receipt>& result) {
  if (result) {
    const auto* message = std::get_if<connector::SendMessage>(&performed);
    repeats_.keep(item.fingerprint);  // before a report that may take it back
    const bool has_own_id = message && !result->ids.empty() && result->ids.front().value != message->key;
    if (message && (network_.reports_delivery || has_own_id || messages_.refers()))
      note_sent(item, has_own_id ? result->ids : std::vector<base::MessageId>(), connector::Stage::accepted);
    if (message) trail::sent(keys_, item.row.id, *result);
    return remove_row(item);
  }
  const Error& error = result.error();
  if (is_final(error.code)) return fail_row(item, error);
  if (error.code == Errc::uncertain && !repeats_freely(item.row.account)) {
    return fail_row(item, Error{Errc::uncertain, error.text.empty() ? told::uncertain : error.text});
  }
  retry(item, error);
}

// The network has nothing of the kind, and nobody is told.
void Outbox::end_unsent(Item& item) {
  repeats_.keep(item.fingerprint);
  remove_row(item);
  journal_.close_step();
}

void Outbox::retry(Item& item, const Error& error) {
  ++item.row.attempts;
  std::chrono::milliseconds pause = pause_after(item.row.attempts, item.row.id, limits_.retry);
  if (error.retry_after.count() > 0) pause = error.retry_after;
  if (connector::key_of(item.action)) trail::delayed(keys_, item.row.id, error, pause);
  item.row.not_before = base::to_milliseconds(clock_.now() + pause);
  const bool is_unsure = error.code == Errc::uncertain || item.row.state == OutboxState::unsure;
  backlog_.retry_first(item.row.account, item.row.chat, now_forward() + pause.count());
  if (!is_unsure) reports_.send_ended(item.row.account, item.row.id);
  write_state(item, is_unsure ? OutboxState::unsure : OutboxState::queued);
}

// Tells the sender and removes the row, in one commit.
void Outbox::fail_row(Item& item, Error error) {
  report_failure(item, std::move(error));
  backlog_.remove_first(item.row.account, std::string(item.row.chat));
  journal_.close_step();
}

// As fail_row, for a row that the backlog does not have.
void Outbox::report_failure(const Item& item, Error error) {
  // A report may still come, and then counts (Stage).
  if (error.code == Errc::uncertain && is_reported(item.action)) note_sent(item, {}, connector::Stage::failed);
  if (const auto* add = std::get_if<connector::AddContact>(&item.action))
    accounts_.request_failed(item.row.account, add->contact);
  reports_.put_failed(item.row.account, item.row.id, item.origin, std::move(error));
  reports_.send_ended(item.row.account, item.row.id);
  journal_.remove_outbox(item.row.id);
}

void Outbox::remove_row(const Item& item) {
  reports_.send_ended(item.row.account, item.row.id);
  journal_.remove_outbox(item.row.id);
  backlog_.remove_first(item.row.account, std::string(item.row.chat));
}

bool Outbox::end_send(const store::OutboxRow& row, connector::Stage stage) {
  const auto place = backlog_.find(row.account, row.chat, row.id);
  if (!place) return false;
  // What is with the connector ends with a success of its own.
  if (stage == connector::Stage::accepted && place->is_performing) return false;
  const OutboxState state = place->item ? place->item->row.state : row.state;
  if (state == OutboxState::queued && stage == connector::Stage::failed) return false;  // it was provably not sent
  const auto origin = convert::parse_origin(row.origin);
  const auto action = parse_row(row.payload);
  if (!origin || !action || !is_reported(*action)) return false;
  Item item;
  item.row = row;
  item.origin = *origin;
  note_sent(item, {}, connector::Stage::accepted);
  repeats_.keep(repeats_.fingerprint(row.account, *origin, *action));
  journal_.remove_outbox(row.id);
  if (!place->is_performing) reports_.send_ended(row.account, row.id);
  backlog_.remove(row.account, row.chat, row.id);
  journal_.after_commit([this, account = row.account, chat = row.chat, id = row.id](const std::exception_ptr& error) {
    if (error) end_failed(account, chat, id);
  });
  start(row.account, row.chat);
  return true;
}

// The store still has the row. Where it may be sent again it waits as before; else the next start tells its sender.
void Outbox::end_failed(base::AccountId account, const std::string& chat, std::int64_t id) {
  reports_.forget_sent(id);
  if (!repeats_freely(account) || reach(account) == Backlog::Reach::gone) return;
  const auto ms = [](auto duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); };
  backlog_.recover(account, chat, id, now_forward() + ms(limits_.deadline), now_forward() + ms(limits_.retry.most));
}

void Outbox::note_sent(const Item& item, const std::vector<base::MessageId>& ids, connector::Stage stage) {
  store::MessageRow sent;
  sent.id = item.row.id;
  sent.account = item.row.account;
  sent.origin = to_text(item.origin);
  sent.chat = item.row.chat;
  sent.stage = stage;
  sent.created = journal_.stamp(base::to_milliseconds(clock_.now()));
  if (!item.origin.stanza_id.empty()) sent.stanza_hash = store::hash_of_id(item.origin.stanza_id);
  reports_.note_sent(std::move(sent), ids);
}

}  // namespace wherry::queues
