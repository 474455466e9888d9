// JSON-RPC 2.0 (jsonrpc.org/specification), both directions at once, over the lines of a process that may die and be
// replaced. Knows no methods; its callers do.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/net/line_process.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace wherry::child {

namespace asio = boost::asio;

class RpcPeer {
 public:
  static constexpr std::size_t most_line_bytes = 1 << 20;
  static constexpr std::size_t most_calls = 10000;  // unanswered at once, of those that are limited
  // and of these the bytes, which the process may have to keep
  static constexpr std::size_t most_unanswered_bytes = 16 << 20;
  static constexpr std::size_t most_waiting_bytes = 4 << 20;  // that the process has not read
  static constexpr std::size_t most_answer_bytes = 4 << 20;   // and besides, if they are answers to it

  enum class Limit {
    usual,    // refused where too many are unanswered, or too many bytes, or the process does not read
    look_up,  // the same; and it keeps its place until the process has answered it, also where nobody waits any more
    none,     // never refused while the process runs: the caller waits for room, or asks rarely
  };

  // A request of ours on its way. Destroyed unanswered, it is taken back where the process has not seen it; else it is
  // cancelled at the other side (notification `cancel`). But a look-up is not cancelled, since what is cancelled need
  // not be answered, and it would not be known when its place is free.
  class Call {
   public:
    static constexpr std::chrono::hours no_limit{24 * 365};
    Call(RpcPeer& peer, std::uint64_t id);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // Until it is answered, fails because the process ended, or `limit` passes. Throws when cancelled.
    asio::awaitable<void> wait(std::chrono::steady_clock::duration limit = no_limit);
    const std::optional<base::Result<nlohmann::json>>& answer() const { return answer_; }
    std::uint64_t id() const { return id_; }

   private:
    friend class RpcPeer;
    void settle(base::Result<nlohmann::json> answer);

    RpcPeer& peer_;
    std::uint64_t id_;
    asio::steady_timer answered_;  // rather than within(): one of these runs per message
    std::optional<base::Result<nlohmann::json>> answer_;
  };

  // A request of the other side, or a notification where `id` is null.
  struct Incoming {
    nlohmann::json id;
    std::string method;
    nlohmann::json params;  // an object
  };

  explicit RpcPeer(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // The process to speak with, until detach(). It outlives that.
  void attach(net::LineProcess& process) {
    process_ = &process;
    ending_ = false;
  }
  // Refuses new calls; those under way wait for detach().
  void refuse_calls() { ending_ = true; }
  // To be called when the process is gone or its input is closed, since only then it is known what it may have read.
  // Fails every call: uncertain where the process may have read it, unavailable where it cannot have.
  void detach();

  // Sends a request; `params` is the text of a JSON object. unavailable or rejected where nothing was sent. `place` is
  // destroyed when the process no longer has the request.
  base::Result<std::unique_ptr<Call>> begin(std::string_view method, std::string_view params, Limit limit,
                                            std::shared_ptr<void> place = nullptr);
  // begin() and the answer. Where none comes within `time`: uncertain, or unavailable where the process has not seen
  // the request, which it then never does. While the process works off look-ups that it got before, one of Limit::usual
  // has as much time again, so that no look-up makes it uncertain. Throws when cancelled, but not where the process has
  // not seen the request.
  asio::awaitable<base::Result<nlohmann::json>> call(std::string method, std::string params, std::chrono::seconds time,
                                                     Limit limit, std::shared_ptr<void> place = nullptr);
  // Until the process has read enough for more to be written; at once where there is none.
  asio::awaitable<void> wait_room();
  // The same for an answer to it. Requests cannot take this room: a process that says much before it reads would else
  // be read no longer for want of an answer, and read nothing itself.
  asio::awaitable<void> wait_room_for_answer();
  // How many answers came so far: a process that answers is not hung.
  std::uint64_t answers() const { return answers_; }
  // The answer to an Incoming; nothing for a notification. Wait for room for it first.
  void answer(const nlohmann::json& id, const base::Result<nlohmann::json>& result);

  // Takes one line from the other side: an answer ends here; a request comes back. bad_input where the line breaks the
  // protocol, and the other side can no longer be understood.
  base::Result<std::optional<Incoming>> take(std::string_view line);

 private:
  // A request that the process has not answered.
  struct Held {
    Call* waiting = nullptr;      // none: nobody waits for the answer
    std::uint64_t starts_at = 0;  // LineProcess::appended() before its line
    std::size_t bytes = 0;
    Limit limit = Limit::usual;
    std::shared_ptr<void> place;
  };

  bool is_full(Limit limit) const;
  void take_answer(const nlohmann::json& message);
  Held release(std::uint64_t id);
  bool take_back(std::uint64_t id);
  std::size_t look_ups_before(const Call& call) const;

  asio::any_io_executor executor_;
  net::LineProcess* process_ = nullptr;
  bool ending_ = false;
  std::uint64_t last_id_ = 0, answers_ = 0;
  std::map<std::uint64_t, Held> calls_;
  std::size_t limited_calls_ = 0, limited_bytes_ = 0;  // of them, those that are limited
  std::set<std::uint64_t> look_ups_;                   // of them
};

}  // namespace wherry::child
