#include "connectors/msn/client/protocol.hpp"

#include <algorithm>
#include <utility>

namespace wherry::msn {

namespace {

// A number alone does not make an answer: ILN carries the number of the CHG or ADC that it follows.
bool is_answer(std::string_view request, const Command& command) {
  if (command.name == request || command.error() || command.name == "XFR") return true;
  return request == "MSG" && (command.name == "ACK" || command.name == "NAK");
}

}  // namespace

std::uint32_t Protocol::tell(std::string_view name, std::vector<std::string> args,
                             const std::optional<std::string>& payload) {
  args.insert(args.begin(), std::to_string(++last_));
  if (!ended()) output_ += encode(name, args, payload);
  return last_;
}

std::uint32_t Protocol::request(std::string_view name, std::vector<std::string> args, Time now,
                                const std::optional<std::string>& payload) {
  const std::uint32_t number = tell(name, std::move(args), payload);
  pending_[number] = {std::string(name), now + transaction_limit};
  return number;
}

void Protocol::send(std::string_view name, const std::vector<std::string>& args) {
  if (!ended()) output_ += encode(name, args);
}

void Protocol::feed(std::string_view bytes) {
  if (!ended()) framer_.feed(bytes);
}

std::optional<ProtocolEvent> Protocol::next_event() {
  while (events_.empty()) {
    if (ended()) return std::nullopt;
    auto command = framer_.next();
    if (!command) end(End::broken, command.error().text);
    else if (!*command) return std::nullopt;
    else take(std::move(**command));
  }
  std::optional<ProtocolEvent> event(std::move(events_.front()));
  events_.pop_front();
  return event;
}

void Protocol::take(Command command) {
  const auto number = command.transaction();
  const auto found = number ? pending_.find(*number) : pending_.end();
  if (found != pending_.end() && is_answer(found->second.name, command)) {
    Answered answered{found->first, std::move(found->second.name), std::move(command)};
    pending_.erase(found);
    events_.push_back(std::move(answered));
    return;
  }
  if (command.name == "OUT") {
    if (command.arg(0) == "OTH") return end(End::elsewhere, "the account has logged in elsewhere");
    if (command.arg(0) == "SSD") return end(End::shutting_down, "the server is going down");
    return end(End::lost, "the server said OUT");
  }
  events_.push_back(Said{std::move(command)});
}

void Protocol::tick(Time now) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (it->second.limit > now) {
      ++it;
      continue;
    }
    events_.push_back(Unanswered{it->first, std::move(it->second.name)});
    it = pending_.erase(it);
  }
}

Time Protocol::next_tick() const {
  Time next = Time::max();
  for (const auto& [number, pending] : pending_) next = std::min(next, pending.limit);
  return next;
}

void Protocol::end(End how, std::string why) {
  if (ended()) return;
  end_ = how;
  why_ = std::move(why);
  for (auto& [number, pending] : pending_) events_.push_back(Unanswered{number, std::move(pending.name)});
  pending_.clear();
}

}  // namespace wherry::msn
