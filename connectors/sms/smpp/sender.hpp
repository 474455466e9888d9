// Sends texts over the transmitting link: cuts them into segments, submits these through the gate, remembers what
// became of each, and folds the outcomes into one.
#pragma once

#include "connectors/sms/parts/gate.hpp"
#include "connectors/sms/smpp/reports.hpp"
#include "connectors/sms/smpp/verdict.hpp"
#include "connectors/sms/smpp/wire/link.hpp"
#include "gateway/base/task_group.hpp"

#include <map>
#include <memory>

namespace wherry::sms::smpp {

class Sender {
 public:
  Sender(const Setting& setting, connector::Services services, Ledger& ledger, Reports& reports, Gate& gate)
      : setting_(setting),
        services_(services),
        ledger_(ledger),
        reports_(reports),
        gate_(gate),
        tasks_(services.executor) {}

  void use(Link* link) { link_ = link; }  // null: none
  asio::awaitable<connector::Result<connector::Changes>> send(OutgoingText text);
  // After the link has ended: waits until the segments that were on it are accounted for.
  asio::awaitable<void> join() { co_await tasks_.join(); }

 private:
  struct Sending;
  asio::awaitable<void> send_segment(std::shared_ptr<Sending> sending, std::size_t index);
  asio::awaitable<void> try_segment(std::shared_ptr<Sending> sending, std::size_t index);
  asio::awaitable<void> accepted(std::shared_ptr<Sending> sending, std::size_t index, std::string id);
  asio::awaitable<void> all_ended(std::shared_ptr<Sending> sending);
  asio::awaitable<void> finish(std::shared_ptr<Sending> sending);
  void log_submitted(const Record& record) const;
  asio::awaitable<connector::Result<void>> conclude(std::shared_ptr<Sending> sending);
  connector::Changes to_store(const Sending& sending) const;
  void failed(Sending& sending, const Verdict& verdict, Status status);
  bool is_tried_enough(const Sending& sending);
  base::Result<ShortMessage> build(const OutgoingText& text, const Split& split, const Record& record,
                                   std::size_t index) const;
  Record begin(const OutgoingText& text, std::size_t segments);

  const Setting& setting_;
  connector::Services services_;
  Ledger& ledger_;
  Reports& reports_;
  Gate& gate_;
  Link* link_ = nullptr;
  base::TaskGroup tasks_;
  std::map<std::string, unsigned> references_;  // by sender and receiver
  std::map<std::string, int> tries_;            // by key, of messages the SMS centre put off
};

}  // namespace wherry::sms::smpp
