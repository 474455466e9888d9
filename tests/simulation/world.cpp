#include "tests/simulation/world.hpp"

#include "gateway/db/migrate.hpp"
#include "tests/simulation/oscar_network.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/sms_network.hpp"

#include <stdexcept>
#if defined(__SANITIZE_ADDRESS__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // not every package of g++ has its header
#endif

namespace wherry::simulation {

namespace {

constexpr std::int64_t most_turns_at_once = 300'000;  // while no time passes
constexpr Microseconds stop_limit = 120'000'000;
// whether the queues are empty: from ends_at on
constexpr Microseconds look_every = 900'000'000, look_until = 10'000'000'000;

std::size_t heap_bytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return 0;
#endif
}

class World {
 public:
  World(const Plan& plan, const std::string& file, std::function<void(const Record&)> seen)
      : plan_(plan),
        recorder_{plan, std::move(seen)},
        store_(file, recorder_),
        sealer_(*base::Sealer::from_key_text(std::string(64, 'a'))),
        guard_(loop_.get_executor()) {
    for (int i = 0; i < static_cast<int>(plan.networks.size()); ++i) {
      if (plan.oscar) networks_.push_back(std::make_unique<OscarNetwork>(loop_, recorder_));
      else if (plan.is_over_sms()) networks_.push_back(std::make_unique<SmsNetwork>(loop_, recorder_));
      else networks_.push_back(std::make_unique<Network>(i, recorder_));
      servers_.push_back(std::make_unique<Server>(loop_, i, recorder_));
    }
  }

  History run() {
    first_heap_ = heap_bytes();
    start_process();
    run_until(plan_.healed_at);
    turns_to_heal_ = turns_;
    operations_to_heal_ = store_.operations();
    heal();
    run_until(plan_.ends_at);
    if (plan_.ages) age();
    for (Microseconds at = now(); !recorder_.history.spins && now() < look_until && !store_.rows_left().empty();)
      run_until(at += look_every);
    finish();
    return std::move(recorder_.history);
  }
  Counts counts() const { return {turns_, store_.operations(), turns_to_heal_, operations_to_heal_}; }

 private:
  void start_process() {
    process_ = new Process({recorder_, store_, networks_, servers_, sealer_, clock_, loop_});
    starts_at_ = -1;
  }

  void kill(bool is_fault = true) {
    if (!process_) return;
    if (is_fault) recorder_.add(What::killed);
    process_->abandon();  // and leaked: a dead process runs no destructors
    process_ = nullptr;
    end_of_process();
  }

