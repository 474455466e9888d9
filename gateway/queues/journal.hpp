// Collects what one turn of the loop wants written, and writes it in one transaction: the queues' one way to the store.
// Many turns share a commit (db::Database).
//
//   what stands or falls together   everything between two calls of close_step()
//   what a commit is made for       rows that come or change
//   what rides on a later one       a step in which rows only go: several of them share one commit, 20 ms later at most
//   what the store refuses          keeps no other step of its turn from being written
// Not promised: that a row which has gone is gone from the disk. After a kill it may be there again.
#pragma once

#include "gateway/base/suspend.hpp"
#include "gateway/connector/entry.hpp"
#include "gateway/db/database.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/messages.hpp"
#include "gateway/store/outbox.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
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

  void insert(store::OutboxRow row) { soon().new_outbox.push_back(std::move(row)); }
  void update(store::OutboxRow row) { soon().changed_outbox.push_back(std::move(row)); }
  void remove_outbox(std::int64_t id) { step_.gone_outbox.push_back(id); }
  void insert(store::InboxRow row) { soon().new_inbox.push_back(std::move(row)); }
  void remove_inbox(std::int64_t id) { step_.gone_inbox.push_back(id); }
  void insert(store::MessageRow message) { soon().messages.push_back(std::move(message)); }
  void remove_message(std::int64_t id) { step_.gone_messages.push_back(id); }
  void set_stage(std::int64_t id, std::int64_t part, connector::Stage stage) {
    soon().stages.push_back({id, part, stage});
  }
  // To the storage of the transport's connector.
  void write(connector::Changes changes);
  // Of an event whose inbox row is inserted in this step.
  void remember_event(std::uint64_t hash) { soon().events.push_back(hash); }
  // Of a stanza whose outbox row goes in this step (Repeats).
  void remember_stanza(std::uint64_t stanza, std::uint64_t content) {
    step_.stanzas.push_back({next_outbox_id(), run_time(), stanza, content});
  }
  // It may come again.
  void forget_stanza(std::uint64_t stanza) {
    soon().stanzas.push_back({next_outbox_id(), run_time(), stanza, 0});
    ride_is_over_ = true;  // what was remembered of it comes first
  }

  // What was given since the last call is one step: written whole or not at all, whatever becomes of its neighbours.
  // One in which rows only go is written once it is closed.
  void close_step();

  // `done` is called on the loop once the present step is durable, or with what went wrong: then nothing of it is.
  void after_commit(Done done) { soon().done.push_back(std::move(done)); }
  // Closes the present step, and waits until it and everything before it is durable, but for what only rides; throws
  // what went wrong with it.
  boost::asio::awaitable<void> commit();
  // The same, and what rides is durable, too.
  boost::asio::awaitable<void> commit_all();

  // The next row id of each queue: rising, never used twice. Two sequences, so that rows which leave together have
  // neighbouring ids and one range removes them.
  std::int64_t next_outbox_id() { return next(outbox_ids_); }
  std::int64_t next_inbox_id() { return next(inbox_ids_); }

  // When a row is made by which its age is counted (store/retention.hpp): the time of day, or the store's own time,
  // whichever is later. So what comes under a clock that is behind is not old once the clock is right.
  std::int64_t stamp(std::int64_t time_of_day);

  // Whether the time of day was behind the store's own at the start.
  bool began_behind() const { return began_behind_; }

  // Reserves the first ids; before anything else. More are reserved in time, in the background.
  boost::asio::awaitable<void> start();

 private:
  struct Ids {
    std::vector<store::IdRange> ranges;
    bool reserving = false;
  };
  std::int64_t next(Ids& ids);
  void reserve(Ids& ids);

  struct Stanza {
    std::int64_t row = 0, time = 0;
    std::uint64_t hash = 0, content = 0;
  };
  struct StageOf {
    std::int64_t id = 0, part = 0;
    connector::Stage stage = connector::Stage::accepted;
  };
  struct Batch {
    std::vector<store::OutboxRow> new_outbox, changed_outbox;
    std::vector<std::int64_t> gone_outbox, gone_inbox, gone_messages;
    std::vector<store::InboxRow> new_inbox;
    std::vector<store::MessageRow> messages;
    std::vector<StageOf> stages;
    std::vector<std::uint64_t> events;
    std::vector<Stanza> stanzas;
    connector::Changes changes;
    std::vector<Done> done;
    std::vector<base::Resume> waiting;  // in commit()
  };
  // How much of each vector of a batch stands before some point.
  struct Mark {
    std::size_t new_outbox = 0, changed_outbox = 0, gone_outbox = 0, gone_inbox = 0, gone_messages = 0, new_inbox = 0,
                messages = 0, stages = 0, events = 0, stanzas = 0, changes = 0, done = 0, waiting = 0;
    Mark operator+(const Mark& o) const;
  };
  struct Turn {
    Batch batch;
    std::vector<Mark> steps;  // where each ends
  };
  static Mark end_of(const Batch& batch);
  static void append(Turn& to, Batch& step);
  static void append(Turn& to, Turn& other);
  Batch& soon();
  void flush();
  void submit(const std::shared_ptr<Turn>& turn);
  void tell(Turn& turn, Mark from, Mark to, const std::exception_ptr& error);
  static void write(db::Transaction& transaction, const Batch& batch, Mark from, Mark to, const std::string& transport,
                    std::int64_t now);

  std::int64_t run_time() const;

  boost::asio::any_io_executor executor_;
  db::Database& database_;
  std::string transport_;
  std::int64_t began_ = 0;  // by the time of day, or the store's own, whichever was later
  bool began_behind_ = false;
  std::chrono::steady_clock::time_point began_forward_ = std::chrono::steady_clock::now();
  std::int64_t age_time_ = 0;                                    // the store's, as far as this run knows it
  std::chrono::steady_clock::time_point aged_ = began_forward_;  // until when
  // Shared with the closure that writes them, which may run twice.
  std::shared_ptr<Turn> open_, riding_;
  Batch step_;            // what goes in the present step, which may yet ride; the rest of it is at the end of open_
  bool is_soon_ = false;  // it asks for a commit
  bool flush_is_posted_ = false, ride_is_over_ = false;
  boost::asio::steady_timer ride_;  // when what rides is written at the latest
  Ids outbox_ids_, inbox_ids_;
};

}  // namespace wherry::queues
