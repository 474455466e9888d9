#include "connectors/msn/client/switchboard.hpp"

#include "connectors/msn/convert/percent.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::msn {

namespace {

constexpr std::size_t most_others = 100, most_programs = 100;  // of one person

// Who is meant by "juliet@x.test" or, since MSNP16, by "juliet@x.test;{guid}": one of the person's programs.
struct Place {
  std::string email, program;
};
Place place_in(const std::string& word) {
  const std::string address = from_percent(word);
  const auto end = std::min(address.find(';'), address.size());
  return {base::to_lower_ascii(std::string_view(address).substr(0, end)), address.substr(end)};
}

}  // namespace

Switchboard Switchboard::create(const std::string& email, const std::string& key, Time now) {
  Switchboard made(email);
  made.protocol_.request("USR", {email, key}, now);
  return made;
}

Switchboard Switchboard::answer(const std::string& email, const std::string& key, const std::string& session,
                                Time now) {
  Switchboard made(email);
  made.protocol_.request("ANS", {email, key, session}, now);
  return made;
}

void Switchboard::call(const std::string& email, Time now) { calls_[protocol_.request("CAL", {email}, now)] = email; }

std::uint32_t Switchboard::send(const std::string& payload, Acknowledgement acknowledgement, Time now) {
  if (acknowledgement == Acknowledgement::none) return protocol_.tell("MSG", {"U"}, payload);
  return protocol_.request("MSG", {"A"}, now, payload);
}

void Switchboard::leave() {
  protocol_.send("OUT");
  protocol_.end(End::closed, "we have left");
}

void Switchboard::feed(std::string_view bytes, Time) {
  protocol_.feed(bytes);
  while (auto event = protocol_.next_event()) handle(std::move(*event));
}

void Switchboard::tick(Time now) {
  protocol_.tick(now);
  while (auto event = protocol_.next_event()) handle(std::move(*event));
}

void Switchboard::handle(ProtocolEvent event) {
  if (const auto* answered = std::get_if<Answered>(&event)) handle(*answered);
  else if (const auto* unanswered = std::get_if<Unanswered>(&event)) handle(*unanswered);
  else handle(std::get<Said>(std::move(event)));
}

void Switchboard::handle(const Answered& answered) {
  const auto error = answered.command.error();
  if (answered.request == "MSG") {
    if (answered.command.name == "ACK") events_.emplace_back(Acknowledged{answered.transaction});
    else events_.emplace_back(NotDelivered{answered.transaction});
  } else if (answered.request == "CAL") {
    const auto call = calls_.extract(answered.transaction);
    if (error && call) events_.emplace_back(CallRefused{call.mapped(), *error});
  } else if (error) {
    protocol_.end(End::refused, fmt::format("{} is answered with the error {}", answered.request, *error));
  } else if (answered.request == "USR" || answered.request == "ANS") {
    is_open_ = true;
    events_.emplace_back(Opened{});
  }
}

void Switchboard::handle(const Unanswered& unanswered) {
  if (unanswered.request == "MSG") {
    events_.emplace_back(NotDelivered{unanswered.transaction, true});
  } else if (unanswered.request == "CAL") {
    const auto call = calls_.extract(unanswered.transaction);
    if (call) events_.emplace_back(CallRefused{call.mapped(), 0});
  } else {
    protocol_.end(End::silent, unanswered.request + " is not answered");
  }
}

void Switchboard::join(const std::string& word, const std::string& name) {
  const auto [email, program] = place_in(word);
  const bool is_new = !others_.contains(email);
  if (email.empty() || email == email_ || (is_new && others_.size() >= most_others)) return;
  others_[email] = name;
  auto& programs = programs_[email];
  if (programs.size() < most_programs) programs.insert(program);
  if (is_new) events_.emplace_back(Joined{email, name});
}

void Switchboard::part(const std::string& word) {
  const auto [email, program] = place_in(word);
  const auto programs = programs_.find(email);
  if (programs == programs_.end()) return;
  programs->second.erase(program);
  if (!program.empty() && !programs->second.empty()) return;
  programs_.erase(programs);
  others_.erase(email);
  events_.emplace_back(Left{email});
}

void Switchboard::handle(Said said) {
  Command& command = said.command;
  if (command.name == "JOI") {
    join(command.arg(0), from_percent(command.arg(1)));
  } else if (command.name == "IRO") {  // number index total member name
    join(command.arg(3), from_percent(command.arg(4)));
  } else if (command.name == "BYE") {
    part(command.arg(0));
  } else if (command.name == "MSG") {
    events_.emplace_back(Heard{place_in(command.arg(0)).email, from_percent(command.arg(1)), std::move(command.payload),
                               others_.size() > 1});
  }
}

}  // namespace wherry::msn
