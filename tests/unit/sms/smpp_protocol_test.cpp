#include "connectors/sms/smpp/wire/protocol.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace wherry;
using namespace wherry::sms::smpp;
using std::chrono::seconds;

namespace {

std::string nul(const char* text) { return encode_c_string(text); }

struct Session {
  Protocol::Time now{};
  Protocol protocol;
  explicit Session(ProtocolLimits limits = {}) : now(seconds(1000)), protocol(limits, now) {}

  void bind() {
    protocol.request(Command::bind_transceiver, {}, now);
    feed(encode(response_to(Command::bind_transceiver), Status::ok, 1, nul("SMSC")));
    protocol.take_output();
    protocol.take_events();
  }
  void feed(const std::string& octets) { protocol.feed(octets, now); }
  void pass(seconds time) {
    now += time;
    protocol.tick(now);
  }
  std::string output() { return base::to_hex(protocol.take_output()); }
  // What happened, as text.
  std::string events() {
    std::string all;
    for (const auto& event : protocol.take_events()) {
      if (const auto* a = std::get_if<Answered>(&event))
        all += "answered " + std::to_string(a->sequence) + " " + to_string(a->status) + "; ";
      if (const auto* u = std::get_if<Unanswered>(&event)) all += "unanswered " + std::to_string(u->sequence) + "; ";
      if (const auto* f = std::get_if<Forgotten>(&event)) all += "forgotten " + std::to_string(f->sequence) + "; ";
      if (const auto* m = std::get_if<Asked>(&event))
        all += "asked " + std::to_string(m->sequence) + " " + m->message.text + "; ";
      if (const auto* p = std::get_if<Proved>(&event)) all += "proved " + std::to_string(p->answers) + "; ";
      if (const auto* e = std::get_if<Ended>(&event)) all += "ended: " + e->reason + "; ";
    }
    return all;
  }
};

std::string hex(Command command, Status status, std::uint32_t sequence, std::string_view body = {}) {
  return base::to_hex(encode(command, status, sequence, body));
}

std::string deliver(std::uint32_t sequence, const char* text) {
  ShortMessage m;
  m.source = {1, 1, "15550100"};
  m.destination = {1, 1, "15550001"};
  m.text = text;
  return encode(Command::deliver_sm, Status::ok, sequence, encode_body(m, Command::deliver_sm));
}

std::string raw_header(std::uint32_t length, std::uint32_t sequence) {
  std::string h = encode(Command::deliver_sm, Status::ok, sequence);
  for (int i = 0; i < 4; ++i) h[static_cast<std::size_t>(i)] = static_cast<char>(length >> (24 - 8 * i));
  return h;
}

}  // namespace

TEST_CASE("PDUs are framed whether they come octet by octet or many at once (SMPP 3.4 §3.2)") {
  Session s;
  s.bind();
  const std::string two = deliver(5, "one") + deliver(6, "two");
  for (const char octet : two) s.feed(std::string(1, octet));
  CHECK(s.events() == "asked 5 one; asked 6 two; ");
  s.feed(two + two);
  CHECK(s.events() == "asked 5 one; asked 6 two; asked 5 one; asked 6 two; ");
  s.protocol.answer(Command::deliver_sm, 6, Status::ok, s.now);
  CHECK(s.output() == hex(response_to(Command::deliver_sm), Status::ok, 6, nul("")));
}

