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

using Answer = std::optional<Result<json>>;

struct Kept {
  asio::awaitable<void> into(asio::awaitable<Result<json>> operation, Answer& answer) {
    answer = co_await std::move(operation);
  }
  json read(const json& params) {
    Answer answer;
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
