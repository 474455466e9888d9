#include "connectors/sms/carriers/twilio_reports.hpp"

#include "connectors/sms/carriers/twilio_verdict.hpp"
#include "gateway/base/log.hpp"

#include <utility>

namespace wherry::sms::twilio {

asio::awaitable<void> Reports::settle(std::shared_ptr<Record> record, std::string status, int error_code) {
  const auto stage = to_stage(status);
  if (!stage) {
    log::debug("twilio.status_ignored", {{"sid", record->sid}, {"status", status}});
    co_return;
  }
  const int new_rank = rank(*stage);
  // While the text is being sent, the answer to that tells that it is accepted.
  const bool told_otherwise = *stage == connector::Stage::accepted && record->under_way;
  if (new_rank <= record->told || told_otherwise) co_return;

  log::debug("twilio.status_settled", {{"sid", record->sid}, {"status", status}, {"error", error_code}});
  const int before = std::exchange(record->told, new_rank);
  TextProgress progress;
  progress.key = record->key;
  progress.stage = *stage;
  if (*stage == connector::Stage::failed) progress.text = explain(status, error_code);
  // The event first: after a crash in between the status is asked for again, and the event comes with it.
  try {
    co_await events_.progressed(std::move(progress));
  } catch (...) {
    if (record->told == new_rank) record->told = before;
    throw;
  }
  co_await ledger_.keep(record);
}

}  // namespace wherry::sms::twilio
