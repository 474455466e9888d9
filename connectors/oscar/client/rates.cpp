#include "connectors/oscar/client/rates.hpp"

#include <algorithm>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_classes = 64, most_members = 4096;
constexpr std::uint32_t most_level = 1'000'000, most_window = 10'000;
constexpr double margin = 100;  // the server's clock and ours, and what the line does to the distances
constexpr std::uint16_t code_limited = 3, code_cleared = 4;

double milliseconds(Rates::Time::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

}  // namespace

double Rates::Class::goal() const {
  const double wanted = std::max<double>(alert, is_limited ? clear : 0) + margin;
  return std::min<double>(wanted, most);  // else nothing could ever be sent
}

bool Rates::read_class(Reader& in, std::uint16_t& id, Class& one, Time now) {
  id = in.u16();
  one.window = std::clamp<std::uint32_t>(in.u32(), 1, most_window);
  one.clear = std::min(in.u32(), most_level);
  one.alert = std::min(in.u32(), most_level);
  one.limit = std::min(in.u32(), most_level);
  one.disconnect = std::min(in.u32(), most_level);
  one.level = std::min(in.u32(), most_level);
  one.most = std::min(in.u32(), most_level);
  one.level = std::min<double>(one.level, one.most);
  one.last = now;
  return in.ok();
}

bool Rates::read(std::string_view body, Time now) {
  classes_.clear();
  members_.clear();
  Reader in(body);
  const std::size_t count = in.u16();
  if (count > most_classes) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t id = 0;
    Class one;
    if (!read_class(in, id, one, now)) break;
    in.u32();  // how long ago the last one was, and whether it was dropped
    in.u8();
    classes_[id] = one;
  }
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const std::uint16_t id = in.u16();
    const std::size_t pairs = in.u16();
    for (std::size_t pair = 0; pair < pairs && in.ok() && members_.size() < most_members; ++pair) {
      const std::uint16_t family = in.u16();
      members_[{family, in.u16()}] = id;
    }
  }
  if (!in.ok()) {
    classes_.clear();
    members_.clear();
  }
  return in.ok();
}

void Rates::change(std::string_view body, Time now) {
  Reader in(body);
  const std::uint16_t code = in.u16();
  std::uint16_t id = 0;
  Class one;
  if (!read_class(in, id, one, now)) return;
  const auto found = classes_.find(id);
  if (found == classes_.end()) return;
  one.is_limited = code == code_limited || (found->second.is_limited && code != code_cleared);
  found->second = one;
}

std::vector<std::uint16_t> Rates::classes() const {
  std::vector<std::uint16_t> ids;
  for (const auto& [id, one] : classes_) ids.push_back(id);
  return ids;
}

std::uint16_t Rates::class_of(std::uint16_t family, std::uint16_t subtype) const {
  const auto found = members_.find({family, subtype});
  return found == members_.end() ? 0 : found->second;
}

double Rates::level_after(const Class& one, Time now) {
  const double window = one.window;
  const double level = (one.level * (window - 1) + milliseconds(now - one.last)) / window;
  return std::min<double>(level, one.most);
}

// The level that would be left, solved for the time.
Rates::Time Rates::when_leaves(const Class& one, double goal, Time now) {
  const double window = one.window;
  const double wait = goal * window - one.level * (window - 1);
  if (wait <= 0) return now;
  const auto due = one.last + std::chrono::milliseconds(static_cast<std::int64_t>(wait) + 1);
  return std::max(now, due);
}

Rates::Time Rates::when(std::uint16_t rate_class, Time now) const {
  const auto found = classes_.find(rate_class);
  return found == classes_.end() ? now : when_leaves(found->second, found->second.goal(), now);
}

// One that is sent at once leaves (window - 1) / window of the level.
Rates::Time Rates::when_spare(std::uint16_t rate_class, int others, Time now) const {
  const auto found = classes_.find(rate_class);
  if (found == classes_.end()) return now;
  const Class& one = found->second;
  double goal = one.goal();
  for (int i = 0; i < others && goal < one.most; ++i)
    goal = one.window > 1 ? goal * one.window / (one.window - 1) : one.most;
  return when_leaves(one, std::min<double>(goal, one.most), now);
}

void Rates::sent(std::uint16_t rate_class, Time now) {
  const auto found = classes_.find(rate_class);
  if (found == classes_.end()) return;
  found->second.level = level_after(found->second, now);
  found->second.last = now;
}

}  // namespace wherry::oscar
