// The files that are being fetched from a child, piece by piece. The child waits for the answer to a piece before it
// gives the next: so it is no faster than the file is taken.
#pragma once

#include "gateway/base/task_group.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <optional>
#include <string>

namespace wherry::child {

class Fetches {
 public:
  static constexpr std::size_t most = 50;                     // at once; beyond, they are `unavailable`
  static constexpr std::size_t most_piece_bytes = 256 << 10;  // once it is decoded
  static constexpr std::size_t most_file_bytes = 1 << 30;     // then the fetch is ended, and the file is rejected

  // `peer` outlives this. `silence`: from one piece to the next, and to the end.
  Fetches(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds silence)
      : executor_(std::move(executor)), peer_(peer), silence_(silence) {}

  // As Session::fetch. The child's answer to `fetch` is the one outcome, unless a piece was refused before.
  asio::awaitable<connector::Result<void>> fetch(base::AccountId account, std::string handle,
                                                 connector::FileSink& sink);
  // The child's `fetched`: takes the piece, and answers it when more can be taken; or says why not.
  std::optional<base::Error> accept(RpcPeer::Incoming& request);

 private:
  struct Fetch {
    connector::FileSink& sink;
    base::TaskGroup pieces;  // that are being written: one at a time
    std::size_t bytes = 0;
    std::size_t taken = 0;               // pieces
    std::optional<base::Error> refused;  // a piece was, and the file is
  };

  asio::awaitable<void> write(Fetch& fetch, nlohmann::json id, std::string piece);

  asio::any_io_executor executor_;
  RpcPeer& peer_;
  const std::chrono::seconds silence_;
  std::map<std::int64_t, Fetch*> fetches_;
  std::int64_t last_ = 0;
};

}  // namespace wherry::child
