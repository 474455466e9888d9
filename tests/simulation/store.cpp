#include "tests/simulation/store.hpp"

#include <boost/asio/steady_timer.hpp>

#include <stdexcept>

namespace wherry::simulation {

namespace {

// A member of a JSON object that is a plain string.
std::string_view member(std::string_view json, std::string_view name) {
  const std::string begin = "\"" + std::string(name) + "\":\"";
  const auto found = json.find(begin);
  if (found == std::string_view::npos) return {};
  const auto first = found + begin.size();
  return json.substr(first, json.find('"', first) - first);
}

}  // namespace

// The one that the killed process had; the driver may be asked again by what that process left behind.
struct Store::Connection {
  std::unique_ptr<db::Driver> driver;
};

class Store::NotingTransaction final : public db::Transaction {
 public:
  NotingTransaction(Store& store, db::Transaction& inner) : store_(store), inner_(inner) {}
  db::Rows query(std::string_view sql, std::span<const db::Value> parameters) override {
    store_.operate(false);
    return inner_.query(sql, parameters);
  }
  void execute(std::string_view sql, std::span<const db::Value> parameters) override {
    store_.operate(false);
    inner_.execute(sql, parameters);
    if (sql.starts_with("INSERT INTO outbox")) store_.note_stored(parameters);
    if (sql.starts_with("INSERT INTO inbox")) store_.note_retractions(parameters);
    if (sql.starts_with("UPDATE outbox SET state")) store_.note_marked(parameters);
  }

 private:
  Store& store_;
  db::Transaction& inner_;
};

class Store::FaultyDriver final : public db::Driver {
 public:
  FaultyDriver(Store& store, std::shared_ptr<Connection> connection)
      : store_(store), connection_(std::move(connection)) {}
  void begin() override {
    store_.operate(false);
    store_.writing_.clear();
    connection_->driver->begin();
    transaction_ = std::make_unique<NotingTransaction>(store_, connection_->driver->transaction());
  }
  db::Transaction& transaction() override { return *transaction_; }
  void commit() override {
    store_.operate(true);
    const bool is_last = store_.commits_to_death_ > 0 && --store_.commits_to_death_ == 0;
    if (is_last && !store_.dies_after_commit_) store_.die("wherry dies just before a commit");
    connection_->driver->commit();
    for (const auto& written : store_.writing_)
      store_.recorder_.add(written.what, "", "", "", "", written.text, written.state);
    store_.writing_.clear();
    if (is_last) store_.die("wherry dies just after a commit");
  }
  void rollback() noexcept override {
    store_.writing_.clear();
    if (connection_->driver) connection_->driver->rollback();
  }
  void run_script(const std::string& sql) override { connection_->driver->run_script(sql); }
  std::string_view dialect() const override { return "sqlite"; }

 private:
  Store& store_;
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<NotingTransaction> transaction_;
};

// Delays around the worker that the gateway has, too.
class Store::Runner final : public db::GroupRunner {
 public:
  Runner(Store& store, std::unique_ptr<db::Driver> driver, asio::any_io_executor executor)
      : store_(store),
        worker_(std::move(driver), db::DatabasePolicy{}, executor),
        before_(executor),
        after_(executor) {}

  void run(db::Group group, std::function<void(db::Group)> finished) override {
    ++store_.groups_;
    auto held = std::make_shared<db::Group>(std::move(group));
    before_.expires_after(std::chrono::microseconds(store_.delay("before")));
    before_.async_wait([this, alive = std::weak_ptr<const bool>(alive_), held,
                        finished = std::move(finished)](boost::system::error_code) {
      if (alive.expired()) return;
      worker_.run(std::move(*held),
                  [this, finished](db::Group done) { answer(std::make_shared<db::Group>(std::move(done)), finished); });
    });
  }
  void stop() override {
    alive_.reset();
    before_.cancel();
    after_.cancel();
    worker_.stop();
  }
  void abandon() override { worker_.abandon(); }

 private:
  void answer(std::shared_ptr<db::Group> done, std::function<void(db::Group)> finished) {
    after_.expires_after(std::chrono::microseconds(store_.delay("after")));
    after_.async_wait([alive = std::weak_ptr<const bool>(alive_), done = std::move(done),
                       finished = std::move(finished)](boost::system::error_code) {
      if (!alive.expired()) finished(std::move(*done));
    });
  }

