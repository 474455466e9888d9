#include "connectors/oscar/client/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_early = 5000, most_roster_items = 10'000;

struct Spoken {
  std::uint16_t family, version;
};
// Version 3 of the first: with 4 the server tells of a session in several blocks.
constexpr std::array<Spoken, 9> spoken{
    {{0x01, 3}, {0x02, 1}, {0x03, 1}, {0x04, 1}, {0x09, 1}, {0x0A, 1}, {0x0B, 1}, {0x13, 4}, {0x15, 1}}};
constexpr std::uint16_t tool = 0x0110, tool_version = 0x08E4;

// What this side can do: messages in UTF-16, messages between ICQ and AIM, typing. Whoever is told more sends more, and
// in other forms.
constexpr std::string_view capabilities(
    "\x09\x46\x13\x4E\x4C\x7F\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00"
    "\x09\x46\x13\x4D\x4C\x7F\x11\xD1\x82\x22\x44\x45\x53\x54\x00\x00"
    "\x56\x3F\xC8\x09\x0B\x6F\x41\xBD\x9F\x79\x42\x26\x09\xDF\xA2\xF3",
    48);

}  // namespace

OscarSession::OscarSession(std::string cookie, std::uint32_t status, Roster::Plain plain, SessionLimits limits,
                           Time now)
    : cookie_(std::move(cookie)),
      status_(status),
      limits_(limits),
      roster_(std::move(plain)),
      deadline_(now + limits.step),
      next_keep_alive_(now + limits.keep_alive) {}

std::string_view OscarSession::waited_for(Step step) {
  switch (step) {
    case Step::greeting: return "greeting";
    case Step::families: return "list of services";
    case Step::versions: return "versions of its services";
    case Step::rates: return "rates";
    case Step::roster: return "contact list";
    default: return "answer at the end of the login";
  }
}

void OscarSession::finish(Ended::Kind kind, std::string reason) {
  if (std::exchange(ended_, true)) return;
  for (const auto& [id, question] : questions_) events_.emplace_back(Unanswered{id, question.was_sent});
  questions_.clear();
  waiting_.clear();
  queued_ = 0;
  events_.emplace_back(Ended{kind, std::move(reason)});
}

void OscarSession::end(std::string reason) {
  if (ended_) return;
  output_ += flap_.frame(Channel::close);
  finish(Ended::Kind::closed, std::move(reason));
}

void OscarSession::closed() {
  if (flap_.ends_in_close()) return finish(Ended::Kind::closed, "the server ended the session");
  finish(Ended::Kind::broken, "the server closed the connection");
}

// ---- Sending ----

std::uint32_t OscarSession::queue(std::uint16_t family, std::uint16_t subtype, std::string body) {
  if (ended_ || queued_ >= limits_.queued) return 0;
  const std::uint32_t id = next_id_;
  next_id_ = next_id_ % 0x7FFFFFFF + 1;  // the top bit is the server's
  Waiting waiting;
  waiting.snac.family = family;
  waiting.snac.subtype = subtype;
  waiting.snac.id = id;
  waiting.snac.body = std::move(body);
  waiting_[rates_.class_of(family, subtype)].push_back(std::move(waiting));
  ++queued_;
  return id;
}

std::uint32_t OscarSession::tell(std::uint16_t family, std::uint16_t subtype, std::string body, Time now) {
  const std::uint32_t id = queue(family, subtype, std::move(body));
  flush(now);
  return id;
}

std::uint32_t OscarSession::ask(std::uint16_t family, std::uint16_t subtype, std::string body, Time now) {
  const std::uint32_t id = queue(family, subtype, std::move(body));
  if (id == 0) return 0;
  questions_[id] = Question{};
  flush(now);
  return id;
}

std::uint32_t OscarSession::send(const OutgoingMessage& message, bool is_acknowledged, Time now) {
  const std::uint32_t id = queue(family::messages, 0x06, write_message(message));
  if (id == 0) return 0;
  Question question;
  question.cookie = message.cookie;
  question.is_acknowledged = is_acknowledged;
  questions_[id] = std::move(question);
  flush(now);
  return id;
}

bool OscarSession::tell_at_once(std::uint16_t family, std::uint16_t subtype, std::string body, Time now) {
  const std::uint16_t rate_class = rates_.class_of(family, subtype);
  const auto found = waiting_.find(rate_class);
  if (found != waiting_.end() && !found->second.empty()) return false;
  if (rates_.when(rate_class, now) > now) return false;
  return tell(family, subtype, std::move(body), now) != 0;
}

void OscarSession::write(const Snac& snac, Time now) {
  output_ += flap_.frame(Channel::data, write_snac(snac));
  const auto found = questions_.find(snac.id);
  if (found == questions_.end()) return;
  found->second.was_sent = true;
  found->second.deadline = now + limits_.answer;
}

