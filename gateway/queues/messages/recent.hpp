// The newest rows of the message map in memory: reports mostly name what was sent a moment ago.
#pragma once

#include "gateway/store/messages.hpp"

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::queues {

class RecentlySent {
 public:
  // One that is there already gets the network's id, and stays as it is else.
  void insert(store::MessageRow sent) {
    if (const auto present = by_id_.find(sent.id); present != by_id_.end())
      return name_present(present->second, std::move(sent));
    if (!sent.network_id.empty()) by_network_id_[name(sent.account, sent.network_id)] = {sent.id, 0};
    order_.push_back(sent.id);
    by_id_[sent.id] = std::move(sent);
    if (order_.size() > most) forget(order_.front());
  }

  // What the network calls a part beyond the first.
  void name_part(base::AccountId account, std::int64_t id, std::int64_t part, const std::string& network_id) {
    if (!by_id_.contains(id)) return;
    by_network_id_[name(account, network_id)] = {id, part};
    further_names_[id].push_back(name(account, network_id));
  }

  // Null where it is not among the newest; valid until the next insert.
  const store::MessageRow* find(base::AccountId account, std::int64_t id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() || found->second.account != account ? nullptr : &found->second;
  }
  // By the name of any part, and which one that is.
  std::optional<store::MessageRow> find(base::AccountId account, const std::string& network_id) const {
    const auto found = by_network_id_.find(name(account, network_id));
    const store::MessageRow* const row = found == by_network_id_.end() ? nullptr : find(account, found->second.id);
    if (!row) return std::nullopt;
    std::optional<store::MessageRow> message(*row);
    message->part = found->second.part;
    return message;
  }

  void set_stage(std::int64_t id, connector::Stage stage) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) found->second.stage = stage;
  }
  // `stage` could not be stored.
  void take_back_stage(std::int64_t id, connector::Stage stage, connector::Stage before) {
    if (const auto found = by_id_.find(id); found != by_id_.end() && found->second.stage == stage)
      found->second.stage = before;
  }
  // It was not noted after all.
  void erase(std::int64_t id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    forget_name(id, name(found->second.account, found->second.network_id));
    if (const auto further = further_names_.extract(id)) {
      for (const std::string& part : further.mapped()) forget_name(id, part);
    }
    by_id_.erase(found);  // its place in the order goes with time
  }

 private:
  static constexpr std::size_t most = 4096;

  static std::string name(base::AccountId account, const std::string& network_id) {
    return std::to_string(account.value) + "\n" + network_id;
  }
  // Another message may have it by now.
  void forget_name(std::int64_t id, const std::string& name) {
    const auto found = by_network_id_.find(name);
    if (found != by_network_id_.end() && found->second.id == id) by_network_id_.erase(found);
  }
  void forget(std::int64_t id) {
    order_.pop_front();
    erase(id);
  }
  void name_present(store::MessageRow& present, store::MessageRow sent) {
    if (sent.network_id.empty()) return;
    if (!present.network_id.empty()) by_network_id_.erase(name(present.account, present.network_id));
    by_network_id_[name(present.account, sent.network_id)] = {present.id, 0};
    present.network_id = std::move(sent.network_id);
    present.parts = sent.parts;
  }

  std::unordered_map<std::int64_t, store::MessageRow> by_id_;
  struct Part {
    std::int64_t id = 0, part = 0;
  };
  std::unordered_map<std::string, Part> by_network_id_;
  std::unordered_map<std::int64_t, std::vector<std::string>> further_names_;  // of parts beyond the first
  std::deque<std::int64_t> order_;
};

}  // namespace wherry::queues
