// Memory: what a child keeps in the gateway's store is read in pages, counted, and bounded (memory.hpp).
#include "gateway/child/memory.hpp"

#include "gateway/base/task_group.hpp"
#include "tests/conformance/fakes.hpp"
#include "tests/support/run.hpp"

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::child;
using nlohmann::json;

namespace {

using Given = std::optional<Result<json>>;

// Becomes durable only after release(), or never where `broken`.
struct HeldStorage final : Storage {
  explicit HeldStorage(asio::any_io_executor executor) : released(executor) {}
  asio::awaitable<void> write(std::vector<Entry> entries) override {
    ++asked;
    while (held) co_await released.wait();
    if (broken) throw std::runtime_error("the store is lost");
    co_await memory.write(std::move(entries));
  }
  asio::awaitable<std::vector<Entry>> read(std::string prefix, std::string after, std::size_t limit) override {
    ++reads;
    return memory.read(std::move(prefix), std::move(after), limit);
  }
  void release() {
    held = false;
    released.notify();
  }
  tests::MemoryStorage memory;
  base::Signal released;
  bool held = false, broken = false;
  std::size_t asked = 0, reads = 0;
};

// At most 10,000 bytes are kept.
struct Bounded {
  explicit Bounded(std::chrono::milliseconds pause) {
    MemoryLimits limits;
    limits.most_bytes = 10'000;
    limits.count_pause = pause;
    memory.emplace(loop.get_executor(), storage, limits);
  }
  asio::awaitable<void> into(json params, Given& answer) { answer = co_await memory->write(std::move(params)); }
  asio::awaitable<void> fail(json params, bool& threw) {
    try {
      co_await memory->write(std::move(params));
    } catch (const std::runtime_error&) {
      threw = true;
    }
  }
  static json entry(const std::string& key, std::size_t bytes) {
    json params;
    params["entries"][0]["key"] = key;
    params["entries"][0]["value"] = std::string(bytes, 'x');
    return params;
  }
  void begin(const std::string& key, std::size_t bytes, Given& answer) {
    group.spawn("write", into(entry(key, bytes), answer));
  }
  std::optional<Errc> write(const std::string& key, std::size_t bytes) {
    Given answer;
    begin(key, bytes, answer);
    tests::run(loop, group.join());
    if (*answer) return std::nullopt;
    return answer->error().code;
  }

  asio::io_context loop;
  HeldStorage storage{loop.get_executor()};
  std::optional<Memory> memory;
  base::TaskGroup group{loop.get_executor()};
};

struct Kept {
  asio::awaitable<void> into(asio::awaitable<Result<json>> operation, Given& answer) {
    answer = co_await std::move(operation);
  }
  json read(const json& params) {
    Given answer;
    tests::run(loop, into(memory.read(params), answer));
    return answer->value();
  }