// What the rates allow. A message that is perhaps not acknowledged is followed by a question that is.
void OscarSession::flush(Time now) {
  std::vector<std::uint32_t> unacknowledged;
  for (auto& [rate_class, waiting] : waiting_) {
    while (!waiting.empty() && rates_.when(rate_class, now) <= now) {
      const Snac snac = std::move(waiting.front().snac);
      waiting.pop_front();
      --queued_;
      rates_.sent(rate_class, now);
      write(snac, now);
      const auto question = questions_.find(snac.id);
      if (question != questions_.end() && !question->second.is_acknowledged) unacknowledged.push_back(snac.id);
    }
  }
  for (const std::uint32_t message : unacknowledged) {
    const std::uint32_t id = queue(family::messages, 0x04, {});
    if (id == 0) continue;
    Question question;
    question.confirms = message;
    questions_[id] = std::move(question);
  }
  if (!unacknowledged.empty()) flush(now);
}

// ---- Time ----

void OscarSession::tick(Time now) {
  if (ended_) return;
  if (step_ != Step::ready && now >= deadline_)
    return finish(Ended::Kind::broken, fmt::format("the server's {} did not come in time", waited_for(step_)));
  for (auto entry = questions_.begin(); entry != questions_.end();) {
    if (now < entry->second.deadline) {
      ++entry;
      continue;
    }
    if (entry->second.confirms == 0) events_.emplace_back(Unanswered{entry->first, true});
    entry = questions_.erase(entry);
  }
  if (now >= next_keep_alive_) {
    output_ += flap_.frame(Channel::keep_alive);
    next_keep_alive_ = now + limits_.keep_alive;
  }
  flush(now);
}

Machine::Time OscarSession::next_tick() const {
  if (ended_) return Time::max();
  Time next = next_keep_alive_;
  if (step_ != Step::ready) next = std::min(next, deadline_);
  for (const auto& [id, question] : questions_) next = std::min(next, question.deadline);
  for (const auto& [rate_class, waiting] : waiting_) {
    if (!waiting.empty()) next = std::min(next, rates_.when(rate_class, Time()));
  }
  return next;
}

// ---- Reading ----

void OscarSession::feed(std::string_view octets, Time now) {
  if (ended_) return;
  flap_.feed(octets);
  while (!ended_) {
    const auto frame = flap_.next();
    if (!frame) break;
    handle(*frame, now);
  }
  if (flap_.is_broken()) finish(Ended::Kind::broken, "the server's framing is lost");
}

void OscarSession::handle(const Frame& frame, Time now) {
  switch (frame.channel) {
    case Channel::hello:
      if (step_ != Step::greeting) return;
      output_ += flap_.frame(Channel::hello, Writer().u32(1).tlv(0x06, cookie_).octets());
      cookie_.clear();
      return begin(Step::families, now);
    case Channel::data: {
      auto snac = read_snac(frame.data);
      if (!snac) return finish(Ended::Kind::broken, "the server sent a packet that cannot be read");
      return handle(std::move(*snac), now);
    }
    case Channel::close: {
      Reader in(frame.data);
      const auto code = number(read_tlvs(in), 0x09);
      if (code == 1) return finish(Ended::Kind::other_login, "the account logged in elsewhere");
      return finish(Ended::Kind::closed, "the server ended the session");
    }
    case Channel::error: return finish(Ended::Kind::broken, "the server reports an error of the line");
    case Channel::keep_alive: return;
  }
}

void OscarSession::handle(Snac snac, Time now) {
  if (snac.is(family::generic, 0x0A)) {
    rates_.change(snac.body, now);
    return flush(now);
  }
  if (snac.is(family::generic, 0x12)) return finish(Ended::Kind::closed, "the server sends its users to another one");
  if (take_answer(snac, now)) return;
  if (step_ != Step::ready) advance(snac, now);
  if (ended_) return;
  News news = read_news(snac);
  if (std::holds_alternative<std::monostate>(news)) return;
  if (const auto* change = std::get_if<RosterChange>(&news)) roster_.apply(*change);
  report(std::move(news));
}

void OscarSession::report(News news) {
  if (step_ == Step::ready) events_.emplace_back(std::move(news));
  else if (early_.size() < most_early) early_.push_back(std::move(news));
}

void OscarSession::settle(std::uint32_t id, Snac snac, bool is_presumed) {
  questions_.erase(id);
  events_.emplace_back(Answer{id, std::move(snac), is_presumed});
}

