#include "connectors/sms/smpp/wire/protocol.hpp"

#include "gateway/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::uint32_t most_sequence = 0x7FFFFFFF;  // §3.2
constexpr std::size_t most_overdue = 1000;           // answers that may still come are remembered for so many

}  // namespace

std::chrono::seconds Protocol::limit_of(Command command) const {
  switch (command) {
    case Command::bind_receiver:
    case Command::bind_transmitter:
    case Command::bind_transceiver: return limits_.bind_response;
    case Command::enquire_link: return limits_.enquire_response;
    case Command::unbind: return limits_.unbind_response;
    default: return limits_.submit_response;
  }
}

std::uint32_t Protocol::request(Command command, std::string body, Time now) {
  while (pending_.contains(next_sequence_)) next_sequence_ = next_sequence_ % most_sequence + 1;
  const std::uint32_t sequence = std::exchange(next_sequence_, next_sequence_ % most_sequence + 1);
  pending_[sequence] = {command, now, now + limit_of(command), answers_, false};
  send(encode(command, Status::ok, sequence, body));
  return sequence;
}

std::uint64_t Protocol::answer(Command request, std::uint32_t sequence, Status status, Time now) {
  if (answers_ == proved_) unproved_since_ = now;
  respond(request, sequence, status);
  return ++answers_;
}

// The stream keeps its order, so whoever answers a request has had what was sent before it.
void Protocol::prove(const Pending& answered) {
  if (answered.answers <= proved_) return;
  proved_ = answered.answers;
  unproved_since_ = answered.sent;
  events_.emplace_back(Proved{proved_});
}

void Protocol::respond(Command request, std::uint32_t sequence, Status status) {
  // deliver_sm_resp and data_sm_resp carry a message_id, which is empty (§4.6.2).
  const bool has_id = request == Command::deliver_sm || request == Command::data_sm;
  send(encode(response_to(request), status, sequence, has_id ? encode_c_string("") : std::string()));
}

void Protocol::send(std::string pdu) {
  if (ended_) return;
  output_ += pdu;
  if (output_.size() > limits_.output_octets) end("the peer does not read what it is sent");
}

void Protocol::end(std::string reason) {
  if (std::exchange(ended_, true)) return;
  input_.clear();
  events_.push_back(Ended{std::move(reason)});
}

std::string Protocol::take_output() { return std::exchange(output_, {}); }
std::vector<ProtocolEvent> Protocol::take_events() { return std::exchange(events_, {}); }

void Protocol::feed(std::string_view octets, Time now) {
  if (ended_ || octets.empty()) return;
  heard_ = now;
  if (input_.empty()) partial_since_ = now;
  input_ += octets;
  while (!ended_ && take_pdu(now)) partial_since_ = now;
}

// Handles the PDU at the front of the input; false where it is not whole yet.
bool Protocol::take_pdu(Time now) {
  if (input_.size() < 4) return false;
  // Only the length is sure to be there; what else the header would say counts as 0.
  std::string start = input_.substr(0, header_octets);
  const bool whole_header = start.size() == header_octets;
  start.resize(header_octets, '\0');
  const Header header = decode_header(start);
  if (header.length < header_octets || header.length > limits_.pdu_octets) {
    send(encode(Command::generic_nack, Status::invalid_command_length, whole_header ? header.sequence : 0));
    end(fmt::format("a PDU of {} octets: framing is lost", header.length));
    return false;
  }
  if (input_.size() < header.length) return false;
  const std::string pdu = input_.substr(0, header.length);
  input_.erase(0, header.length);
  handle(header, std::string_view(pdu).substr(header_octets), now);
  return true;
}

void Protocol::handle(const Header& header, std::string_view body, Time now) {
  if (is_response(header.command)) return handle_response(header, body, now);
  switch (header.command) {
    case Command::enquire_link: return respond(header.command, header.sequence, Status::ok);
    case Command::deliver_sm:
    case Command::data_sm: return handle_message(header, body);
    case Command::alert_notification: return;  // has no response (§4.12.1)
    case Command::unbind: respond(header.command, header.sequence, Status::ok); return end("the peer unbound");
    default:
      if (is_known_request(header.command)) {  // it is we who may ask this
        return send(encode(response_to(header.command), Status::wrong_bind_state, header.sequence));
      }
      log::warn("smpp.command_unknown", {{"command", static_cast<std::uint32_t>(header.command)}});
      return send(encode(Command::generic_nack, Status::invalid_command, header.sequence));
  }
}