  Store& store_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // until stop()
  db::Worker worker_;
  asio::steady_timer before_, after_;
};

std::unique_ptr<db::GroupRunner> Store::open(asio::any_io_executor executor) {
  auto driver = db::open_driver("sqlite:" + file_);
  if (!driver) throw std::runtime_error(driver.error().text);
  connection_ = std::make_shared<Connection>(Connection{std::move(*driver)});
  statements_to_refusal_ = commits_to_death_ = 0;
  return std::make_unique<Runner>(*this, std::make_unique<FaultyDriver>(*this, connection_), std::move(executor));
}

void Store::close() {
  if (!connection_) return;
  if (connection_->driver) connection_->driver->rollback();
  connection_->driver = nullptr;
  connection_ = nullptr;
  writing_.clear();
}

void Store::begin_fault(Act act, std::int64_t number) {
  const Microseconds until = now() + number * 1000;
  switch (act) {
    case Act::slow_store: slow_until_ = until; break;
    case Act::lose_store: lost_until_ = until; break;
    case Act::fail_statement: statements_to_refusal_ = number; break;
    case Act::die_before_commit:
    case Act::die_after_commit:
      commits_to_death_ = number;
      dies_after_commit_ = act == Act::die_after_commit;
      break;
    default: throw std::logic_error("no fault of the store");
  }
}

// Each begin, statement and commit comes by here first.
void Store::operate(bool is_commit) {
  ++operations_;
  if (operations_ == recorder_.plan.store_fault_at) {
    const Act fault = recorder_.plan.store_fault;
    recorder_.add(What::store_fault, "", "", "", "",
                  "operation " + std::to_string(operations_) + " is the planned one");
    if (fault == Act::die_before_commit || (fault == Act::die_after_commit && !is_commit))
      die("wherry dies at a statement");
    if (fault == Act::lose_store) lost_until_ = now() + 2'000'000;
    if (fault == Act::fail_statement) throw db::StatementFailed("the plan refuses it");
    if (fault == Act::die_after_commit) commits_to_death_ = 1, dies_after_commit_ = true;
  }
  if (now() < lost_until_ && !recorder_.is_healed()) {
    recorder_.add(What::store_fault, "", "", "", "", "it is lost");
    throw db::DatabaseLost("the plan has taken it away");
  }
  if (recorder_.is_healed()) statements_to_refusal_ = commits_to_death_ = 0;
  if (is_commit || statements_to_refusal_ == 0 || --statements_to_refusal_ > 0) return;
  recorder_.add(What::store_fault, "", "", "", "", "it refuses a statement");
  throw db::StatementFailed("the plan refuses it");
}

// What the plan's users ask among new rows of the outbox, in the order of store::insert_outbox: the id of the stanza is
// in the origin.
void Store::note_stored(std::span<const db::Value> parameters) {
  constexpr std::size_t columns = 9, origin = 3, state = 5;
  for (; parameters.size() >= columns; parameters = parameters.subspan(columns)) {
    std::string text = text_of_stanza(member(std::get<std::string>(parameters[origin]), "id"));
    if (text.empty()) continue;
    std::string& known = recorder_.asked[std::get<std::int64_t>(parameters[0])];
    known = std::move(text);
    writing_.push_back({What::stored, known, std::get<std::int64_t>(parameters[state])});
  }
}

// In the order of store::insert_inbox.
void Store::note_retractions(std::span<const db::Value> parameters) {
  constexpr std::size_t columns = 4, payload = 2;
  for (; parameters.size() >= columns; parameters = parameters.subspan(columns)) {
    const std::string_view id = member(std::get<std::string>(parameters[payload]), "id");
    if (id.starts_with('h')) recorder_.events[std::get<std::int64_t>(parameters[0])] = id;
  }
}

// As store::update_outbox has it.
void Store::note_marked(std::span<const db::Value> parameters) {
  const auto last = recorder_.asked.upper_bound(std::get<std::int64_t>(parameters[4]));
  for (auto row = recorder_.asked.lower_bound(std::get<std::int64_t>(parameters[3])); row != last; ++row) {
    writing_.push_back({What::marked, row->second, std::get<std::int64_t>(parameters[0])});
  }
}

void Store::die(const char* how) {
  died_ = true;
  recorder_.add(What::store_fault, "", "", "", "", how);
  throw db::DatabaseLost("the process is dead");
}

Microseconds Store::delay(const char* purpose) {
  const auto group = static_cast<std::uint64_t>(groups_);
  if (now() < slow_until_ && !recorder_.is_healed()) return recorder_.draw.between(0, 1'000'000, purpose, group);
  return recorder_.draw.wait(recorder_.is_healed() ? 1000 : recorder_.plan.most_store_delay, purpose, group);
}

std::vector<std::string> Store::rows_left() const {
  std::unique_ptr<db::Driver> opened;
  db::Driver* driver = connection_ ? connection_->driver.get() : nullptr;
  if (!driver) {
    auto another = db::open_driver("sqlite:" + file_);
    if (!another) throw std::runtime_error(another.error().text);
    opened = std::move(*another);
    driver = opened.get();
  }
  std::vector<std::string> rows;
  driver->begin();
  for (const auto& row : driver->transaction().query("SELECT id, state, payload FROM outbox ORDER BY id")) {
    rows.push_back("outbox " + std::to_string(row.integer(0)) + " state " + std::to_string(row.integer(1)) + ": " +
                   row.text(2));
  }
  for (const auto& row : driver->transaction().query("SELECT id, payload FROM inbox ORDER BY id")) {
    rows.push_back("inbox " + std::to_string(row.integer(0)) + ": " + row.text(1));
  }
  if (recorder_.plan.ages) {
    for (const char* table : {"messages", "seen"}) {
      const auto count = driver->transaction().query(std::string("SELECT COUNT(*) FROM ") + table).at(0).integer(0);
      if (count > 0) rows.push_back(std::string(table) + ": " + std::to_string(count) + " rows after a month");
    }
  }
  driver->commit();
  return rows;
}

}  // namespace wherry::simulation
