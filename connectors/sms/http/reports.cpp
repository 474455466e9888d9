#include "connectors/sms/http/reports.hpp"

#include "connectors/sms/http/api/verdict.hpp"
#include "gateway/base/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace wherry::sms::http {

asio::awaitable<void> Reports::settle(std::shared_ptr<Record> record, Status status) {
  if (!status.stage) {
    co_await note_unknown(record, std::move(status));
    co_return;
  }
  const int new_rank = rank(*status.stage);
  // While the text is being sent, the answer to that tells that it is accepted.
  const bool told_otherwise = status.stage == connector::Stage::accepted && record->under_way;
  if (new_rank <= record->told || told_otherwise) co_return;

  log::debug("http_carrier.status_settled", {{"id", record->id}, {"status", status.word}});
  const int before = std::exchange(record->told, new_rank);
  TextProgress progress;
  progress.key = record->key;
  progress.stage = *status.stage;
  if (status.stage == connector::Stage::failed) progress.text = std::move(status.why);
  // One commit: after a crash the status is asked for again, or it is not news.
  progress.changes = ledger_.changes_for(record);
  try {
    co_await events_.progressed(std::move(progress));
  } catch (...) {
    if (record->told == new_rank) record->told = before;
    record->is_stored = false;
    ledger_.look_for(record);
    throw;
  }
}

// The words of other services grow. A last one that is unknown is not left open: the service is asked for the status.
// Where it cannot be asked, its sender is told at once: nothing better would come.
asio::awaitable<void> Reports::note_unknown(std::shared_ptr<Record> record, Status status) {
  unknown_.write(log::Level::warn, "http_carrier.status_unknown",
                 {{"id", record->id}, {"status", status.word}, {"last", status.is_last}});
  if (!status.is_last || record->is_final()) co_return;
  const bool was_doubtful = std::exchange(record->is_doubtful, true);
  if (!can_ask_) {
    co_await settle_asked(std::move(record), std::move(status));
    co_return;
  }
  if (was_doubtful) co_return;
  record->next_look = base::Time();
  ledger_.look_for(record);
  co_await ledger_.keep(record);
}

asio::awaitable<void> Reports::settle_asked(std::shared_ptr<Record> record, Status status) {
  if (record->is_doubtful && !status.stage) {
    status.stage = connector::Stage::failed;
    status.why = status.word.empty()
                     ? "It is not known what became of the message: it may or may not have arrived."
                     : fmt::format(
                           "The SMS service ended with “{}”, which this gateway does not know. The message may "
                           "or may not have arrived.",
                           status.word);
  }
  co_await settle(record, std::move(status));
}

}  // namespace wherry::sms::http
