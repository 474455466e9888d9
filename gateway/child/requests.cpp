#include "gateway/child/requests.hpp"

#include "gateway/child/values.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::child {

using nlohmann::json;

Requests::Requests(asio::any_io_executor executor, RpcPeer& peer, KnownAccounts& accounts, Logins& logins,
                   Fetches& fetches, ChatCapabilities& capabilities, Storage& storage)
    : peer_(peer),
      accounts_(accounts),
      logins_(logins),
      fetches_(fetches),
      capabilities_(capabilities),
      memory_(executor, storage),
      lines_(std::chrono::steady_clock::now()),
      answered_(executor),
      tasks_(executor) {}

asio::awaitable<void> Requests::wait_room() {
  while (unanswered_ >= most || unanswered_bytes_ >= most_bytes) co_await answered_.wait();
}

void Requests::accept(RpcPeer::Incoming request, std::size_t bytes) {
  if (request.method == "log") return log_line(request.params);
  ++unanswered_;
  unanswered_bytes_ += bytes;
  tasks_.spawn("child.request", answer(std::move(request), bytes));
}

asio::awaitable<void> Requests::end() {
  co_await tasks_.end();
  unanswered_ = unanswered_bytes_ = 0;
}

asio::awaitable<void> Requests::answer(RpcPeer::Incoming request, std::size_t bytes) {
  Result<json> result = json();
  try {
    result = co_await answer_to(request);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;  // the process is being ended
    result = Error{Errc::unavailable, e.what()};
  } catch (const std::exception& e) {  // the store is lost: the other process has to hear of it
    log::error("child.request_failed", {{"network", name}, {"method", request.method}, {"error", e.what()}});
    result = Error{Errc::unavailable, "It is not stored. Do not acknowledge it; try again."};
  }
  co_await peer_.wait_room_for_answer();
  --unanswered_;
  unanswered_bytes_ -= bytes;
  answered_.notify();
  peer_.answer(request.id, result);
}

asio::awaitable<Result<json>> Requests::answer_to(RpcPeer::Incoming& request) {
  if (request.method == "publish") co_return co_await publish(request.params);
  if (request.method == "store_read") co_return co_await memory_.read(std::move(request.params));
  if (request.method == "store_write") co_return co_await memory_.write(std::move(request.params));
  if (request.method == "ask" || request.method == "fetched") {
    auto refused = request.method == "ask" ? logins_.accept(request) : fetches_.accept(request);
    if (refused) co_return std::move(*refused);
    request.id = nullptr;  // its user answers it, or who takes the file
    co_return json();
  }
  co_return Error{Errc::unsupported, "no such method: " + request.method.substr(0, 40)};
}

asio::awaitable<Result<json>> Requests::publish(const json& params) {
  auto published = parse_published(params);
  if (!published) co_return published.error();
  EventSink* const events = accounts_.find(published->account);
  if (!events) co_return Error{Errc::not_found, "account: not registered (any more)", {}};
  const auto* changed = std::get_if<CapabilitiesChanged>(&published->event);
  if (changed) capabilities_.drop(published->account, changed->chat);
  co_await events->publish(std::move(published->event));
  co_return json::object();
}

void Requests::log_line(const json& params) {
  const auto line = parse_log_line(params);
  if (!line) return;
  const auto skipped = lines_.admit(std::chrono::steady_clock::now());
  if (!skipped) return;
  if (*skipped > 0) log::warn("child.log_skipped", {{"network", name}, {"lines", *skipped}});
  log::write(line->level, "child.log", {{"network", name}, {"text", line->text}});
}

}  // namespace wherry::child