  void end_of_process() {
    store_.close();
    for (auto& network : networks_) network->process_died();
    for (auto& server : servers_) server->process_died();
    starts_at_ = now() + recorder_.draw.between(1'000, 2'000'000, "restarts", static_cast<std::uint64_t>(++lives_));
    if (is_over_) starts_at_ = -1;
  }

  // Its work is done: what stays behind would stay for ever.
  void bury() {
    const bool work_left = process_->has_work_left();
    recorder_.history.work_left |= work_left;
    if (work_left) process_->abandon();
    else delete process_;
    process_ = nullptr;
    if (is_over_) recorder_.history.rows_left = store_.rows_left();
    end_of_process();
  }

  bool give_turns() {
    bool ran = loop_.poll_one() > 0;
    // Sometimes many turns of the one between two of the other.
    const auto most = recorder_.draw.between(1, 8, "turns", static_cast<std::uint64_t>(turns_));
    for (std::int64_t i = 0; process_ && i < most; ++i) {
      if (turns_ + 1 == plan_.dies_at_turn) {
        ++turns_;
        kill();
        return true;
      }
      if (turns_ + 1 == plan_.session_ends_at_turn) {
        for (auto& network : networks_) network->break_all();
      }
      if (!process_->turn()) break;
      ++turns_;
      ran = true;
      if (store_.take_death()) kill();
      else if (process_->state() == Process::State::failed) kill(false);
      else if (process_->state() == Process::State::stopped) bury();
    }
    return ran;
  }

  void run_until(Microseconds end) {
    for (std::int64_t at_once = 0; now() < end;) {
      if (++at_once > most_turns_at_once) {
        recorder_.history.spins = true;
        return;
      }
      if (give_turns()) continue;
      if (next_step_ < plan_.steps.size() && plan_.steps[next_step_].at <= now()) {
        act(plan_.steps[next_step_++]);
        continue;
      }
      if (!process_ && starts_at_ >= 0 && starts_at_ <= now()) {
        start_process();
        continue;
      }
      if (process_) recorder_.history.most_unsent = std::max(recorder_.history.most_unsent, process_->unsent_bytes());
      recorder_.history.most_bytes =
          std::max(recorder_.history.most_bytes, heap_bytes() - std::min(heap_bytes(), first_heap_));
      auto next = virtual_time::Nanoseconds(std::chrono::microseconds(end));
      if (const auto expiry = virtual_time::next_expiry()) next = std::min(next, *expiry);
      if (next_step_ < plan_.steps.size())
        next = std::min(next, virtual_time::Nanoseconds(std::chrono::microseconds(plan_.steps[next_step_].at)));
      if (!process_ && starts_at_ >= 0)
        next = std::min(next, virtual_time::Nanoseconds(std::chrono::microseconds(starts_at_)));
      virtual_time::advance_to(next);
      at_once = 0;
    }
  }

  void act(const Step& step) {
    Network& network = *networks_[static_cast<std::size_t>(step.network)];
    Server& server = *servers_[static_cast<std::size_t>(step.network)];
    const Microseconds until = now() + step.number * 1000;
    switch (step.act) {
      case Act::receive: return network.write(step);
      case Act::contact_edits:
      case Act::contact_retracts:
      case Act::contact_reacts: return network.refer(step);
      case Act::report_nonsense: return network.report_nonsense(step);
      case Act::contact_presence: return network.change_presence(step);
      case Act::contact_asks: return network.ask(step);
      case Act::list_contacts: return network.list(step);
      case Act::end_session: return network.break_session(account_name(step));
      case Act::need_login: return network.want_login(account_name(step));
      case Act::network_away: return network.go_away(until);
      case Act::restart:
        if (process_) process_->ask_to_stop();
        return;
      case Act::kill: return kill();
      case Act::cut_link: return server.cut();
      case Act::stall_server: return server.stall(until);
      case Act::refuse_link: return server.refuse(until);
      case Act::slow_store:
      case Act::lose_store:
      case Act::fail_statement:
      case Act::die_before_commit:
      case Act::die_after_commit: return store_.begin_fault(step.act, step.number);
      case Act::jump_clock: clock_.off += std::chrono::seconds(step.number); return;
      default: return server.act(step);
    }
  }

  // Nothing fails any more; everybody comes.
  void heal() {
    for (int network = 0; network < static_cast<int>(networks_.size()); ++network) {
      for (int user = 0; user < plan_.users; ++user) {
        const Act act = never_comes(plan_, network_name(network), user_name(user)) ? Act::go_offline : Act::come_online;
        servers_[static_cast<std::size_t>(network)]->act({now(), act, network, user, 0, 0});
      }
    }
  }

  // Ages are counted at most 24 times as fast as the gateway runs (DECISIONS.md 36): so a month needs some 30 hours.
  void age() {
    clock_.off += std::chrono::hours(32 * 24);
    run_until(now() + 34 * 3'600'000'000);
  }

  void finish() {
    is_over_ = true;
    for (const auto& network : networks_) network->note_mail_left(recorder_.history.mail_left);
    if (process_ && process_->state() == Process::State::serving) {
      process_->ask_to_stop();
      const auto lives = lives_;
      const Microseconds limit = now() + stop_limit;
      while (now() < limit && lives_ == lives && !recorder_.history.spins) run_until(std::min(limit, now() + 100'000));
      recorder_.history.never_stopped = lives_ == lives;
    }
    if (process_) recorder_.history.rows_left = store_.rows_left();
  }

  const Plan& plan_;
  Recorder recorder_;
  Store store_;
  base::Sealer sealer_;
  JumpingClock clock_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::vector<std::unique_ptr<Network>> networks_;
  std::vector<std::unique_ptr<Server>> servers_;
  Process* process_ = nullptr;
  bool is_over_ = false;
  Microseconds starts_at_ = -1;
  std::size_t next_step_ = 0, first_heap_ = 0;
  std::int64_t turns_ = 0, lives_ = 0, turns_to_heal_ = 0, operations_to_heal_ = 0;
};

}  // namespace

History run(const Plan& plan, const std::string& file, Counts* counts, std::function<void(const Record&)> seen) {
  virtual_time::begin(std::chrono::hours(1), std::chrono::seconds(1'795'000'000));
  seed_randomness(plan.seed);
  auto* world = new World(plan, file, std::move(seen));  // what dead processes hold points into it
  History history = world->run();
  if (counts) *counts = world->counts();
  return history;
}

void make_store(const std::string& file, const std::string& migrations) {
  auto driver = db::open_driver("sqlite:" + file);
  if (!driver) throw std::runtime_error(driver.error().text);
  if (const auto migrated = db::migrate(**driver, migrations); !migrated)
    throw std::runtime_error(migrated.error().text);
}

}  // namespace wherry::simulation
