#include "connectors/msn/typing.hpp"

#include <utility>

namespace wherry::msn {

using connector::ContactId;
using connector::Event;

namespace {

constexpr std::chrono::seconds typing_again{5}, typing_at_most{60}, typing_shown{8};
constexpr std::size_t most_shown = 1000;

Event typing_event(const std::string& email, bool typing) {
  const ContactId contact{email};
  return connector::TypingChanged{contact, contact, typing};
}

}  // namespace

void Typing::begin(const std::string& email, Time now) { ours_[email] = {now + typing_again, now + typing_at_most}; }

std::vector<std::string> Typing::due(Time now) {
  std::erase_if(ours_, [&](const auto& entry) { return entry.second.until <= now; });
  std::vector<std::string> due;
  for (auto& [email, ours] : ours_) {
    if (ours.again_at > now) continue;
    ours.again_at = now + typing_again;
    due.push_back(email);
  }
  return due;
}

std::vector<Event> Typing::note(const std::string& email, bool typing, Time now) {
  const bool was_shown = shown_.erase(email) > 0;
  if (typing && shown_.size() < most_shown) shown_[email] = now + typing_shown;
  std::vector<Event> news;
  if (was_shown != typing) news.push_back(typing_event(email, typing));
  return news;
}

std::vector<Event> Typing::expire(Time now) {
  std::vector<Event> news;
  for (const auto& [email, until] : shown_) {
    if (until <= now) news.push_back(typing_event(email, false));
  }
  std::erase_if(shown_, [&](const auto& entry) { return entry.second <= now; });
  return news;
}

}  // namespace wherry::msn