void Protocol::handle_message(const Header& header, std::string_view body) {
  if (!bound_) return respond(header.command, header.sequence, Status::wrong_bind_state);
  DecodedMessage decoded = decode_short_message(header.command, body);
  if (decoded.status != Status::ok) {
    log::warn("smpp.message_malformed", {{"status", to_string(decoded.status)}, {"octets", body.size()}});
    return respond(header.command, header.sequence, decoded.status);
  }
  if (decoded.is_cut)
    log::warn("smpp.parameter_cut", {{"octets", body.size()}, {"parameters", decoded.message.tlvs.size()}});
  events_.push_back(Asked{header.sequence, header.command, std::move(decoded.message)});
}

void Protocol::handle_response(const Header& header, std::string_view body, Time now) {
  const auto found = pending_.find(header.sequence);
  const bool nack = header.command == Command::generic_nack;
  if (found == pending_.end() || (!nack && header.command != response_to(found->second.command))) {
    log::warn("smpp.response_unexpected", {{"command", static_cast<std::uint32_t>(header.command)},
                                           {"sequence", header.sequence},
                                           {"status", to_string(header.status)}});
    return;
  }
  const Command asked = found->second.command;
  prove(found->second);
  pending_.erase(found);
  if (asked == Command::enquire_link) return;  // any answer tells that the peer lives
  // A refusal that claims success is still a refusal.
  const Status status = nack && header.status == Status::ok ? Status::unknown_error : header.status;
  if (asked == Command::submit_sm) answered_ = now;
  const bool binds =
      asked == Command::bind_receiver || asked == Command::bind_transmitter || asked == Command::bind_transceiver;
  if (binds && status == Status::ok) bound_ = true;
  events_.push_back(Answered{header.sequence, header.command, status, std::string(body)});
  if (asked == Command::unbind) end(unbound_reason);
}

void Protocol::expire(std::uint32_t sequence, Pending& pending) {
  switch (pending.command) {
    case Command::submit_sm:
      pending.overdue = true;
      events_.push_back(Unanswered{sequence});
      // One answer that is lost is no reason to cut the others off; none in all that time is.
      if (answered_ <= pending.sent) end("submit_sm is not answered");
      return;
    case Command::enquire_link: return end("enquire_link is not answered");
    case Command::unbind: return end("unbind is not answered");
    default: return end("the bind is not answered");
  }
}

void Protocol::tick(Time now) {
  if (ended_) return;
  if (!input_.empty() && now >= partial_since_ + limits_.rest_of_pdu) return end("the rest of a PDU did not come");
  std::size_t overdue = 0;
  bool enquiring = false;
  for (auto& [sequence, pending] : pending_) {
    if (!pending.overdue && now >= pending.deadline) expire(sequence, pending);
    if (ended_) return;
    if (pending.overdue) ++overdue;
    if (pending.command == Command::enquire_link) enquiring = true;
  }
  for (auto entry = pending_.begin(); overdue > most_overdue && entry != pending_.end();) {
    if (entry->second.overdue) {
      events_.push_back(Forgotten{entry->first});
      entry = pending_.erase(entry);
      --overdue;
    } else {
      ++entry;
    }
  }
  if (bound_ && !enquiring && now >= next_enquiry()) request(Command::enquire_link, {}, now);
}

Protocol::Time Protocol::next_enquiry() const {
  if (limits_.enquire_interval.count() == 0) return Time::max();
  const Time silent = heard_ + limits_.enquire_interval;
  return answers_ == proved_ ? silent : std::min(silent, unproved_since_ + limits_.prove_after);
}

Protocol::Time Protocol::next_tick() const {
  if (ended_) return Time::max();
  Time next = Time::max();
  if (!input_.empty()) next = partial_since_ + limits_.rest_of_pdu;
  bool enquiring = false;
  for (const auto& [sequence, pending] : pending_) {
    if (!pending.overdue) next = std::min(next, pending.deadline);
    if (pending.command == Command::enquire_link) enquiring = true;
  }
  if (bound_ && !enquiring) next = std::min(next, next_enquiry());
  return next;
}

}  // namespace wherry::sms::smpp
