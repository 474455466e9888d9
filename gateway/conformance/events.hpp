// What a child published for one account; and, for once, a store that does not take it.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/connector/contract.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::conformance {

class Events final : public connector::EventSink {
 public:
  // `changed` is notified of each.
  explicit Events(base::Signal& changed) : changed_(changed) {}

  asio::awaitable<void> publish(connector::Event event, connector::Changes changes) override;

  // A message with this text is not stored, however often it comes, until store_all().
  void refuse(std::string text) { refused_text_ = std::move(text); }
  void store_all() { refused_text_.reset(); }
  std::size_t refused() const { return refused_; }
  const connector::MessageId& refused_id() const { return refused_id_; }  // of the last one

  // Those of type T, in their order.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& event : events_) {
      if (const T* one = std::get_if<T>(&event)) found.push_back(*one);
    }
    return found;
  }
  // Messages with this text: all that came, and those with an id of their own.
  std::size_t count(const std::string& text) const;
  std::size_t count_ids(const std::string& text) const;

  const std::vector<connector::Event>& list() const { return events_; }
  bool is_online() const { return online_; }
  void set_offline() { online_ = false; }
  bool needs_login() const { return needs_login_; }
  const std::string& state_text() const { return state_text_; }

 private:
  base::Signal& changed_;
  std::vector<connector::Event> events_;
  std::optional<std::string> refused_text_;
  std::size_t refused_ = 0;
  connector::MessageId refused_id_;
  bool online_ = false, needs_login_ = false;
  std::string state_text_;  // what the session last said of itself
};

}  // namespace wherry::conformance
