#include "connectors/oscar/client/session.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::oscar {

namespace {

constexpr int spared_packets = 3;         // messages that may follow at once what is less urgent
constexpr std::size_t most_early = 5000;  // of what comes before everything is ready

// What answers a question: an error of its family, or the one subtype that does. Servers count their own packets, too,
// so a number alone says nothing.
bool is_answer(std::uint16_t family, std::uint16_t question, const Snac& snac) {
  if (snac.family != family) return false;
  const bool is_list_change = family == family::lists && question >= 0x08 && question <= 0x0A;
  const bool is_message = family == family::messages && question == 0x06;
  const bool is_list = family == family::lists && question == 0x04;
  const int answer = is_list_change ? 0x0E : is_message ? 0x0C : is_list ? 0x06 : question + 1;
  return snac.subtype == 0x01 || snac.subtype == answer;
}

// What counts only while the session is there.
bool ends_with_session(const News& news) {
  return std::holds_alternative<Arrived>(news) || std::holds_alternative<Departed>(news) ||
         std::holds_alternative<TypingNotice>(news) || std::holds_alternative<RosterChange>(news) ||
         std::holds_alternative<IcqPacket>(news);
}

}  // namespace

OscarSession::OscarSession(std::string cookie, std::uint32_t status, Roster::Plain plain, SessionLimits limits,
                           Time now)
    : cookie_(std::move(cookie)),
      status_(status),
      limits_(limits),
      roster_(std::move(plain)),
      deadline_(now + limits.step),
      next_keep_alive_(now + limits.keep_alive) {}

OscarSession::OscarSession(std::string cookie, std::uint16_t service, SessionLimits limits, Time now)
    : OscarSession(
          std::move(cookie), 0, [](std::string_view name) { return std::string(name); }, limits, now) {
  service_ = service;
}

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
  // The server has given it away, and gives it to no other session.
  for (News& news : std::exchange(early_, {})) {
    if (!ends_with_session(news)) events_.emplace_back(std::move(news));
  }
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
  Question question;
  question.family = family;
  question.subtype = subtype;
  questions_[id] = std::move(question);
  flush(now);
  return id;
}

std::uint32_t OscarSession::send(const OutgoingMessage& message, bool is_acknowledged, Time now) {
  const std::uint32_t id = queue(family::messages, 0x06, write_message(message));
  if (id == 0) return 0;
  Question question;
  question.family = family::messages;
  question.subtype = 0x06;
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

Machine::Time OscarSession::when_spare(std::uint16_t family, std::uint16_t subtype, Time now) const {
  const std::uint16_t rate_class = rates_.class_of(family, subtype);
  const auto found = waiting_.find(rate_class);
  const Time due = rates_.when_spare(rate_class, spared_packets, now);
  const bool is_first = found == waiting_.end() || found->second.empty();
  return is_first ? due : std::max(due, now + std::chrono::seconds(1));
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
    question.family = family::messages;
    question.subtype = 0x04;
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
  if (!is_answer(found->second.family, found->second.subtype, snac)) return false;
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

}  // namespace wherry::oscar
