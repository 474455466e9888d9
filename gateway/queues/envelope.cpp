#include "gateway/queues/envelope.hpp"

#include "gateway/connector/action_codec.hpp"
#include "gateway/connector/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::queues {

namespace {

constexpr int row_version = 1;

}  // namespace

bool is_reported(const connector::Action& action) {
  return std::holds_alternative<connector::SendMessage>(action) ||
         std::holds_alternative<connector::EditMessage>(action) || std::holds_alternative<connector::React>(action);
}

// Edits and reactions may have gone out as messages (convert::degrade).
bool may_repeat(const connector::Action& action) { return !is_reported(action); }

std::string row_of(const connector::Action& action) {
  return R"({"v":)" + std::to_string(row_version) + ',' + connector::to_text(action).substr(1);
}

base::Result<connector::Action> parse_row(std::string_view payload) {
  const auto json = connector::parse_json(payload);
  if (!json) return json.error();
  const auto version = json->is_object() ? json->find("v") : json->end();
  if (version != json->end() && *version != row_version)
    return base::Error{base::Errc::bad_input, "This row is of a version that is not known."};
  return connector::parse_action(*json);
}

// Null: the row is older than the runs that are remembered. Stores of the first versions had none, and keys
// "<store>-<row>".
const store::Run* Keys::run_of(std::int64_t row) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), row,
                                      [](std::int64_t r, const store::Run& run) { return r < run.first; });
  return after == runs_.begin() ? nullptr : &*std::prev(after);
}

std::string Keys::of(std::int64_t row) const {
  const store::Run* run = run_of(row);
  return store_ + "-" + (run ? run->name + "-" : "") + std::to_string(row);
}

std::optional<std::int64_t> Keys::row_of(std::string_view key) const {
  if (!key.starts_with(store_) || !key.substr(store_.size()).starts_with('-')) return std::nullopt;
  std::string_view rest = key.substr(store_.size() + 1);
  const auto number = [](std::string_view text) {
    std::int64_t row = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), row);
    const bool is_whole = end == text.data() + text.size() || *end == '-';
    return error == std::errc() && is_whole && row > 0 ? std::optional(row) : std::nullopt;
  };
  const auto is_ours = [&](const std::optional<std::int64_t>& row) {
    if (!row) return false;
    const std::string right = of(*row);
    return key.starts_with(right) && (key.size() == right.size() || key[right.size()] == '-');
  };
  const auto dash = rest.find('-');
  if (const auto row = dash == std::string_view::npos ? std::nullopt : number(rest.substr(dash + 1)); is_ours(row))
    return row;
  if (const auto row = number(rest); is_ours(row)) return row;
  return std::nullopt;
}

}  // namespace wherry::queues