  asio::io_context loop;
  tests::MemoryStorage storage;
  Memory memory{loop.get_executor(), storage};
};

json request(const std::string& after, std::size_t limit) {
  json params;
  params["prefix"] = "t/";
  params["after"] = after;
  params["limit"] = limit;
  return params;
}

// All keys below "t/" as one reads them who follows `more`, and the number of answers that it took.
std::pair<std::vector<std::string>, std::size_t> read_all(Kept& kept, std::size_t limit) {
  std::vector<std::string> keys;
  std::size_t answers = 0;
  bool more = true;
  while (more) {
    const json answer = kept.read(request(keys.empty() ? "" : keys.back(), limit - keys.size()));
    ++answers;
    for (const json& entry : answer["entries"]) keys.push_back(entry["key"].get<std::string>());
    more = answer.value("more", false);
    CHECK(answer.dump().size() < 400'000);
  }
  return {keys, answers};
}

}  // namespace

TEST_CASE("Memory: what is longer than an answer may be is read in pages, with none missing") {
  Kept kept;
  std::vector<std::string> expected;
  for (int i = 0; i < 90; ++i) {
    expected.push_back("t/" + std::to_string(100 + i));
    kept.storage.values[expected.back()] = std::string(i == 40 ? 300'000 : 10'000, 'x');
  }
  kept.storage.values["u"] = "another table";
  const auto [keys, answers] = read_all(kept, 1000);
  CHECK(keys == expected);
  CHECK(answers > 4);
  CHECK_FALSE(kept.read(request("", 5)).contains("more"));  // the limit ends it, not the length
}

TEST_CASE("Memory: a limit above 1,000 entries is answered in pages, too") {
  Kept kept;
  for (int i = 0; i < 2500; ++i) kept.storage.values["t/" + std::to_string(10'000 + i)] = "x";
  CHECK(read_all(kept, 5000).first.size() == 2500);
}

TEST_CASE("Memory: what would have to wait for long at the child's pace is refused at once, and costs it nothing") {
  asio::io_context loop;
  HeldStorage storage(loop.get_executor());
  MemoryLimits limits;
  limits.bytes_per_second = 1000;
  limits.burst_bytes = 1000;
  limits.longest_wait = std::chrono::seconds(2);
  Memory memory(loop.get_executor(), storage, limits);
  base::TaskGroup group(loop.get_executor());
  const auto into = [&](const char* key, Given& answer) -> asio::awaitable<void> {
    json params = Bounded::entry(key, 1000);
    answer = co_await memory.write(std::move(params));
  };
  std::array<Given, 8> answers;
  for (Given& answer : answers) group.spawn("write", into("a", answer));
  tests::run(loop, group.join());
  const auto taken = std::count_if(answers.begin(), answers.end(), [](const Given& a) { return a->has_value(); });
  CHECK(taken == 3);  // the burst, and two seconds' worth
  CHECK(answers.back()->error().code == Errc::unavailable);
}

TEST_CASE("Memory: writes under way are counted, and a count waits for them") {
  Bounded bounded(std::chrono::milliseconds(0));
  bounded.storage.held = true;
  Given first, second, third;
  bounded.begin("a", 6000, first);
  bounded.begin("b", 6000, second);  // needs a count
  bounded.begin("c", 1000, third);
  for (int i = 0; i < 1000; ++i) bounded.loop.poll_one();
  CHECK(bounded.storage.asked == 1);
  CHECK_FALSE(second);
  bounded.storage.release();
  tests::run(bounded.loop, bounded.group.join());
  CHECK(first->has_value());
  CHECK(second->error().code == Errc::rejected);
  CHECK(third->has_value());
  CHECK(bounded.storage.memory.values.size() == 2);
}

TEST_CASE("Memory: overwriting near the bound goes on, and so does writing after erasing") {
  Bounded bounded(std::chrono::milliseconds(0));
  for (int i = 0; i < 20; ++i) CHECK_FALSE(bounded.write("a", 4000));
  CHECK_FALSE(bounded.write("b", 4000));
  CHECK(bounded.write("c", 4000) == Errc::rejected);
  CHECK_FALSE(bounded.write("a", 0));
  CHECK_FALSE(bounded.write("c", 4000));
}

TEST_CASE("Memory: what may fit is not called too much, and nothing is counted again before the pause is over") {
  Bounded bounded(std::chrono::hours(1));
  for (int i = 0; i < 2; ++i) CHECK_FALSE(bounded.write("a", 4000));
  const std::size_t reads = bounded.storage.reads;
  CHECK(bounded.write("a", 4000) == Errc::unavailable);
  CHECK(bounded.storage.reads == reads);
}

TEST_CASE("Memory: a write that failed counts as kept until the count after the next") {
  Bounded bounded(std::chrono::milliseconds(0));
  CHECK_FALSE(bounded.write("a", 1000));
  bounded.storage.broken = true;
  bool threw = false;
  bounded.group.spawn("write", bounded.fail(Bounded::entry("b", 7000), threw));
  tests::run(bounded.loop, bounded.group.join());
  bounded.storage.broken = false;
  CHECK(threw);
  CHECK(bounded.write("c", 4000) == Errc::rejected);
  CHECK_FALSE(bounded.write("c", 4000));
}
