#include "connectors/msn/client/notification.hpp"

#include "connectors/msn/client/challenge.hpp"
#include "connectors/msn/convert/percent.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace wherry::msn {

namespace {

constexpr std::chrono::seconds list_limit{60}, ping_every{50}, pong_limit{20};
// Lines of the list; contacts, and others, that are kept; groups.
constexpr std::size_t most_lines = 100'000, most_members = 5000, most_groups = 500;

std::size_t read_count(const std::string& text, std::size_t most) {
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return std::min(count, most);
}

std::string lower_email(const std::string& word) { return base::to_lower_ascii(from_percent(word)); }

// COMPAT(rusty-retro-messaging 07ae691): says "N=who@x" where others say "who@x".
std::string removed_email(const std::string& word) {
  return lower_email(word.starts_with("N=") ? word.substr(2) : word);
}

}  // namespace

Notification::Notification(std::string email, Time now) : email_(std::move(email)) {
  protocol_.request("VER", {"MSNP12", "MSNP11", "CVR0"}, now);
}

void Notification::give_ticket(const std::string& ticket, Time now) {
  if (state_ != State::waiting_for_ticket) return;
  state_ = State::signing_in;
  protocol_.request("USR", {"TWN", "S", ticket}, now);
}

std::uint32_t Notification::request(std::string_view name, std::vector<std::string> args, Time now,
                                    const std::optional<std::string>& payload) {
  return protocol_.request(name, std::move(args), now, payload);
}

void Notification::log_out() {
  protocol_.send("OUT");
  protocol_.end(End::closed, "we have logged out");
}

void Notification::refuse(int error) {
  refusal_ = error;
  protocol_.end(End::refused, fmt::format("the server answers with the error {}", error));
}

void Notification::feed(std::string_view bytes, Time now) {
  protocol_.feed(bytes);
  while (auto event = protocol_.next_event()) {
    if (auto* answered = std::get_if<Answered>(&*event)) handle(std::move(*answered), now);
    else if (auto* said = std::get_if<Said>(&*event)) handle(std::move(*said), now);
    else handle(std::get<Unanswered>(std::move(*event)));
  }
}

void Notification::handle(Answered answered, Time now) {
  const Command& command = answered.command;
  if (answered.request == "QRY") {  // a challenge may come at any time
    if (command.error()) refuse(*command.error());
    return;
  }
  if (state_ == State::ready) {
    events_.emplace_back(std::move(answered));
    return;
  }
  if (const auto error = command.error()) return refuse(*error);
  if (command.name == "XFR") {
    events_.emplace_back(Redirected{command.arg(2)});
    return protocol_.end(End::closed, "the server sends us to another one");
  }
  advance_login(command, now);
}

void Notification::advance_login(const Command& command, Time now) {
  switch (state_) {
    case State::versions:
      version_ = command.arg(1) == "MSNP12" ? 12 : command.arg(1) == "MSNP11" ? 11 : 0;
      if (version_ == 0) return protocol_.end(End::broken, "the server speaks neither MSNP12 nor MSNP11");
      state_ = State::program;
      protocol_.request("CVR", {"0x0409", "winnt", "5.1", "i386", "MSNMSGR", "7.5.0324", "msmsgs", email_}, now);
      return;
    case State::program:
      state_ = State::name;
      protocol_.request("USR", {"TWN", "I", email_}, now);
      return;
    case State::name:
      if (command.arg(1) != "TWN" || command.arg(2) != "S")
        return protocol_.end(End::broken, "the server knows no login that we know");
      state_ = State::waiting_for_ticket;
      events_.emplace_back(TicketAsked{command.arg(3)});
      return;
    case State::signing_in:
      if (command.arg(1) != "OK") return protocol_.end(End::broken, "the login ends in nothing");
      state_ = State::listing;
      ping_at_ = now + ping_every;
      listing_limit_ = now + list_limit;
      protocol_.request("SYN", {"0", "0"}, now);
      return;
    case State::listing: return begin_list(command);
    case State::waiting_for_ticket:
    case State::ready: return;
  }
}

// SYN number stamp stamp members groups
void Notification::begin_list(const Command& command) {
  is_counting_ = true;
  members_expected_ = read_count(command.arg(3), most_lines);
  groups_expected_ = read_count(command.arg(4), most_groups);
  finish_list_if_whole();
}

// Nothing marks the list's end: it is over when as many have come as were announced.
void Notification::finish_list_if_whole() {
  if (!is_counting_ || members_seen_ < members_expected_ || groups_seen_ < groups_expected_) return;
  state_ = State::ready;
  listing_limit_ = Time::max();
  events_.emplace_back(SignedIn{std::exchange(roster_, {})});
}

