#include "gateway/conformance/raw_child.hpp"

#include "gateway/base/within.hpp"
#include "gateway/child/values.hpp"
#include "gateway/conformance/promise.hpp"

#include <csignal>
#include <utility>

namespace wherry::conformance {

using child::RpcPeer;
using connector::Errc;
using connector::Error;
using connector::Result;
using nlohmann::json;

RawChild::RawChild(asio::any_io_executor executor, const std::vector<std::string>& command, Record& record,
                   std::chrono::seconds wait)
    : wait_(wait), peer_(executor) {
  auto started = watched(record)(executor, command, {}, RpcPeer::most_line_bytes);
  if (!started) throw Broken("it cannot be started: " + started.error().text);
  process_ = std::move(*started);
  peer_.attach(*process_);
}

std::unique_ptr<RpcPeer::Call> RawChild::begin(const std::string& method, const json& params) {
  auto begun = peer_.begin(method, child::to_line(params), RpcPeer::Limit::none);
  if (!begun) throw Broken("`" + method + "` cannot be asked: " + begun.error().text);
  return std::move(*begun);
}

asio::awaitable<Result<json>> RawChild::ask(std::string method, json params) {
  const std::unique_ptr<RpcPeer::Call> call = begin(method, params);
  bool is_silent = false;
  try {
    co_await base::within(wait_, read_answer(method, *call));
  } catch (const base::TimedOut&) {
    is_silent = true;
  } catch (const std::length_error& e) {
    throw Broken(std::string("it wrote ") + e.what() + ". A line has at most 1,048,576 bytes.");
  }
  if (is_silent) {
    throw Silence("`" + method + "` is not answered within " + std::to_string(wait_.count()) +
                  " s. Answer every request; wait_seconds in the description says how long it may take.");
  }
  co_return *call->answer();
}

asio::awaitable<void> RawChild::read_answer(std::string method, const RpcPeer::Call& call) {
  while (!call.answer()) co_await read_one(method);
}

asio::awaitable<void> RawChild::read_until_online() {
  while (!is_online_) {
    co_await read_one("open");
    if (open_->answer()) throw Broken("`open` is answered before account_changed says that the session is online.");
  }
}

asio::awaitable<void> RawChild::go_online(base::AccountId account, bool has_shared_link) {
  if (has_shared_link) link_ = begin("run", json::object());
  json params;
  params["account"] = account.value;
  open_ = begin("open", params);
  try {
    co_await base::within(wait_, read_until_online());
  } catch (const base::TimedOut&) {
    throw Silence("the session does not come online within " + std::to_string(wait_.count()) + " s.");
  }
}

asio::awaitable<void> RawChild::read_one(std::string method) {
  const auto line = co_await process_->read_line();
  if (!line) {
    throw Broken("the process ended, or closed its standard output, before it answered `" + method +
                 "`. What it wrote to standard error stands above.");
  }
  auto taken = peer_.take(*line);
  if (!taken) {
    throw Broken("it wrote a line that is not of the protocol: " + excerpt(*line) + " (" + taken.error().text +
                 "). Standard output is the protocol's alone; write everything else to standard error.");
  }
  if (*taken) answer(**taken);
}

// Like a gateway that stores everything and has no user who would answer.
void RawChild::answer(const RpcPeer::Incoming& request) {
  const json& event = child::member(request.params, "event");
  if (child::member(event, "type") == "account_changed" && child::member(event, "online") == true) is_online_ = true;
  if (request.method == "publish" || request.method == "store_write") return peer_.answer(request.id, json::object());
  if (request.method == "store_read") {
    json nothing;
    nothing["entries"] = json::array();
    return peer_.answer(request.id, nothing);
  }
  peer_.answer(request.id, Error{Errc::unsupported, "no such method", {}});
}

asio::awaitable<bool> RawChild::end(std::chrono::milliseconds grace) {
  open_.reset();
  link_.reset();
  const int code = co_await process_->stop(grace);
  peer_.detach();
  co_return code != -SIGKILL;
}

}  // namespace wherry::conformance
