#include "tests/simulation/trial.hpp"

#include "tests/simulation/checker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace wherry::simulation {

namespace {

constexpr rlim_t most_processor_seconds = 60;  // a run that waits polls, so a hang is nearly always busy
constexpr int most_seconds = 1800;             // of real time, for what blocks; a busy machine makes no run a hang

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto size = ::write(descriptor, text.data(), text.size());
    if (size <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string read_file(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::string how_often(const History& history) {
  std::array<int, kinds_of_records> counts{};
  for (const Record& record : history.records) ++counts.at(static_cast<std::size_t>(record.what));
  return fmt::format("{}", fmt::join(counts, "\x1f"));
}

// The rules, words and counts of a run, as collect() reads them: records divided by \x1e, fields by \x1f.
std::string to_text(const Plan& plan, const History& history, const Counts& counts,
                    const std::set<std::string>& ignored) {
  std::string rules, words;
  std::set<std::string> seen;
  for (const Breach& breach : check(plan, history)) {
    const std::string rule = to_string(breach.rule);
    if (ignored.contains(rule)) continue;
    if (seen.insert(rule).second) rules += rule + "\x1f";
    words += rule + ": " + breach.text + "\n";
  }
  return rules + "\x1e" + words + "\x1e" + fmt::format("{:016x}", hash_of(history)) + "\x1e" +
         std::to_string(counts.turns) + "\x1e" + std::to_string(counts.store_operations) + "\x1e" +
         std::to_string(counts.turns_to_heal) + "\x1e" + std::to_string(counts.operations_to_heal) + "\x1e" +
         how_often(history) + "\x1e";
}

// Of a sanitizer's report what names our sources.
std::string essence_of(const std::string& errors) {
  std::istringstream lines(errors);
  std::string essence;
  int frames = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_frame = line.find("    #") == 0;
    if (!is_frame) frames = 0;
    if (is_frame && (line.find("gateway/") == std::string::npos || ++frames > 6)) continue;
    if (line.empty() || line.find("SUMMARY") == 0) continue;
    if (line.find("Shadow bytes") != std::string::npos) break;
    essence += line.substr(0, 240) + "\n";
  }
  return essence;
}

// " at outbox.cpp:118": the first of our lines.
std::string place_in(const std::string& essence) {
  const auto gateway = essence.find("gateway/");
  if (gateway == std::string::npos) return "";
  const auto line = essence.substr(gateway, essence.find('\n', gateway) - gateway);
  const auto begin = line.find_last_of('/', line.find(".cpp")) + 1, colon = line.find(':', begin);
  return " at " + line.substr(begin, line.find_first_of(": ", colon + 1) - begin);
}

std::vector<std::string> split(const std::string& text, char divider) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, divider);) parts.push_back(part);
  return parts;
}

}  // namespace

Trial::Trial(const Ground& ground, Plan plan) : ground_(ground), plan_(std::move(plan)) {
  static std::uint64_t count = 0;
  store_ = ground.folder + "/" + std::to_string(++count) + ".sqlite";
  errors_ = store_ + ".errors";
  history_ = store_ + ".history";
  std::filesystem::copy_file(ground.empty_store, store_);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ == 0) {
    ::close(ends[0]);
    play(ends[1]);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

void Trial::play(int output) {
  const rlimit processor{most_processor_seconds, most_processor_seconds + 5};  // SIGXCPU, then SIGKILL
  ::setrlimit(RLIMIT_CPU, &processor);
  const int errors = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(errors, 2);
  Counts counts;
  const int lines = ::open(history_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const History history =
      run(plan_, store_, &counts, [lines](const Record& record) { write_all(lines, to_line(record) + "\n"); });
  write_all(output, to_text(plan_, history, counts, ground_.ignored));
  ::_exit(0);  // dead processes' objects are still about
}

Outcome Trial::collect() {
  std::string text;
  std::array<char, 65536> buffer{};
  bool hangs = false;
  for (;;) {
    pollfd ready{output_, POLLIN, 0};
    if (::poll(&ready, 1, most_seconds * 1000) == 0) {
      hangs = true;
      ::kill(process_, SIGKILL);
      break;
    }
    const auto size = ::read(output_, buffer.data(), buffer.size());
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(output_);
  int status = 0;
  ::waitpid(process_, &status, 0);
  hangs = hangs || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
  Outcome outcome;
  const auto parts = split(text, '\x1e');
  if (hangs || status != 0 || parts.size() < 8) {
    outcome.words = essence_of(read_file(errors_));
    outcome.rules = {hangs ? "hang" : "crash" + place_in(outcome.words)};
  } else {
    outcome.rules = split(parts[0], '\x1f');
    outcome.words = parts[1];
    outcome.hash = parts[2];
    outcome.counts = {std::stoll(parts[3]), std::stoll(parts[4]), std::stoll(parts[5]), std::stoll(parts[6])};
    for (const std::string& count : split(parts[7], '\x1f')) outcome.happened.push_back(std::stoll(count));
  }
  outcome.history = read_file(history_);
  outcome.log = read_file(errors_);
  std::error_code ignored;
  for (const char* end : {"", ".errors", ".history", "-wal", "-shm", "-journal"})
    std::filesystem::remove(store_ + end, ignored);
  return outcome;
}

namespace {

bool fails(const Ground& ground, const Plan& plan, const std::string& rule, int& left) {
  if (left <= 0) return false;
  --left;
  const Outcome outcome = Trial(ground, plan).collect();
  return std::find(outcome.rules.begin(), outcome.rules.end(), rule) != outcome.rules.end();
}

}  // namespace

Plan shrink(const Ground& ground, Plan plan, const std::string& rule, int most) {
  // Halves, quarters … single steps, from the end, since what comes last matters least.
  for (std::size_t size = std::max<std::size_t>(plan.steps.size() / 2, 1);; size /= 2) {
    for (std::size_t end = plan.steps.size(); end > 0 && most > 0;) {
      const std::size_t begin = end > size ? end - size : 0;
      Plan smaller = plan;
      smaller.steps.erase(smaller.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                          smaller.steps.begin() + static_cast<std::ptrdiff_t>(end));
      if (fails(ground, smaller, rule, most)) plan = std::move(smaller);
      end = begin;
    }
    if (size <= 1) break;
  }
  // A calmer world, where it fails there, too.
  const auto calm = [&](auto change) {
    Plan calmer = plan;
    change(calmer);
    if (fails(ground, calmer, rule, most)) plan = std::move(calmer);
  };
  calm([](Plan& p) { p.bad_luck = 0; });
  calm([](Plan& p) { p.server_keeps_messages = true; });
  calm([](Plan& p) { p.most_link_delay = p.most_store_delay = 0; });
  calm([](Plan& p) { p.most_network_delay = 0; });
  return plan;
}

}  // namespace wherry::simulation
