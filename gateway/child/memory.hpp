// A child's part of the gateway's store (store_read, store_write): bounded in bytes, and slow enough for the others.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/child/turns.hpp"
#include "gateway/connector/contract.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace wherry::child {

// How much a child may keep, and how fast.
struct MemoryLimits {
  std::size_t most_bytes = 64 << 20;            // keys and values that are kept
  std::size_t bytes_per_second = 1 << 20;       // written, on average
  std::size_t burst_bytes = 4 << 20;            // and at once
  std::chrono::seconds longest_wait{5};         // for its turn at that pace; a write that would wait longer is refused
  std::size_t answer_bytes = 256 << 10;         // of one store_read; one entry is answered, however long
  std::chrono::milliseconds count_pause{5000};  // from one count of all that is kept to the next
};

class Memory {
 public:
  // `storage` outlives this.
  Memory(asio::any_io_executor executor, connector::Storage& storage, MemoryLimits limits = {});

  // {"entries":[…]} → {} once durable; waits where the child writes faster than it may, and is unavailable where
  // it does so for long. rejected where it would keep too much, and unavailable where that is not clear until the next
  // count: erasing goes on, and writing after it.
  asio::awaitable<connector::Result<nlohmann::json>> write(nlohmann::json params);
  // {"prefix":"…","after":"…","limit":10} → {"entries":[…],"more":true}: `more` where the answer ends before the limit
  // for its length, and others may follow.
  asio::awaitable<connector::Result<nlohmann::json>> read(nlohmann::json params);

 private:
  asio::awaitable<connector::Result<void>> check_space(std::size_t bytes);
  asio::awaitable<void> count();
  std::optional<std::chrono::steady_clock::time_point> turn_for(std::size_t bytes);

  connector::Storage& storage_;
  const MemoryLimits limits_;
  Turns reading_, writing_;          // one of each at a time: an answer may be long, and a count must stay true
  std::optional<std::size_t> kept_;  // counted, and written since: what was overwritten or erased is not taken off
  std::size_t under_way_ = 0;        // writes that the storage has not answered
  std::size_t unclear_ = 0;          // bytes of writes that failed or were cancelled: they may be stored after a count
  base::Signal landed_;              // none is under way
  std::chrono::steady_clock::time_point counted_at_, paid_until_;
};

}  // namespace wherry::child
