// One SMPP 3.4 session as a pure object: octets in, octets and events out; the caller tells the time and owns the
// socket. It frames, numbers, times and answers by itself what needs no decision; malformed input never throws.
#pragma once

#include "connectors/sms/smpp/wire/pdu.hpp"

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace wherry::sms::smpp {

struct ProtocolLimits {
  std::size_t pdu_octets = 65'536 + 1'024;  // a full message_payload and what is around it
  std::size_t output_octets = 1 << 20;      // answers that the peer does not read
  std::chrono::seconds rest_of_pdu{10};     // from a PDU's first octet to its last
  std::chrono::seconds bind_response{30}, submit_response{60}, unbind_response{5};
  std::chrono::seconds enquire_interval{30};  // after so long without a word from the peer; 0: never asked
  std::chrono::seconds enquire_response{10};
  // where the peer is asked at all: it is also asked when nothing has shown for so long that it reads our answers
  std::chrono::seconds prove_after{10};
};

// To a request of ours. After Unanswered it may still come. `command` is generic_nack where the peer refused by that.
struct Answered {
  std::uint32_t sequence = 0;
  Command command{};
  Status status = Status::ok;
  std::string body;
};
struct Unanswered {
  std::uint32_t sequence = 0;
};
// The answer to an Unanswered request is not waited for any longer: too many are missing.
struct Forgotten {
  std::uint32_t sequence = 0;
};
// deliver_sm or data_sm: owes an answer().
struct Asked {
  std::uint32_t sequence = 0;
  Command command{};
  ShortMessage message;
};
// The peer has answered what we sent behind our answer(), so it has read so many of them.
struct Proved {
  std::uint64_t answers = 0;
};
// Nothing more will come or may be sent, except what take_output() still has.
struct Ended {
  std::string reason;
};
inline constexpr const char* unbound_reason = "unbound";  // the reason where the peer answered our unbind
using ProtocolEvent = std::variant<Answered, Unanswered, Forgotten, Asked, Proved, Ended>;

class Protocol {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Protocol(ProtocolLimits limits, Time now) : limits_(limits), heard_(now), answered_(now) {}

  std::uint32_t request(Command command, std::string body, Time now);  // its sequence number
  // To an Asked; returns how many answers that makes on this link.
  std::uint64_t answer(Command request, std::uint32_t sequence, Status status, Time now);

  void feed(std::string_view octets, Time now);
  void tick(Time now);
  Time next_tick() const;  // when tick() is wanted, at the latest

  void end(std::string reason);
  bool ended() const { return ended_; }
  std::size_t output_size() const { return output_.size(); }
  std::string take_output();
  std::vector<ProtocolEvent> take_events();

 private:
  struct Pending {
    Command command{};
    Time sent, deadline;
    std::uint64_t answers = 0;  // of ours were sent before it
    bool overdue = false;
  };
  bool take_pdu(Time now);
  void handle(const Header& header, std::string_view body, Time now);
  void handle_response(const Header& header, std::string_view body, Time now);
  void handle_message(const Header& header, std::string_view body);
  void prove(const Pending& answered);
  void respond(Command request, std::uint32_t sequence, Status status);
  void expire(std::uint32_t sequence, Pending& pending);
  Time next_enquiry() const;
  std::chrono::seconds limit_of(Command command) const;
  void send(std::string pdu);

  ProtocolLimits limits_;
  std::string input_, output_;
  std::vector<ProtocolEvent> events_;
  std::map<std::uint32_t, Pending> pending_;
  std::uint32_t next_sequence_ = 1;
  Time heard_;                              // the last octet
  Time partial_since_{};                    // the first octet of what is in input_
  Time answered_;                           // the last response to a submit_sm
  std::uint64_t answers_ = 0, proved_ = 0;  // to what was Asked
  Time unproved_since_{};
  bool bound_ = false;
  bool ended_ = false;
};

}  // namespace wherry::sms::smpp
