// Collects what one turn of the loop wants written, and writes it in one transaction: the outbox's and the inbox's one
// way to the store. Many turns share a commit (db::Database).
#pragma once

#include "gateway/db/database.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "gateway/store/outbox.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace wherry::queues {

class Journal {
 public:
  using Done = std::function<void(std::exception_ptr)>;

  // `transport`: whose rows they are. `database` outlives the journal and what it wrote.
  Journal(boost::asio::any_io_executor executor, db::Database& database, std::string transport);

  void insert(store::OutboxRow row) { batch().new_outbox.push_back(std::move(row)); }
  void update(store::OutboxRow row) { batch().changed_outbox.push_back(std::move(row)); }
  void remove_outbox(std::int64_t id) { add(batch().gone_outbox, id); }
  void insert(store::InboxRow row) { batch().new_inbox.push_back(std::move(row)); }
  void remove_inbox(std::int64_t id) { add(batch().gone_inbox, id); }
  void insert(store::SentMessage message) { batch().sent.push_back(std::move(message)); }
  void set_stage(std::int64_t id, connector::Stage stage) { batch().stages.emplace_back(id, stage); }
  // Of an event whose inbox row is inserted in this turn.
  void remember(std::uint64_t hash) { batch().seen.push_back(hash); }

  // `done` is called on the loop once everything of this turn is durable, or with what went wrong: then nothing of it is.
  void after_commit(Done done) { batch().done.push_back(std::move(done)); }

  // The next row id of each queue: rising, never used twice. Two sequences, so that rows which leave together have
  // neighbouring ids and one range removes them.
  std::int64_t next_outbox_id() { return next(outbox_ids_); }
  std::int64_t next_inbox_id() { return next(inbox_ids_); }

  // Reserves the first ids; before anything else. More are reserved in time, in the background.
  boost::asio::awaitable<void> start();

 private:
  struct Ids {
    std::vector<store::IdRange> ranges;
    bool reserving = false;
  };
  std::int64_t next(Ids& ids);
  void reserve(Ids& ids);

  struct Batch {
    std::vector<store::OutboxRow> new_outbox, changed_outbox;
    std::vector<store::IdRange> gone_outbox, gone_inbox;
    std::vector<store::InboxRow> new_inbox;
    std::vector<store::SentMessage> sent;
    std::vector<std::pair<std::int64_t, connector::Stage>> stages;
    std::vector<std::uint64_t> seen;
    std::vector<Done> done;
  };
  Batch& batch();
  void flush();
  static void add(std::vector<store::IdRange>& ranges, std::int64_t id);
  static void write(db::Transaction& transaction, const Batch& batch, const std::string& transport, std::int64_t now);

  boost::asio::any_io_executor executor_;
  db::Database& database_;
  std::string transport_;
  std::shared_ptr<Batch> open_;  // of this turn; shared with the closure that writes it, which may run twice
  Ids outbox_ids_, inbox_ids_;
};

}  // namespace wherry::queues
