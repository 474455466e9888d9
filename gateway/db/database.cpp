// Group commit: the loop collects closures while one group is at the database thread, and sends them as the next.
//
// The two halves share nothing but the messages between them, so there is nothing to lock: `Impl` lives on the loop,
// the runner (a `Worker`) on the database thread, and a Group belongs to the one that holds it.
#include "gateway/db/database.hpp"

#include "gateway/db/commit_pace.hpp"
#include "gateway/db/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>

namespace wherry::db {

namespace {

// Who waited for a commit goes on in the next turn of the loop, and what they write comes in the turn behind that. So
// one commit has all of it, where two that took turns would each have half.
constexpr int turns_of_what_follows = 2;

bool is_loss(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const DatabaseLost&) {
    return true;
  } catch (...) {
    return false;
  }
}

// Whether something was lost.
bool tell(Group& group) {
  bool lost = false;
  for (GroupItem& item : group) {
    if (!item.parts.empty()) {
      lost |= tell(item.parts);
      continue;
    }
    lost |= is_loss(item.error);
    item.done(std::move(item.error));
  }
  return lost;
}

}  // namespace

struct Database::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor executor, std::unique_ptr<GroupRunner> r, DatabasePolicy p)
      : loop(std::move(executor)),
        policy(p),
        pace(p.commit_distance, p.commit_burst),
        pause(loop),
        overdue(loop),
        runner(std::move(r)) {}

  void submit(GroupItem item);
  void send_next();
  bool pause_for_more();
  void finished(Group group);
  void send_after(int turns);
  void watch();

  asio::any_io_executor loop;
  DatabasePolicy policy;
  std::deque<GroupItem> waiting;
  std::function<void()> given_up;
  // Held while a group is on its way, so that the loop does not end before its answer comes.
  std::optional<asio::executor_work_guard<asio::any_io_executor>> in_flight;
  std::optional<std::chrono::milliseconds> patience;  // with one group, once there is hurry
  CommitPace pace;
  asio::steady_timer pause;  // until the next group goes
  asio::steady_timer overdue;
  std::unique_ptr<GroupRunner> runner;
};

void Database::Impl::submit(GroupItem item) {
  waiting.push_back(std::move(item));
  if (in_flight) return;
  in_flight.emplace(loop);
  send_after(1);  // whatever else is ready on the loop may have something to write too, and shares the commit
}

void Database::Impl::send_next() {
  if (waiting.empty()) {
    overdue.cancel();
    in_flight.reset();
    return;
  }
  if (pause_for_more()) return;
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(waiting.size(), std::max<std::size_t>(policy.most_in_one_commit, 1)));
  Group group(std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.begin() + count));
  waiting.erase(waiting.begin(), waiting.begin() + count);
  watch();
  runner->run(std::move(group), [weak = weak_from_this(), executor = loop](Group done) {
    asio::post(executor, [weak, done = std::move(done)]() mutable {
      if (const auto self = weak.lock()) self->finished(std::move(done));
    });
  });
}

// Whether the group waits a moment, as much as there may be already.
bool Database::Impl::pause_for_more() {
  if (patience || waiting.size() >= policy.most_in_one_commit) return false;
  const auto wait = pace.begin(std::chrono::steady_clock::now());
  if (wait == CommitPace::Duration::zero()) return false;
  pause.expires_after(wait);
  pause.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (self && !error) self->send_next();
  });
  return true;
}

void Database::Impl::finished(Group group) {
  const bool lost = tell(group);
  if (lost && given_up) given_up();
  send_after(turns_of_what_follows);
}

void Database::Impl::send_after(int turns) {
  asio::post(loop, [weak = weak_from_this(), turns] {
    const auto self = weak.lock();
    if (!self) return;
    if (turns > 1) self->send_after(turns - 1);
    else self->send_next();
  });
}

// The group that is on its way, or about to be, must come back in time.
void Database::Impl::watch() {
  if (!patience) return;
  overdue.expires_after(*patience);
  overdue.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    // A wait that ended in the moment in which it was renewed is not the renewed one.
    if (!self || error || self->overdue.expiry() > std::chrono::steady_clock::now()) return;
    self->runner->abandon();
  });
}

void Database::hurry(std::chrono::milliseconds patience) {
  impl_->patience = patience;
  if (impl_->in_flight) impl_->watch();
}

void Database::close() {
  impl_->overdue.cancel();
  impl_->pause.cancel();
  impl_->runner->stop();
}

bool Database::is_idle() const { return !impl_->in_flight; }

void Database::on_given_up(std::function<void()> told) { impl_->given_up = std::move(told); }

Database::Database(asio::any_io_executor loop, std::unique_ptr<Driver> driver, DatabasePolicy policy)
    : Database(std::move(loop), std::make_unique<Worker>(std::move(driver), policy), policy) {}

Database::Database(asio::any_io_executor loop, std::unique_ptr<GroupRunner> runner, DatabasePolicy policy)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(runner), policy)) {}

Database::~Database() { impl_->runner->stop(); }

void Database::submit(Closure closure, Done done) {
  impl_->submit(GroupItem{std::move(closure), std::move(done), nullptr, nullptr, {}});
}

void Database::submit(Closure whole, std::function<std::vector<Part>()> parts, Done done) {
  impl_->submit(GroupItem{std::move(whole), std::move(done), nullptr, std::move(parts), {}});
}

asio::awaitable<void> Database::transact(Closure closure) {
  auto start = [this, closure = std::move(closure)](base::Resume resume) mutable {
    // std::function wants to be copyable, which a Resume is not.
    auto waiter = std::make_shared<base::Resume>(std::move(resume));
    submit(std::move(closure), [waiter](std::exception_ptr error) { (*waiter)(std::move(error)); });
  };
  co_await base::suspend(std::move(start));
}

}  // namespace wherry::db
