#include "gateway/conformance/events.hpp"

#include <set>
#include <stdexcept>

namespace wherry::conformance {

using connector::AccountChanged;
using connector::MessageReceived;

asio::awaitable<void> Events::publish(connector::Event event, connector::Changes) {
  const auto* message = std::get_if<MessageReceived>(&event);
  if (message && refused_text_ && message->content.text == *refused_text_) {
    ++refused_;
    refused_id_ = message->id;
    changed_.notify();
    throw std::runtime_error("the conformance suite does not store this one, to see whether it comes again");
  }
  if (const auto* state = std::get_if<AccountChanged>(&event)) {
    online_ = state->online;
    needs_login_ = state->needs_login;
    state_text_ = state->text;
  }
  events_.push_back(std::move(event));
  changed_.notify();
  co_return;
}

std::size_t Events::count(const std::string& text) const {
  std::size_t found = 0;
  for (const auto& message : all<MessageReceived>()) found += message.content.text == text ? 1 : 0;
  return found;
}

std::size_t Events::count_ids(const std::string& text) const {
  std::set<connector::MessageId> ids;
  for (const auto& message : all<MessageReceived>()) {
    if (message.content.text == text) ids.insert(message.id);
  }
  return ids.size();
}

}  // namespace wherry::conformance