void Notification::take_list_line(const Command& command) {
  if (command.name == "BLP") roster_.allows_others = command.arg(0) != "BL";
  if (command.name == "PRP" && command.arg(0) == "MFN") roster_.name = from_percent(command.arg(1));
  if (command.name == "LSG") {
    ++groups_seen_;
    roster_.groups[command.arg(1)] = from_percent(command.arg(0));
  }
  if (command.name == "LST") take_member(command);
  finish_list_if_whole();
}

// What is not kept is counted all the same, for else the list would have no end.
void Notification::take_member(const Command& command) {
  ++members_seen_;
  auto member = parse_member(command.args);
  last_listed_ = member ? member->email : std::string();
  const bool is_shown = member && parse_email(member->email) == member->email;
  if (!is_shown) {
    ++(member || names_nobody(command.args) ? roster_.unshown : roster_.unread);
    return;
  }
  std::size_t& kept = member->is_on(list::forward) ? contacts_kept_ : others_kept_;
  if (kept >= most_members) {
    ++roster_.left_out;
    if (member->is_on(list::forward)) ++roster_.contacts_left_out;
    return;
  }
  ++kept;
  roster_.members.push_back(std::move(*member));
}

// Within the list it is the last member's; that may have been the last one.
void Notification::take_phone_number(const Command& command) {
  auto phone = parse_phone_number(command.args);
  if (!phone) return;
  if (phone->email.empty()) phone->email = last_listed_;
  if (state_ == State::listing && !roster_.members.empty() && roster_.members.back().email == phone->email)
    roster_.members.back().phones[phone->kind] = phone->number;
  else if (state_ == State::ready && !phone->email.empty()) events_.emplace_back(PhoneChanged{std::move(*phone)});
}

void Notification::take_addition(const Command& command) {
  if (command.arg(1) != "RL") return;
  Member member = parse_addition(command.args, 2);
  if (!member.email.empty()) events_.emplace_back(AddedUs{std::move(member.email), std::move(member.name)});
}

void Notification::handle(Said said, Time now) {
  const Command& command = said.command;
  const std::string& name = command.name;
  if (state_ == State::listing) take_list_line(command);
  if (name == "BPR") return take_phone_number(command);
  if (name == "CHL") {
    protocol_.request("QRY", {std::string(msnp12_product.id)}, now, answer_challenge(command.arg(1)));
  } else if (name == "QNG") {
    pong_by_ = Time::max();
    ping_at_ = now + ping_every;
  } else if (name == "ILN") {
    events_.emplace_back(StatusChanged{lower_email(command.arg(2)), command.arg(1), from_percent(command.arg(3)),
                                       from_percent(command.arg(5))});
  } else if (name == "NLN") {
    events_.emplace_back(StatusChanged{lower_email(command.arg(1)), command.arg(0), from_percent(command.arg(2)),
                                       from_percent(command.arg(4))});
  } else if (name == "FLN") {
    events_.emplace_back(StatusChanged{lower_email(command.arg(0)), "FLN", {}});
  } else if (name == "UBX") {
    events_.emplace_back(PersonalMessageChanged{lower_email(command.arg(0)), command.payload});
  } else if (name == "ADC") {
    take_addition(command);
  } else if (name == "REM" && command.arg(1) == "RL") {
    events_.emplace_back(RemovedUs{removed_email(command.arg(2))});
  } else if (name == "RNG") {
    events_.emplace_back(Rang{command.arg(1), command.arg(0), command.arg(3), lower_email(command.arg(4)),
                              from_percent(command.arg(5))});
  } else if (name == "MSG") {
    events_.emplace_back(Noticed{command.payload});
  } else if (name == "XFR" && command.arg(1) == "NS") {
    events_.emplace_back(Redirected{command.arg(2)});
    protocol_.end(End::closed, "the server sends us to another one");
  }
}

void Notification::handle(Unanswered unanswered) {
  if (unanswered.request == "QRY") return;  // servers exist that take an answer in silence
  if (state_ != State::ready) protocol_.end(End::silent, unanswered.request + " is not answered");
  else events_.emplace_back(std::move(unanswered));
}

void Notification::tick(Time now) {
  protocol_.tick(now);
  while (auto event = protocol_.next_event()) {
    if (auto* unanswered = std::get_if<Unanswered>(&*event)) handle(std::move(*unanswered));
  }
  if (now >= listing_limit_) protocol_.end(End::silent, "the contact list does not end");
  if (now >= pong_by_) protocol_.end(End::silent, "PNG is not answered");
  if (now >= ping_at_ && !protocol_.ended()) {
    protocol_.send("PNG");
    ping_at_ = Time::max();
    pong_by_ = now + pong_limit;
  }
}

Time Notification::next_tick() const { return std::min({protocol_.next_tick(), listing_limit_, ping_at_, pong_by_}); }

}  // namespace wherry::msn
