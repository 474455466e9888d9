// The simulation: many plans, two at a time. tests/simulation/README.md says how to read what it prints.
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/log.hpp"
#include "tests/simulation/exhaustive.hpp"
#include "tests/simulation/sms_text.hpp"
#include "tests/simulation/trial.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <unistd.h>

namespace {

using namespace wherry::simulation;

struct Folder {
  Folder() {
    std::string form =
        std::filesystem::exists("/dev/shm") ? "/dev/shm/wherry-simulation-XXXXXX" : "/tmp/wherry-simulation-XXXXXX";
    if (!::mkdtemp(form.data())) throw std::runtime_error("no temporary folder can be made");
    path = form;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

struct Options {
  std::uint64_t seeds = 100, first = 1;
  int jobs = 2, most_reports = 3;
  bool exhaustive = false, twice = false, history = false, log = false;
  std::string over = "contract";
  Plan draw(std::uint64_t seed) const {
    if (over == "oscar") return draw_oscar_plan(seed);
    return over == "sms" ? draw_sms_plan(seed) : draw_plan(seed);
  }
};

// Beginning and end of a long one.
std::string shortened(const std::string& history) {
  constexpr std::size_t first = 4000, last = 12000;
  if (history.size() < first + last) return history;
  const auto begin = history.rfind('\n', first) + 1, end = history.find('\n', history.size() - last) + 1;
  return history.substr(0, begin) + "…\n" + history.substr(end);
}

void report(const Ground& ground, const Plan& plan, const Outcome& outcome, bool with_history) {
  const std::string& rule = outcome.rules.front();
  const char* commit = std::getenv("WHERRY_COMMIT");  // tests/simulation/run asks git
  fmt::print("\n== seed {} breaks: {} (commit {})\n{}\n", plan.seed, fmt::join(outcome.rules, ", "),
             commit ? commit : "unknown", outcome.words.substr(0, 6000));
  std::fflush(stdout);
  const Plan small = shrink(ground, plan, rule);
  const Outcome again = Trial(ground, small).collect();
  fmt::print("-- the smallest plan that was found to break {}:\n{}-- how it goes:\n{}", rule, describe(small),
             with_history ? again.history : shortened(again.history));
  fmt::print("-- and breaks:\n{}\n", again.words.substr(0, 6000));
  std::fflush(stdout);
}

// Of the fault of an exhaustive run.
std::string place_of(const Plan& plan) {
  if (plan.dies_at_turn) return fmt::format(", killed at turn {},", plan.dies_at_turn);
  if (plan.session_ends_at_turn) return fmt::format(", sessions broken at turn {},", plan.session_ends_at_turn);
  if (plan.store_fault_at)
    return fmt::format(", fault {} at operation {} of the store,", static_cast<int>(plan.store_fault),
                       plan.store_fault_at);
  return "";
}

// Same seed, same history; else nothing that is found can be looked into.
int check_determinism(const Ground& ground, const Options& options) {
  int different = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    Trial one(ground, options.draw(seed)), other(ground, options.draw(seed));
    const Outcome first = one.collect(), second = other.collect();
    if (first.hash == second.hash && first.rules == second.rules) continue;
    fmt::print("seed {} went two ways\n", seed);
    ++different;
  }
  fmt::print("{} seeds twice, {} different\n", options.seeds, different);
  return different > 0;
}

int run_plans(const Ground& ground, const Options& options, const std::vector<Plan>& plans) {
  std::deque<Trial> running;
  std::map<std::string, int> broken;
  std::array<long long, kinds_of_records> happened{};
  int failed = 0, reported = 0;
  const auto finish_one = [&] {
    Trial trial = std::move(running.front());
    running.pop_front();
    const Outcome outcome = trial.collect();
    for (std::size_t i = 0; i < outcome.happened.size(); ++i) happened[i] += outcome.happened[i];
    if (!outcome.failed()) return;
    ++failed;
    for (const std::string& rule : outcome.rules) ++broken[rule];
    // One report a kind; the others are counted.
    if (broken[outcome.rules.front()] > 1 || reported >= options.most_reports) {
      return fmt::print("seed {}{} breaks: {}\n", trial.plan().seed, place_of(trial.plan()),
                        fmt::join(outcome.rules, ", "));
    }
    ++reported;
    report(ground, trial.plan(), outcome, options.history);
  };
  for (const Plan& plan : plans) {
    running.emplace_back(ground, plan);
    if (running.size() >= static_cast<std::size_t>(options.jobs)) finish_one();
  }
  while (!running.empty()) finish_one();
  fmt::print("seen:");
  for (std::size_t i = 0; i < happened.size(); ++i)
    fmt::print(" {} {}{}", happened[i], to_string(static_cast<What>(i)), i + 1 < happened.size() ? "," : "\n");
  fmt::print("{} runs, {} failed", plans.size(), failed);
  for (const auto& [rule, count] : broken) fmt::print("; {} {}", rule, count);
  fmt::print("\n");
  return failed > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> ignored;
  std::string one_history;
  CLI::App app("The gateway, simulated");
  app.add_option("--seeds", options.seeds, "so many plans");
  app.add_option("--seed", options.first, "the first one");
  app.add_option("--jobs", options.jobs, "at once")->check(CLI::PositiveNumber);
  app.add_option("--reports", options.most_reports, "so many failures are shrunk and shown");
  app.add_option("--ignore", ignored, "rules that are not asked")->delimiter(',');
  app.add_option("--over", options.over,
                 "a connector that keeps the contract to the letter, or the one for text messages, or for ICQ and AIM")
      ->check(CLI::IsMember({"contract", "sms", "oscar"}));
  app.add_flag("--exhaustive", options.exhaustive, "a short exchange, with a fault at every place");
  app.add_flag("--twice", options.twice, "each seed twice: the histories must be the same");
  app.add_flag("--log", options.log, "with --history: all that the gateway logs, too");
  app.add_flag("--history", options.history, "whole histories");
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) return 1;
  wherry::log::configure(options.log ? wherry::log::Level::debug : wherry::log::Level::error,
                         wherry::log::Format::text);
  const Folder folder;
  const Ground ground{folder.path, folder.path + "/empty.sqlite", {ignored.begin(), ignored.end()}};
  make_store(ground.empty_store, WHERRY_SOURCE_DIR "/schemas/migrations");
  if (options.over == "sms") wherry::sms::region_of({wherry::sms::Address::Type::international, user_number(0)});
  if (options.twice) return check_determinism(ground, options);
  if (options.exhaustive) return run_plans(ground, options, exhaustive_plans(ground));
  if (options.history && options.seeds == 1) {
    const Outcome outcome = Trial(ground, options.draw(options.first)).collect();
    fmt::print("{}{}{}hash {}, {} turns, {} operations\n", describe(options.draw(options.first)), outcome.history,
               outcome.words, outcome.hash, outcome.counts.turns, outcome.counts.store_operations);
    if (options.log) fmt::print("-- the log:\n{}", outcome.log);
    return outcome.failed();
  }
  std::vector<Plan> plans;
  for (std::uint64_t i = 0; i < options.seeds; ++i) plans.push_back(options.draw(options.first + i));
  return run_plans(ground, options, plans);
}
