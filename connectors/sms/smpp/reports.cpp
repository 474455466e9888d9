#include "connectors/sms/smpp/reports.hpp"

#include "gateway/base/log.hpp"

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

asio::awaitable<void> Reports::settle(Match match, Receipt receipt, std::vector<connector::Entry> also) {
  Record& record = *match.record;
  apply(record, match.segment, receipt.state);
  const auto stage = tell(record);
  log::info("smpp.receipt_matched", {{"id", record.key},
                                     {"segment", match.segment + 1},
                                     {"by", name_of(match.by)},
                                     {"state", to_string(receipt.state)},
                                     {"error", receipt.error}});
  // the newest text's was chosen
  if (match.is_shared) log::warn("smpp.receipt_shared_id", {{"id", log::masked(receipt.id)}});
  // The event first: after a crash in between the receipt comes again, and the event with it.
  if (stage) {
    TextProgress progress;
    progress.key = record.key;
    progress.stage = *stage;
    if (*stage == connector::Stage::failed) progress.text = explain(receipt);
    try {
      co_await events_.progressed(std::move(progress));
    } catch (...) {
      untold(record, *stage);
      throw;
    }
  }
  auto entries = record.told_delivered ? ledger_.erase(record) : ledger_.keep(record);
  entries.insert(entries.end(), std::make_move_iterator(also.begin()), std::make_move_iterator(also.end()));
  co_await storage_.write(std::move(entries));
}

asio::awaitable<void> Reports::settle_waiting() {
  for (;;) {
    auto waited = co_await ledger_.take_placed();
    if (!waited) co_return;
    Match match = waited->match;
    Receipt receipt = waited->reported.receipt;
    std::vector<connector::Entry> also = {{waited->entry, {}}};
    try {
      co_await settle(std::move(match), std::move(receipt), std::move(also));
    } catch (...) {
      ledger_.put_back(std::move(*waited));
      throw;
    }
  }
}

}  // namespace wherry::sms::smpp
