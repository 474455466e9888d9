#include "connectors/sms/http/reports.hpp"

#include "connectors/sms/http/verdict.hpp"
#include "gateway/base/log.hpp"

#include <utility>

namespace wherry::sms::http {

asio::awaitable<void> Reports::settle(std::shared_ptr<Record> record, Status status) {
  if (!status.stage) {
    log::debug("http_carrier.status_ignored", {{"id", record->id}, {"status", status.word}});
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
  // The event first: after a crash in between the status is asked for again, and the event comes with it.
  try {
    co_await events_.progressed(std::move(progress));
  } catch (...) {
    if (record->told == new_rank) record->told = before;
    throw;
  }
  co_await ledger_.keep(record);
}

}  // namespace wherry::sms::http