TEST_CASE("An impossible command_length is answered with generic_nack, and the session ends (SMPP 3.4 §4.3)") {
  for (const std::uint32_t length : {0U, 8U, 15U, 0x7fffffffU, 0xffffffffU, 70'000U}) {
    CAPTURE(length);
    Session s;
    s.bind();
    s.feed(raw_header(length, 42));
    CHECK(s.output() == hex(Command::generic_nack, Status::invalid_command_length, 42));
    CHECK(s.events().starts_with("ended: a PDU of"));
    s.feed(deliver(5, "ignored"));
    CHECK(s.events().empty());
  }
  Session s;  // not even a header
  s.bind();
  s.feed(std::string("\0\0\0\x03", 4));
  CHECK(s.output() == hex(Command::generic_nack, Status::invalid_command_length, 0));
}

TEST_CASE("Unknown requests get generic_nack, misplaced ones a response, and the session stays (SMPP 3.4 §4.3)") {
  Session s;
  s.bind();
  s.feed(encode(static_cast<Command>(0x00000777), Status::ok, 9));
  CHECK(s.output() == hex(Command::generic_nack, Status::invalid_command, 9));
  s.feed(encode(Command::outbind, Status::ok, 10));
  CHECK(s.output() == hex(Command::generic_nack, Status::invalid_command, 10));
  s.feed(encode(Command::submit_sm, Status::ok, 11));
  CHECK(s.output() == hex(response_to(Command::submit_sm), Status::wrong_bind_state, 11));
  s.feed(encode(Command::alert_notification, Status::ok, 12));
  CHECK(s.output().empty());  // has no response
  s.feed(encode(Command::enquire_link, Status::ok, 13));
  CHECK(s.output() == hex(response_to(Command::enquire_link), Status::ok, 13));
  CHECK(s.events().empty());
  CHECK_FALSE(s.protocol.ended());
}

TEST_CASE("A malformed deliver_sm is answered with its fault, and the session stays (SMPP 3.4 §5.1.3)") {
  Session s;
  s.bind();
  s.feed(encode(Command::deliver_sm, Status::ok, 20, "no NUL in here"));
  CHECK(s.output() == hex(response_to(Command::deliver_sm), Status::invalid_message_length, 20, nul("")));
  s.feed(encode(Command::deliver_sm, Status::ok, 21));
  CHECK(s.output() == hex(response_to(Command::deliver_sm), Status::invalid_message_length, 21, nul("")));
  s.feed(encode(Command::data_sm, Status::ok, 22, std::string(3, '\0')));
  CHECK(s.output() == hex(response_to(Command::data_sm), Status::invalid_message_length, 22, nul("")));
  s.feed(deliver(23, "well"));
  CHECK(s.events() == "asked 23 well; ");
}

TEST_CASE("A deliver_sm before the bind is refused (SMPP 3.4 §2.3)") {
  Session s;
  s.feed(deliver(1, "early"));
  CHECK(s.output() == hex(response_to(Command::deliver_sm), Status::wrong_bind_state, 1, nul("")));
  CHECK(s.events().empty());
}

TEST_CASE("Responses come in any order, and those nobody waits for are dropped (SMPP 3.4 §2.7)") {
  Session s;
  s.bind();
  const auto a = s.protocol.request(Command::submit_sm, {}, s.now),
             b = s.protocol.request(Command::submit_sm, {}, s.now);
  CHECK(a == 2);
  CHECK(b == 3);
  s.feed(encode(response_to(Command::submit_sm), Status::ok, b, nul("B")) +
         encode(response_to(Command::submit_sm), Status::throttled, a));
  CHECK(s.events() == "answered 3 ESME_ROK; answered 2 ESME_RTHROTTLED; ");
  s.feed(encode(response_to(Command::submit_sm), Status::ok, b, nul("B")));  // a second time
  s.feed(encode(response_to(Command::submit_sm), Status::ok, 77));           // never asked
  s.feed(encode(static_cast<Command>(0x80000777), Status::ok, 78));          // of nothing known
  s.feed(encode(Command::generic_nack, Status::invalid_command, 0));
  const auto c = s.protocol.request(Command::submit_sm, {}, s.now);
  s.feed(encode(response_to(Command::enquire_link), Status::ok, c));  // of another kind
  CHECK(s.events().empty());
  s.feed(encode(response_to(Command::submit_sm), Status::ok, c));
  CHECK(s.events() == "answered 4 ESME_ROK; ");
  CHECK_FALSE(s.protocol.ended());
}

TEST_CASE("A generic_nack to a request of ours is its refusal, whatever status it has (SMPP 3.4 §4.3)") {
  Session s;
  s.bind();
  const auto a = s.protocol.request(Command::submit_sm, {}, s.now),
             b = s.protocol.request(Command::submit_sm, {}, s.now);
  s.feed(encode(Command::generic_nack, Status::invalid_command_length, a) +
         encode(Command::generic_nack, Status::ok, b));
  CHECK(s.events() == "answered 2 ESME_RINVCMDLEN; answered 3 ESME_RUNKNOWNERR; ");
}

TEST_CASE("Sequence numbers begin at 1 and come round to 1 (SMPP 3.4 §3.2)") {
  Session s;
  CHECK(s.protocol.request(Command::enquire_link, {}, s.now) == 1);
}

TEST_CASE("A silent peer is asked after the interval, and left when it does not answer (SMPP 3.4 §4.11)") {
  Session s;
  s.bind();
  CHECK(s.protocol.next_tick() == s.now + seconds(30));
  s.pass(seconds(29));
  CHECK(s.output().empty());
  s.feed(deliver(5, "alive"));
  s.pass(seconds(29));
  CHECK(s.output().empty());
  s.pass(seconds(1));
  CHECK(s.output() == hex(Command::enquire_link, Status::ok, 2));
  s.feed(encode(response_to(Command::enquire_link), Status::ok, 2));
  s.pass(seconds(30));
  CHECK(s.output() == hex(Command::enquire_link, Status::ok, 3));
  s.pass(seconds(9));
  CHECK_FALSE(s.protocol.ended());
  s.pass(seconds(1));
  CHECK(s.events() == "asked 5 alive; ended: enquire_link is not answered; ");
}

TEST_CASE("Whoever answers what was sent behind our answers has read them (SMPP 3.4 §2.7.2)") {
  Session s;
  s.bind();
  const auto before = s.protocol.request(Command::submit_sm, {}, s.now);
  CHECK(s.protocol.answer(Command::deliver_sm, 5, Status::ok, s.now) == 1);
  const auto between = s.protocol.request(Command::submit_sm, {}, s.now);
  CHECK(s.protocol.answer(Command::data_sm, 6, Status::ok, s.now) == 2);
  s.feed(encode(response_to(Command::submit_sm), Status::ok, before));
  CHECK(s.events() == "answered 2 ESME_ROK; ");
  s.feed(encode(response_to(Command::submit_sm), Status::queue_full, between));
  CHECK(s.events() == "proved 1; answered 3 ESME_RMSGQFUL; ");
  // Nothing more is submitted: it is asked.
  s.protocol.take_output();
  CHECK(s.protocol.next_tick() == s.now + seconds(10));
  s.pass(seconds(10));
  CHECK(s.output() == hex(Command::enquire_link, Status::ok, 4));
  s.feed(encode(response_to(Command::enquire_link), Status::ok, 4));
  CHECK(s.events() == "proved 2; ");
  CHECK(s.protocol.next_tick() == s.now + seconds(30));
}

TEST_CASE("A PDU whose rest does not come ends the session (sms.md §1.1)") {
  Session s;
  s.bind();
  s.feed(deliver(5, "whole") + deliver(6, "half").substr(0, 20));
  s.pass(seconds(9));
  CHECK(s.events() == "asked 5 whole; ");
  s.pass(seconds(1));
  CHECK(s.events() == "ended: the rest of a PDU did not come; ");
}

TEST_CASE(
    "Of more than a thousand answers that are missing the oldest is waited for no longer, and its sender is told") {
  ProtocolLimits limits;
  limits.enquire_interval = seconds(0);
  Session s(limits);
  s.bind();
  for (int i = 0; i < 1001; ++i) s.protocol.request(Command::submit_sm, {}, s.now);
  s.pass(seconds(30));
  const auto answered = s.protocol.request(Command::submit_sm, {}, s.now);
  s.feed(encode(response_to(Command::submit_sm), Status::ok, answered));  // so the peer is there
  s.events();
  s.pass(seconds(30));
  const std::string events = s.events();
  CHECK(events.starts_with("unanswered 2; "));
  CHECK(events.ends_with("unanswered 1002; forgotten 2; "));
  CHECK_FALSE(s.protocol.ended());
}

TEST_CASE(
    "One submit_sm that is not answered is overdue, and its answer may still come; none at all ends the session") {
  Session s;
  s.bind();
  const auto a = s.protocol.request(Command::submit_sm, {}, s.now);
  s.pass(seconds(20));
  const auto b = s.protocol.request(Command::submit_sm, {}, s.now);
  s.feed(encode(response_to(Command::submit_sm), Status::ok, b));
  s.pass(seconds(20));
  s.feed(deliver(9, "x"));
  s.pass(seconds(20));
  CHECK(s.events() == "answered 3 ESME_ROK; asked 9 x; unanswered 2; ");
  CHECK_FALSE(s.protocol.ended());
  s.feed(encode(response_to(Command::submit_sm), Status::ok, a, nul("late")));
  CHECK(s.events() == "answered 2 ESME_ROK; ");

  const auto c = s.protocol.request(Command::submit_sm, {}, s.now);
  for (int i = 0; i < 6; ++i) {
    s.pass(seconds(10));
    s.feed(deliver(10, "y"));
  }
  s.pass(seconds(1));
  const std::string events = s.events();
  CHECK(events.find("unanswered " + std::to_string(c) + "; ended: submit_sm is not answered; ") != std::string::npos);
}

TEST_CASE("An unbind is answered and ends the session; ours ends it when it is answered, or not (SMPP 3.4 §4.2)") {
  Session theirs;
  theirs.bind();
  theirs.feed(encode(Command::unbind, Status::ok, 50) + deliver(51, "after"));
  CHECK(theirs.output() == hex(response_to(Command::unbind), Status::ok, 50));
  CHECK(theirs.events() == "ended: the peer unbound; ");
  Session ours;
  ours.bind();
  ours.protocol.request(Command::unbind, {}, ours.now);
  ours.feed(encode(response_to(Command::unbind), Status::ok, 2));
  CHECK(ours.events() == "answered 2 ESME_ROK; ended: unbound; ");
  Session deaf;
  deaf.bind();
  deaf.protocol.request(Command::unbind, {}, deaf.now);
  deaf.pass(seconds(5));
  CHECK(deaf.events() == "ended: unbind is not answered; ");
}

TEST_CASE("A peer that asks and never reads is left before its answers fill the memory") {
  Session s;
  s.bind();
  const std::string many = [] {
    std::string all;
    for (std::uint32_t i = 0; i < 1000; ++i) all += encode(Command::enquire_link, Status::ok, i);
    return all;
  }();
  for (int i = 0; i < 100 && !s.protocol.ended(); ++i) s.feed(many);
  CHECK(s.protocol.ended());
  CHECK(s.protocol.output_size() < (2U << 20));
}

TEST_CASE("A session takes any octets, in any pieces (seeded)") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Session s;
    s.bind();
    s.protocol.request(Command::submit_sm, {}, s.now);
    for (int round = 0; round < 40 && !s.protocol.ended(); ++round) {
      std::string octets = random() % 3 ? deliver(static_cast<std::uint32_t>(random() % 100), "some text")
                                        : encode(static_cast<Command>(random() % 0x25), Status::ok,
                                                 static_cast<std::uint32_t>(random() % 5));
      for (std::size_t i = random() % 4; i > 0; --i)
        octets[4 + random() % (octets.size() - 4)] = static_cast<char>(random());
      if (random() % 20 == 0) octets[random() % 4] = static_cast<char>(random());
      while (!octets.empty()) {
        const std::size_t piece = 1 + random() % octets.size();
        s.feed(octets.substr(0, piece));
        octets.erase(0, piece);
      }
      s.pass(seconds(random() % 3));
    }
    (void)s.events();
    CHECK(s.protocol.output_size() < 100'000);
  }
}
