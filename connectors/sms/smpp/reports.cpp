#include "connectors/sms/smpp/reports.hpp"

#include "gateway/base/log.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::sms::smpp {

namespace {

std::string_view name_of(IdMatch by) {
  switch (by) {
    case IdMatch::literal: return "literal";
    case IdMatch::spelling: return "spelling";
    case IdMatch::number: return "number";
    case IdMatch::none: break;
  }
  return "none";
}

}  // namespace

asio::awaitable<void> Reports::settle(Match match, Receipt receipt, connector::Changes also) {
  Record& record = *match.record;
  const SegmentState before = record.segments[match.segment].state;
  apply(record, match.segment, receipt.state);
  const auto stage = tell(record);
  log::info("smpp.receipt_matched", {{"id", record.key},
                                     {"segment", match.segment + 1},
                                     {"by", name_of(match.by)},
                                     {"state", to_string(receipt.state)},
                                     {"error", receipt.error}});
  // the newest text's was chosen
  if (match.is_shared) log::warn("smpp.receipt_shared_id", {{"id", log::masked(receipt.id)}});
  auto changes = record.told_delivered ? ledger_.erase(record) : ledger_.keep(record);
  std::ranges::move(also, std::back_inserter(changes));
  // One commit: after a crash the sender has heard of it, or the receipt comes again and finds the record.
  TextProgress progress;
  progress.key = record.key;
  progress.stage = stage.value_or(connector::Stage::accepted);
  if (stage == connector::Stage::failed) progress.text = explain(receipt);
  progress.changes = std::move(changes);
  try {
    if (stage) co_await events_.progressed(std::move(progress));
    else co_await storage_.write(std::move(progress.changes));
  } catch (...) {
    record.segments[match.segment].state = before;  // the receipt comes again, and is news then
    if (stage) untold(record, *stage);
    ledger_.await_end(record);
    throw;
  }
  if (record.told_delivered) ledger_.known(record);
}

asio::awaitable<void> Reports::settle_waiting() {
  for (;;) {
    auto waited = co_await ledger_.take_placed();
    if (!waited) co_return;
    Match match = waited->match;
    Receipt receipt = waited->reported.receipt;
    connector::Changes also = {{waited->entry, {}}};
    try {
      co_await settle(std::move(match), std::move(receipt), std::move(also));
    } catch (...) {
      ledger_.put_back(std::move(*waited));
      throw;
    }
  }
}

}  // namespace wherry::sms::smpp
