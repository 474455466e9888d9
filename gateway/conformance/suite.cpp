#include "gateway/conformance/suite.hpp"

#include "gateway/base/within.hpp"
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <utility>

namespace wherry::conformance {

namespace {

constexpr int most_steps = 12;            // of one promise, each of which may take as long as the network may
constexpr std::size_t most_silences = 3;  // then it is no use to wait for the rest
constexpr std::size_t most_deaths = 5;
constexpr std::chrono::seconds end_limit{30}, raw_end_limit{2};

class Suite {
 public:
  Suite(Host& host, const std::function<void(const Judgement&)>& tell) : host_(host), tell_(tell) {}

  asio::awaitable<void> run();
  connector::Result<Counts> outcome() const {
    if (complaint_) return *complaint_;
    return counts_;
  }

 private:
  std::optional<connector::Error> complaint() const;
  asio::awaitable<void> run_all(std::span<const Promise> promises);
  asio::awaitable<Judgement> judge(const Promise& promise);
  asio::awaitable<Judgement> tried(const Promise& promise);
  void count(const Judgement& judgement);

  Host& host_;
  const std::function<void(const Judgement&)>& tell_;
  Counts counts_;
  std::size_t silences_ = 0;
  std::string useless_;  // to try more: why
  std::optional<connector::Error> complaint_;
};

std::string name_of(const Promise& promise) { return fmt::format("{} (§{})", promise.text, promise.section); }

asio::awaitable<Judgement> Suite::tried(const Promise& promise) {
  Judgement judgement{name_of(promise), Verdict::fails, {}};
  try {
    co_await base::within(most_steps * host_.description.wait, promise.check(host_));
    judgement.verdict = Verdict::holds;
  } catch (const NotTried& e) {
    judgement.verdict = Verdict::not_tried;
    judgement.why = e.what();
  } catch (const Silence& e) {
    ++silences_;
    judgement.why = e.what();
  } catch (const base::TimedOut&) {
    ++silences_;
    judgement.why = fmt::format("it is not done within {} s.", (most_steps * host_.description.wait).count());
  } catch (const std::exception& e) {
    judgement.why = e.what();
  }
  co_return judgement;
}

asio::awaitable<Judgement> Suite::judge(const Promise& promise) {
  const std::size_t deaths = host_.deaths();
  Judgement judgement = co_await tried(promise);
  if (judgement.verdict == Verdict::fails) co_await host_.end_raw(raw_end_limit);  // it may be of no use any more
  const bool has_died = host_.deaths() != deaths;
  if (has_died && judgement.why.find(host_.last_death()) == std::string::npos) {
    judgement.verdict = Verdict::fails;
    judgement.why += fmt::format("{}{}. What it wrote to standard error stands above.",
                                 judgement.why.empty() ? "" : " ", host_.last_death());
  }
  co_return judgement;
}

void Suite::count(const Judgement& judgement) {
  if (judgement.verdict == Verdict::holds) ++counts_.holding;
  if (judgement.verdict == Verdict::fails) ++counts_.failing;
  if (judgement.verdict == Verdict::not_tried) ++counts_.not_tried;
  tell_(judgement);
}

asio::awaitable<void> Suite::run_all(std::span<const Promise> promises) {
  for (const Promise& promise : promises) {
    Judgement judgement{name_of(promise), Verdict::not_tried, useless_};
    if (useless_.empty()) judgement = co_await judge(promise);
    count(judgement);
    if (silences_ >= most_silences) useless_ = "too much was not answered before";
    if (host_.deaths() >= most_deaths) useless_ = "the process ended too often before";
  }
}

asio::awaitable<void> Suite::run() {
  const auto greeting = greeting_promises();
  const Judgement first = co_await judge(greeting.front());
  complaint_ = complaint();
  if (complaint_) co_return;
  count(first);
  if (first.verdict != Verdict::holds) useless_ = "without `hello` nothing works";
  co_await run_all(greeting.subspan(1));
  co_await run_all(login_promises());
  if (useless_.empty() && !host_.credentials.contains(1)) useless_ = "nobody could log in";
  const std::span<const Promise> rest[] = {contact_promises(), sending_promises(),   later_promises(),
                                           account_promises(), receiving_promises(), ending_promises()};
  for (const auto part : rest) co_await run_all(part);
  if (first.verdict == Verdict::holds) useless_.clear();
  co_await run_all(closing_promises());
}

// Of the description's configuration, whose mistakes are no fault of the child's.
std::optional<connector::Error> Suite::complaint() const {
  const auto& answer = host_.hello_answer;
  if (!answer || *answer || answer->error().code != connector::Errc::bad_input) return std::nullopt;
  return connector::Error{connector::Errc::bad_input, "configuration." + answer->error().text, {}};
}

asio::awaitable<void> run_suite(Host& host, Suite& suite, std::exception_ptr& failed) {
  try {
    co_await suite.run();
  } catch (...) {
    failed = std::current_exception();
  }
  co_await base::within(end_limit, host.stop());
}

}  // namespace

connector::Result<Counts> try_child(Description description, std::vector<std::string> command,
                                    const std::function<void(const Judgement&)>& tell) {
  asio::io_context loop(1);
  Host host(loop.get_executor(), std::move(description), std::move(command));
  Suite suite(host, tell);
  std::exception_ptr failed;
  asio::co_spawn(loop, run_suite(host, suite, failed), [&](const std::exception_ptr& error) {
    if (!failed) failed = error;
    loop.stop();
  });
  loop.run();
  if (failed) std::rethrow_exception(failed);
  return suite.outcome();
}

}  // namespace wherry::conformance
