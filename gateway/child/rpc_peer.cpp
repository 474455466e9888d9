#include "gateway/child/rpc_peer.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/json_text.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace wherry::child {

namespace {

using base::Errc;
using base::Error;
using base::Result;
using connector::append_json_number;
using connector::append_json_string;
using connector::parse_json;
using nlohmann::json;

constexpr std::size_t most_id_bytes = 64, most_error_bytes = 2000;
constexpr std::chrono::hours most_retry_after{24};

// JSON-RPC 2.0 §5.1; -32000 is the first of those left to us, the true code is in `data`.
constexpr int method_not_found = -32601, invalid_params = -32602, failed = -32000;

int number_of(Errc code) {
  if (code == Errc::unsupported) return method_not_found;
  if (code == Errc::bad_input) return invalid_params;
  return failed;
}

// {"code":-32000,"message":"No such number.","data":{"code":"not_found","retry_after":30}}
Error to_error(const json& error) {
  // Whatever does not say clearly that nothing was done may have done it.
  Error result{Errc::uncertain, "", {}};
  if (!error.is_object()) return result;
  const auto member = [](const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? json() : *found;
  };
  const json number = member(error, "code"), message = member(error, "message"), data = member(error, "data");
  if (number == method_not_found) result.code = Errc::unsupported;
  if (number == invalid_params) result.code = Errc::bad_input;
  if (message.is_string()) {
    result.text = base::utf8_prefix(message.get_ref<const std::string&>(), most_error_bytes);
    std::erase(result.text, '\0');  // it may go into a row
  }
  if (!data.is_object()) return result;
  const json word = member(data, "code"), seconds = member(data, "retry_after");
  if (word.is_string()) result.code = base::parse_errc(word.get_ref<const std::string&>()).value_or(result.code);
  if (seconds.is_number_unsigned()) {
    result.retry_after = std::chrono::seconds(
        std::min<std::uint64_t>(seconds.get<std::uint64_t>(), std::chrono::seconds(most_retry_after).count()));
  }
  return result;
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string start_of_message(std::string_view method) {
  std::string line = R"({"jsonrpc":"2.0","method":)";
  append_json_string(line, method);
  return line;
}

std::string cancel_line(std::uint64_t id) {
  return start_of_message("cancel") + R"(,"params":{"id":)" + std::to_string(id) + "}}";
}

}  // namespace

// ---- Call ----

RpcPeer::Call::Call(RpcPeer& peer, std::uint64_t id) : peer_(peer), id_(id), answered_(peer.executor_) {}

RpcPeer::Call::~Call() {
  const auto found = peer_.calls_.find(id_);
  if (found == peer_.calls_.end()) return;
  found->second.waiting = nullptr;
  if (peer_.take_back(id_) || found->second.limit == Limit::look_up) return;
  peer_.release(id_);
  peer_.process_->write_line(cancel_line(id_));
}

asio::awaitable<void> RpcPeer::Call::wait(std::chrono::steady_clock::duration limit) {
  if (answer_) co_return;
  answered_.expires_after(limit);
  boost::system::error_code woken;
  co_await answered_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (woken && !answer_) throw boost::system::system_error(woken);
}

void RpcPeer::Call::settle(Result<json> answer) {
  if (answer_) return;
  answer_ = std::move(answer);
  answered_.cancel();
}

// ---- Out ----

bool RpcPeer::is_full(Limit limit) const {
  if (limit == Limit::none) return false;
  return limited_calls_ >= most_calls || limited_bytes_ >= most_unanswered_bytes ||
         process_->appended() - process_->taken() > most_waiting_bytes;
}

Result<std::unique_ptr<RpcPeer::Call>> RpcPeer::begin(std::string_view method, std::string_view params, Limit limit,
                                                      std::shared_ptr<void> place) {
  if (!process_ || ending_)
    return Error{Errc::unavailable, "The connector's process is not running; it is being restarted.", {}};
  if (is_full(limit)) return Error{Errc::unavailable, "The connector's process does not keep up.", {}};
  const std::uint64_t id = ++last_id_;
  std::string line = start_of_message(method);
  line.reserve(line.size() + params.size() + 40);
  line += ",\"id\":";
  append_json_number(line, static_cast<std::int64_t>(id));
  line += ",\"params\":";
  line += params;
  line += '}';
  if (line.size() > most_line_bytes)
    return Error{Errc::rejected, "The message is too long for this network's connector."};
  auto call = std::make_unique<Call>(*this, id);
  calls_.emplace(id, Held{call.get(), process_->appended(), line.size(), limit, std::move(place)});
  if (limit != Limit::none) {
    ++limited_calls_;
    limited_bytes_ += line.size();
  }
  if (limit == Limit::look_up) look_ups_.insert(id);
  process_->write_line(std::move(line));
  return call;
}

// The process no longer has it.
RpcPeer::Held RpcPeer::release(std::uint64_t id) {
  Held held = std::move(calls_.extract(id).mapped());
  if (held.limit != Limit::none) {
    --limited_calls_;
    limited_bytes_ -= held.bytes;
  }
  look_ups_.erase(id);
  return held;
}

// What still waits in front of the process's input becomes a cancellation of what it never got, so that no byte behind
// it moves.
bool RpcPeer::take_back(std::uint64_t id) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || !process_->replace_line(found->second.starts_at, cancel_line(id))) return false;
  release(id);
  return true;
}

