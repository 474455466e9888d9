#include "gateway/child/session/fetches.hpp"

#include "gateway/base/text.hpp"
#include "gateway/child/values.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::child {

using nlohmann::json;

asio::awaitable<Result<void>> Fetches::fetch(AccountId account, std::string handle, FileSink& sink) {
  if (fetches_.size() >= most)
    co_return Error{Errc::unavailable, "Too many files are being fetched just now; please try again later.", {}};
  const std::int64_t number = ++last_;
  json params;
  params["account"] = account.value;
  params["handle"] = std::move(handle);
  params["fetch"] = number;
  auto begun = peer_.begin("fetch", to_line(params), RpcPeer::Limit::usual);
  if (!begun) co_return begun.error();
  const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);  // cancelled with us

  Fetch fetch{sink, base::TaskGroup(executor_), 0, 0, std::nullopt};
  fetches_.emplace(number, &fetch);
  bool is_silent = false;
  std::exception_ptr failed;
  try {
    while (!call->answer() && !is_silent) {
      const std::size_t before = fetch.taken;
      co_await call->wait(silence_);
      is_silent = !call->answer() && fetch.taken == before && fetch.pieces.empty();
    }
    if (call->answer() && *call->answer()) co_await fetch.pieces.join();  // its last piece
  } catch (...) {
    failed = std::current_exception();
  }
  fetches_.erase(number);
  co_await asio::this_coro::reset_cancellation_state();
  co_await fetch.pieces.end();
  if (failed) std::rethrow_exception(failed);

  if (fetch.refused) co_return *fetch.refused;
  if (is_silent) co_return Error{Errc::unavailable, "The network's connector stopped giving the file.", {}};
  if (!*call->answer()) co_return call->answer()->error();
  co_return base::ok();
}

std::optional<Error> Fetches::accept(RpcPeer::Incoming& request) {
  const json &number = member(request.params, "fetch"), &data = member(request.params, "data");
  const auto found = number.is_number_integer() ? fetches_.find(number.get<std::int64_t>()) : fetches_.end();
  if (found == fetches_.end()) return Error{Errc::not_found, "fetch: none of that number is under way", {}};
  Fetch& fetch = *found->second;
  if (fetch.refused) return fetch.refused;
  if (!fetch.pieces.empty()) return Error{Errc::rejected, "fetch: one piece at a time: wait for the answer", {}};
  auto piece = data.is_string() ? base::from_base64(data.get_ref<const std::string&>()) : std::nullopt;
  if (!piece || piece->size() > most_piece_bytes)
    return Error{Errc::bad_input, "data: must be base64 of at most " + std::to_string(most_piece_bytes) + " bytes", {}};
  fetch.bytes += piece->size();
  if (fetch.bytes > most_file_bytes) {
    fetch.refused = Error{Errc::rejected, "The file is too large.", {}};
    return fetch.refused;
  }
  fetch.pieces.spawn("child.fetched", write(fetch, std::move(request.id), std::move(*piece)));
  return std::nullopt;
}

asio::awaitable<void> Fetches::write(Fetch& fetch, json id, std::string piece) {
  Result<void> written = base::ok();
  try {
    written = co_await fetch.sink.write(std::move(piece));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    written = Error{Errc::unavailable, e.what(), {}};
  } catch (const std::exception& e) {
    written = Error{Errc::unavailable, e.what(), {}};
  }
  ++fetch.taken;
  if (!written) fetch.refused = written.error();
  co_await peer_.wait_room();
  if (written) peer_.answer(id, json::object());
  else peer_.answer(id, written.error());
}

}  // namespace wherry::child
