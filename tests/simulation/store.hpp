// The store of a simulated run: the real SQLite driver on a file that outlives the process, between whose statements
// the plan's faults fall. Its groups run on the gateway's loop, and take their time before and after.
#pragma once

#include "gateway/db/worker.hpp"
#include "tests/simulation/recorder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::simulation {

class Store {
 public:
  // `file`: with the newest schema, empty.
  Store(std::string file, Recorder& recorder) : recorder_(recorder), file_(std::move(file)) {}

  // For a new process, which is on `executor`.
  std::unique_ptr<db::GroupRunner> open(asio::any_io_executor executor);
  // That process is dead: what it had not committed is gone.
  void close();

  // A fault of the plan.
  void begin_fault(Act act, std::int64_t number);
  // Whether a fault has ended the process; once.
  bool take_death() { return std::exchange(died_, false); }

  std::int64_t operations() const { return operations_; }
  // What the queues still hold.
  std::vector<std::string> rows_left() const;

 private:
  struct Connection;
  class FaultyDriver;
  class NotingTransaction;
  class Runner;
  void operate(bool is_commit);
  void note_stored(std::span<const db::Value> parameters);
  void note_retractions(std::span<const db::Value> parameters);
  void note_marked(std::span<const db::Value> parameters);
  [[noreturn]] void die(const char* how);
  Microseconds delay(const char* purpose);

  Recorder& recorder_;
  std::string file_;
  std::shared_ptr<Connection> connection_;
  std::int64_t operations_ = 0, groups_ = 0;
  std::int64_t statements_to_refusal_ = 0, commits_to_death_ = 0;  // 0: no such fault
  bool dies_after_commit_ = false, died_ = false;
  Microseconds lost_until_ = 0, slow_until_ = 0;
  struct Written {
    What what;
    std::string text;
    std::int64_t state;
  };
  std::vector<Written> writing_;  // in the open transaction
};

}  // namespace wherry::simulation
