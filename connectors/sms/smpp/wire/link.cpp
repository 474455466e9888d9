#include "connectors/sms/smpp/wire/link.hpp"

#include "connectors/sms/carrier.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <array>
#include <utility>

namespace wherry::sms::smpp {

namespace {

using std::chrono::steady_clock;

// What a refused bind means for the next attempt: hammering locks accounts, and a peer that believes us still bound
// needs time.
std::chrono::seconds wait_after(Status status) {
  switch (status) {
    case Status::already_bound: return std::chrono::seconds(45);
    case Status::invalid_password:
    case Status::invalid_system_id:
    case Status::bind_failed: return std::chrono::seconds(300);
    default: return std::chrono::seconds(30);
  }
}

}  // namespace

Link::Link(asio::any_io_executor executor, std::unique_ptr<Stream> stream, ProtocolLimits limits, Events events)
    : executor_(executor),
      stream_(std::move(stream)),
      protocol_(limits, steady_clock::now()),
      events_(std::move(events)),
      timer_(executor, asio::steady_timer::time_point::max()),
      output_(executor),
      changed_(executor) {}

asio::awaitable<std::unique_ptr<Link>> Link::open(Endpoint endpoint, Command command, Bind bind, ProtocolLimits limits,
                                                  Events events) {
  const auto executor = co_await asio::this_coro::executor;
  const std::string peer = fmt::format("{}:{}", endpoint.host, endpoint.port);
  std::unique_ptr<Stream> stream;
  std::string failure;
  try {
    stream = co_await connect(std::move(endpoint));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    failure = e.code().message();
  } catch (const base::TimedOut&) {
    failure = "no answer";
  }
  if (!stream) throw LinkDown(fmt::format("cannot connect to {}: {}", peer, failure));
  std::unique_ptr<Link> link(new Link(executor, std::move(stream), limits, std::move(events)));
  co_await link->bind(command, std::move(bind));
  co_return link;
}

asio::awaitable<void> Link::bind(Command command, Bind bind) {
  protocol_.request(command, encode_body(bind), steady_clock::now());
  std::array<char, 4096> buffer;
  const asio::mutable_buffer space(buffer.data(), buffer.size());
  try {
    while (!bound_ && bind_status_ == Status::ok && !protocol_.ended()) {
      const std::string output = protocol_.take_output();
      co_await stream_->write(output);
      auto reading = stream_->read_some(space);
      const std::size_t count = co_await base::within(protocol_.next_tick() - steady_clock::now(), std::move(reading));
      if (count == 0)
        throw LinkDown("the peer closed the connection instead of answering the bind", std::chrono::seconds(30));
      protocol_.feed(std::string_view(buffer.data(), count), steady_clock::now());
      protocol_.tick(steady_clock::now());
      handle_events();
    }
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    reason_ = e.code().message();
  } catch (const base::TimedOut&) {
    reason_ = "the bind is not answered";
  }
  if (bind_status_ != Status::ok)
    throw LinkDown("the peer refuses the bind: " + to_string(bind_status_), wait_after(bind_status_));
  if (!bound_ || protocol_.ended()) throw LinkDown(reason_);
}

asio::awaitable<std::string> Link::run() {
  try {
    auto reading = read(), writing = write(), timing = keep_time();
    auto moving = base::together(std::move(writing), std::move(timing));
    co_await base::together(std::move(reading), std::move(moving));
  } catch (const boost::system::system_error& e) {
    const bool stopped = e.code() == asio::error::operation_aborted;
    if (reason_.empty())
      reason_ = stopped                        ? "stopped"
                : e.code() == asio::error::eof ? "the peer closed the connection"
                                               : e.code().message();
  }
  end(reason_);  // unbind() waits for the end, however it comes
  stream_->close();
  settle_all();
  co_return reason_;
}

// Once the protocol has ended, write() flushes and throws, which ends the other two.
asio::awaitable<void> Link::read() {
  std::array<char, 16384> buffer;
  const asio::mutable_buffer space(buffer.data(), buffer.size());
  for (;;) {
    const std::size_t count = co_await stream_->read_some(space);
    if (count == 0) throw boost::system::system_error(asio::error::eof);
    protocol_.feed(std::string_view(buffer.data(), count), steady_clock::now());
    handle_events();
  }
}

asio::awaitable<void> Link::write() {
  for (;;) {
    if (protocol_.output_size() > 0) {
      const std::string output = protocol_.take_output();
      for (const std::uint32_t sequence : unwritten_) {
        const auto found = submissions_.find(sequence);
        if (found != submissions_.end()) found->second->state = Submission::State::written;
      }
      unwritten_.clear();
      co_await stream_->write(output);
    } else if (protocol_.ended()) {
      throw boost::system::system_error(asio::error::operation_aborted);
    } else {
      co_await output_.wait();
    }
  }
}

asio::awaitable<void> Link::keep_time() {
  while (!protocol_.ended()) {
    timer_.expires_at(protocol_.next_tick());
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    protocol_.tick(steady_clock::now());
    handle_events();
  }
  co_await base::sleep(std::chrono::seconds(2));  // for the last words to a peer that does not read
  throw boost::system::system_error(asio::error::operation_aborted);
}

void Link::wake() {
  output_.notify();
  if (protocol_.next_tick() < timer_.expiry() || protocol_.ended()) timer_.cancel();
}

void Link::handle_events() {
  for (ProtocolEvent& event : protocol_.take_events()) {
    if (auto* answered = std::get_if<Answered>(&event)) {
      const auto found = submissions_.find(answered->sequence);
      if (found == submissions_.end()) {
        if (answered->status == Status::ok) bound_ = true;
        else if (!bound_) bind_status_ = answered->status;
        continue;
      }
      const auto submission = found->second;
      submissions_.erase(found);
      submission->state = Submission::State::answered;
      submission->status = answered->status;
      submission->message_id = decode_named_response(answered->body).name;
      submission->changed.notify();
      changed_.notify();
    } else if (const auto* unanswered = std::get_if<Unanswered>(&event)) {
      const auto found = submissions_.find(unanswered->sequence);
      if (found == submissions_.end()) continue;
      found->second->state = Submission::State::overdue;
      found->second->changed.notify();
      changed_.notify();
    } else if (const auto* forgotten = std::get_if<Forgotten>(&event)) {
      const auto found = submissions_.find(forgotten->sequence);
      if (found == submissions_.end()) continue;
      found->second->state = Submission::State::lost;
      found->second->changed.notify();
      submissions_.erase(found);
    } else if (auto* asked = std::get_if<Asked>(&event)) {
      events_.asked(*this, std::move(*asked));
    } else if (const auto* proved = std::get_if<Proved>(&event)) {
      events_.proved(*this, *proved);
    } else if (const auto* ended = std::get_if<Ended>(&event)) {
      reason_ = ended->reason;
      changed_.notify();
    }
  }
  if (last_reason_ && !protocol_.ended() && awaited() == 0) return end(*last_reason_);
  wake();
}

std::shared_ptr<Submission> Link::submit(const ShortMessage& message) {
  auto submission = std::make_shared<Submission>(executor_);
  if (protocol_.ended() || last_reason_) {
    submission->state = Submission::State::lost;
    submission->unsent_at_end = true;
    return submission;
  }
  const std::uint32_t sequence =
      protocol_.request(Command::submit_sm, encode_body(message, Command::submit_sm), steady_clock::now());
  submissions_[sequence] = submission;
  unwritten_.push_back(sequence);
  handle_events();  // the output may have become too much
  return submission;
}

std::uint64_t Link::answer(const Asked& asked, Status status) {
  const std::uint64_t answers = protocol_.answer(asked.command, asked.sequence, status, steady_clock::now());
  handle_events();
  return answers;
}

void Link::end(std::string reason) {
  protocol_.end(std::move(reason));
  handle_events();
}

void Link::end_when_answered(std::string reason) {
  if (last_reason_) return;
  last_reason_ = std::move(reason);
  handle_events();
}

void Link::settle_all() {
  for (auto& [sequence, submission] : submissions_) {
    submission->unsent_at_end = submission->state == Submission::State::unsent;
    submission->state = Submission::State::lost;
    submission->changed.notify();
  }
  submissions_.clear();
  unwritten_.clear();
}

std::size_t Link::awaited() const {
  std::size_t count = 0;
  for (const auto& [sequence, submission] : submissions_) count += submission->waits() ? 1 : 0;
  return count;
}

asio::awaitable<void> Link::drain() {
  while (awaited() > 0 && !protocol_.ended()) co_await changed_.wait();
}

asio::awaitable<bool> Link::unbind(std::chrono::seconds drain_limit) {
  try {
    auto draining = drain();
    co_await base::within(drain_limit, std::move(draining));
  } catch (const base::TimedOut&) {
    log::warn("smpp.drain_timed_out", {{"unanswered", awaited()}});
  }
  if (protocol_.ended()) co_return false;
  protocol_.request(Command::unbind, {}, steady_clock::now());
  wake();
  while (!protocol_.ended()) co_await changed_.wait();
  co_return reason_ == unbound_reason;
}

}  // namespace wherry::sms::smpp