// Whether it is the answer to a question. A message's acknowledgement names the message.
bool OscarSession::take_answer(const Snac& snac, Time now) {
  auto found = questions_.find(snac.id);
  if (snac.is(family::messages, 0x0C)) {
    const auto acknowledgement = read_acknowledgement(snac.body);
    if (!acknowledgement) return true;
    found = std::find_if(questions_.begin(), questions_.end(),
                         [&](const auto& entry) { return entry.second.cookie == acknowledgement->cookie; });
    if (found == questions_.end()) return true;  // too late: it was given up
  }
  if (found == questions_.end() || !found->second.was_sent) return false;
  const std::uint32_t id = found->first;
  if (id == last_question_) {
    questions_.erase(found);
    advance(snac, now);
    return true;
  }
  if (const std::uint32_t message = found->second.confirms; message != 0) {
    questions_.erase(found);
    if (questions_.contains(message)) settle(message, {}, true);
    return true;
  }
  settle(id, snac, false);
  return true;
}

// ---- The handshake ----

void OscarSession::begin(Step step, Time now) {
  step_ = step;
  deadline_ = now + limits_.step;
}

void OscarSession::advance(const Snac& snac, Time now) {
  if (step_ == Step::families && snac.is(family::generic, 0x03)) {
    Reader in(snac.body);
    while (in.rest().size() >= 2) {
      const std::uint16_t service = in.u16();
      if (std::any_of(spoken.begin(), spoken.end(), [&](const Spoken& one) { return one.family == service; }))
        families_.insert(service);
    }
    say_versions(now);
  } else if (step_ == Step::versions && snac.is(family::generic, 0x18)) {
    begin(Step::rates, now);
    tell(family::generic, 0x06, {}, now);
  } else if (step_ == Step::rates && snac.is(family::generic, 0x07)) {
    rates_.read(snac.body, now);
    say_limits(now);
  } else if (step_ == Step::roster && (snac.is(family::lists, 0x06) || snac.is(family::lists, 0x0F))) {
    take_roster(snac, now);
  } else if (step_ == Step::last && last_question_ != 0 && snac.id == last_question_) {
    step_ = Step::ready;
    events_.emplace_back(Ready{});
    for (News& news : early_) events_.emplace_back(std::move(news));
    early_.clear();
    early_.shrink_to_fit();
  } else if (snac.is(family::generic, 0x01)) {
    Reader in(snac.body);
    finish(Ended::Kind::broken, fmt::format("the server refuses the session with error {}", in.u16()));
  }
}

void OscarSession::say_versions(Time now) {
  Writer versions;
  for (const Spoken& one : spoken) {
    if (offers(one.family)) versions.u16(one.family).u16(one.version);
  }
  begin(Step::versions, now);
  tell(family::generic, 0x17, versions.take(), now);
}

// Not every server answers all of these, and nothing depends on it.
void OscarSession::say_limits(Time now) {
  const auto classes = rates_.classes();
  if (!classes.empty()) {
    Writer known;
    for (const std::uint16_t id : classes) known.u16(id);
    tell(family::generic, 0x08, known.take(), now);
  }
  tell(family::generic, 0x0E, {}, now);
  for (const std::uint16_t service : {family::locate, family::buddies, family::privacy, family::lists}) {
    if (offers(service)) tell(service, 0x02, {}, now);
  }
  if (!offers(family::lists)) return say_ready(now);
  begin(Step::roster, now);
  tell(family::lists, 0x04, {}, now);
}

void OscarSession::take_roster(const Snac& snac, Time now) {
  if (snac.subtype == 0x06) {
    Reader in(snac.body);
    in.u8();  // the version of the form
    const std::size_t count = in.u16();
    RosterChange part;
    part.items = read_items(in, std::min(count, most_roster_items - roster_items_));
    roster_items_ += part.items.size();
    roster_.apply(part);
    if (snac.has_more()) return begin(Step::roster, now);
  }
  tell(family::lists, 0x07, {}, now);
  say_ready(now);
}

void OscarSession::say_ready(Time now) {
  Writer parameters;  // for all channels; typing too; the longest text, and whose messages
  parameters.u16(0).u32(0x0B).u16(8000).u16(999).u16(999).u32(0);
  tell(family::messages, 0x02, parameters.take(), now);
  tell(family::locate, 0x04, Writer().tlv(0x05, capabilities).take(), now);
  tell(family::generic, 0x1E, Writer().tlv32(0x06, status_).take(), now);
  Writer families;
  for (const Spoken& one : spoken) {
    if (offers(one.family)) families.u16(one.family).u16(one.version).u16(tool).u16(tool_version);
  }
  tell(family::generic, 0x02, families.take(), now);
  begin(Step::last, now);
  last_question_ = ask(family::messages, 0x04, {}, now);
}

}  // namespace wherry::oscar
