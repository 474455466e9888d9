// A row of the store as short text: fields between '/', of which the first says how the others are read. No JSON, whose
// writing and reading was a tenth of what a text cost. Pure.
#pragma once

#include "gateway/base/clock.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::sms {

// A time that stands in a row, in milliseconds since 1970. A damaged one becomes 1970 or 2255: the clock's type holds
// little more.
inline base::Time stored_time(std::int64_t milliseconds) {
  constexpr std::int64_t latest = 9'000'000'000'000;
  return base::from_milliseconds(std::clamp(milliseconds, std::int64_t{0}, latest));
}

class RowWriter {
 public:
  explicit RowWriter(std::string_view version) : text_(version) {}

  void add(std::string_view field);  // any octets
  void add_number(std::int64_t number) { add(std::to_string(number)); }
  void add_time(base::Time time) { add_number(base::to_milliseconds(time)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Gives the fields one after the other; throws std::invalid_argument where there is none, or no number.
class RowReader {
 public:
  // None where the row is of another version. `row` outlives it.
  static std::optional<RowReader> open(std::string_view row, std::string_view version);

  std::size_t left() const { return fields_.size() - next_; }
  std::string text();
  base::Time time() { return stored_time(number<std::int64_t>()); }
  template <class Number>
  Number number() {
    const std::string_view field = next();
    Number value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size()) throw std::invalid_argument("not a number");
    return value;
  }

 private:
  explicit RowReader(std::vector<std::string_view> fields) : fields_(std::move(fields)) {}
  std::string_view next();

  std::vector<std::string_view> fields_;
  std::size_t next_ = 1;  // behind the version
};

}  // namespace wherry::sms
