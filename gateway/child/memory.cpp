#include "gateway/child/memory.hpp"

#include "gateway/base/within.hpp"
#include "gateway/child/values.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace wherry::child {

namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::size_t most_entries_read = 1000;  // of one store_read
constexpr std::size_t entry_cost = 200;          // of a row, beside its key and value
constexpr std::size_t entries_at_once = 32;      // read in one transaction: a value may have 512 KiB

std::size_t size_of(const Entry& entry) { return entry.key.size() + entry.value.size() + entry_cost; }

}  // namespace

Memory::Memory(asio::any_io_executor executor, Storage& storage, MemoryLimits limits)
    : storage_(storage),
      limits_(limits),
      reading_(executor, 1, std::numeric_limits<std::size_t>::max()),
      writing_(executor, 1, std::numeric_limits<std::size_t>::max()),
      landed_(executor) {}

asio::awaitable<Result<json>> Memory::write(json params) {
  auto entries = parse_entries(member(params, "entries"));
  if (!entries) co_return entries.error();
  std::size_t cost = 0, kept = 0;
  for (const Entry& entry : *entries) {
    cost += size_of(entry);
    if (!entry.value.empty()) kept += size_of(entry);
  }
  const auto due = turn_for(cost);
  if (!due)
    co_return Error{Errc::unavailable, "entries: too much is waiting to be stored; try again in some seconds", {}};
  {
    const auto turn = co_await writing_.take();
    const auto wait = *due - steady_clock::now();
    if (wait > steady_clock::duration::zero()) co_await base::sleep(wait);
    if (kept > 0) {
      auto fits = co_await check_space(kept);
      if (!fits) co_return fits.error();
      *kept_ += kept;
    }
    ++under_way_;
  }
  std::exception_ptr failed;
  try {
    co_await storage_.write(std::move(*entries));  // without a turn: many together share a commit
  } catch (...) {
    failed = std::current_exception();
    unclear_ += kept;
  }
  if (--under_way_ == 0) landed_.notify();
  if (failed) std::rethrow_exception(failed);
  co_return json::object();
}

// Whether so much more may be kept. kept_ is never too small; only where it is too much is everything counted again.
asio::awaitable<Result<void>> Memory::check_space(std::size_t bytes) {
  const auto fits = [this, bytes] { return kept_ && *kept_ + bytes <= limits_.most_bytes; };
  if (fits()) co_return base::ok();
  if (kept_ && steady_clock::now() - counted_at_ < limits_.count_pause)
    co_return Error{Errc::unavailable, "entries: there may be no room for them; try again in some seconds", {}};
  co_await count();
  if (fits()) co_return base::ok();
  co_return Error{Errc::rejected,
                  "entries: more than " + std::to_string(limits_.most_bytes >> 20) +
                      " MiB would be kept: erase what is no longer needed",
                  {}};
}

// Called with the turn to write: no write begins meanwhile, and those under way are waited for.
asio::awaitable<void> Memory::count() {
  while (under_way_ > 0) co_await landed_.wait();
  std::size_t sum = 0;
  bool more = true;
  std::string after;
  while (more) {
    const auto entries = co_await storage_.read("", after, entries_at_once);
    for (const Entry& entry : entries) sum += size_of(entry);
    more = entries.size() == entries_at_once;
    if (more) after = entries.back().key;
  }
  kept_ = sum + std::exchange(unclear_, 0);
  counted_at_ = steady_clock::now();
}

// When so much may be written, at the child's pace; nothing: too much is waiting already. So what waits here is
// bounded.
std::optional<steady_clock::time_point> Memory::turn_for(std::size_t bytes) {
  const auto time_of = [this](std::size_t some) {
    const std::chrono::duration<double> seconds(static_cast<double>(some) /
                                                static_cast<double>(limits_.bytes_per_second));
    return std::chrono::duration_cast<steady_clock::duration>(seconds);
  };
  const auto now = steady_clock::now();
  const auto burst = time_of(limits_.burst_bytes);
  if (paid_until_ > now + burst + limits_.longest_wait) return std::nullopt;
  paid_until_ = std::max(paid_until_, now) + time_of(bytes);
  return paid_until_ - burst;
}

asio::awaitable<Result<json>> Memory::read(json params) {
  const json &prefix = member(params, "prefix"), &after = member(params, "after"), &limit = member(params, "limit");
  if (!prefix.is_string() || !(after.is_string() || after.is_null()) || !limit.is_number_unsigned()) {
    co_return Error{Errc::bad_input, "store_read takes the strings prefix and after, and the whole number limit", {}};
  }
  const std::string start = prefix.get<std::string>();
  std::string last = after.is_string() ? after.get<std::string>() : std::string();
  if (start.find('\0') != std::string::npos || last.find('\0') != std::string::npos)
    co_return Error{Errc::bad_input, "prefix and after must be without NUL", {}};
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(limit.get<std::uint64_t>(), most_entries_read));

  const auto turn = co_await reading_.take();
  std::vector<Entry> found;
  std::size_t bytes = 0;
  bool more = false, ended = most == 0;
  while (!ended && !more) {
    const std::size_t some = std::min(entries_at_once, most - found.size());
    auto entries = co_await storage_.read(start, last, some);
    ended = entries.size() < some;
    for (Entry& entry : entries) {
      bytes += size_of(entry);
      more = bytes > limits_.answer_bytes && !found.empty();
      if (more) break;
      last = entry.key;
      found.push_back(std::move(entry));
    }
    ended = ended || found.size() == most;
  }
  json result;
  result["entries"] = child::to_json(found);
  more = more || (found.size() == most_entries_read && limit.get<std::uint64_t>() > most_entries_read);
  if (more) result["more"] = true;
  co_return result;
}

}  // namespace wherry::child