std::size_t RpcPeer::look_ups_before(const Call& call) const {
  return static_cast<std::size_t>(std::distance(look_ups_.begin(), look_ups_.lower_bound(call.id_)));
}

asio::awaitable<Result<json>> RpcPeer::call(std::string method, std::string params, std::chrono::seconds time,
                                            Limit limit, std::shared_ptr<void> place) {
  auto begun = begin(method, params, limit, std::move(place));
  if (!begun) co_return begun.error();
  const std::unique_ptr<Call> call = std::move(*begun);
  std::size_t left = look_ups_before(*call), before = 0;
  try {
    do {
      before = left;
      co_await call->wait(time);
      left = look_ups_before(*call);
    } while (!call->answer() && limit == Limit::usual && left < before);
  } catch (const boost::system::system_error&) {
    if (!take_back(call->id())) throw;
    co_return Error{Errc::unavailable, "It was given up before the connector's process took it.", {}};
  }
  if (call->answer()) co_return *call->answer();
  log::warn("child.answer_missed", {{"method", method}, {"seconds", time.count()}});
  if (take_back(call->id())) co_return Error{Errc::unavailable, "The connector's process does not keep up.", {}};
  co_return Error{Errc::uncertain, "The network's connector did not answer in time."};
}

asio::awaitable<void> RpcPeer::wait_room() {
  if (process_) co_await process_->wait_room(most_waiting_bytes);
}

asio::awaitable<void> RpcPeer::wait_room_for_answer() {
  if (process_) co_await process_->wait_room(most_waiting_bytes + most_answer_bytes);
}

void RpcPeer::answer(const json& id, const Result<json>& result) {
  if (id.is_null() || !process_) return;
  std::string line = R"({"jsonrpc":"2.0","id":)" + dump(id);
  if (result) {
    line += ",\"result\":" + dump(*result) + "}";
  } else {
    const Error& error = result.error();
    line += ",\"error\":{\"code\":" + std::to_string(number_of(error.code)) + ",\"message\":";
    append_json_string(line, error.text);
    line += ",\"data\":{\"code\":";
    append_json_string(line, base::to_string(error.code));
    if (error.retry_after.count() > 0) line += ",\"retry_after\":" + std::to_string(error.retry_after.count());
    line += "}}}";
  }
  process_->write_line(std::move(line));
}

// ---- In ----

Result<std::optional<RpcPeer::Incoming>> RpcPeer::take(std::string_view line) {
  const auto bad = [](std::string text) { return Error{Errc::bad_input, std::move(text)}; };
  auto parsed = parse_json(line);
  if (!parsed) return parsed.error();
  json& message = *parsed;
  if (!message.is_object()) return bad("not an object");
  const auto version = message.find("jsonrpc");
  if (version == message.end() || *version != "2.0") return bad("jsonrpc: must be \"2.0\"");

  const auto method = message.find("method");
  const auto id = message.find("id");
  if (method == message.end()) {
    if (id == message.end() || !id->is_number_unsigned() || id->get<std::uint64_t>() > last_id_)
      return bad("id: answers no request");
    if (message.contains("result") == message.contains("error")) return bad("an answer has either result or error");
    take_answer(message);
    return std::optional<Incoming>();
  }

  Incoming incoming;
  if (!method->is_string()) return bad("method: must be a string");
  incoming.method = method->get<std::string>();
  if (id != message.end()) {
    const bool short_text = id->is_string() && id->get_ref<const std::string&>().size() <= most_id_bytes;
    if (!id->is_number_integer() && !short_text) return bad("id: must be a whole number or a short string");
    incoming.id = std::move(*id);
  }
  incoming.params = json::object();
  if (const auto params = message.find("params"); params != message.end()) {
    if (!params->is_object()) return bad("params: must be an object");
    incoming.params = std::move(*params);
  }
  return std::optional<Incoming>(std::move(incoming));
}

void RpcPeer::take_answer(const json& message) {
  ++answers_;
  const auto error = message.find("error");
  const auto id = message.at("id").get<std::uint64_t>();
  if (!calls_.contains(id)) {  // cancelled
    if (error != message.end()) log::info("child.refused", {{"error", to_error(*error).text}});
    return;
  }
  const Held held = release(id);
  if (!held.waiting) return;
  if (error != message.end()) held.waiting->settle(to_error(*error));
  else held.waiting->settle(message.at("result"));
}

void RpcPeer::detach() {
  if (!process_) return;
  const std::uint64_t taken = process_->taken();
  process_ = nullptr;
  limited_calls_ = limited_bytes_ = 0;
  look_ups_.clear();
  const auto calls = std::exchange(calls_, {});
  for (const auto& [id, held] : calls) {
    if (!held.waiting) continue;
    if (held.starts_at >= taken)
      held.waiting->settle(Error{Errc::unavailable, "The connector's process ended before it took this."});
    else held.waiting->settle(Error{Errc::uncertain, "The connector's process ended before it answered."});
  }
}

}  // namespace wherry::child
