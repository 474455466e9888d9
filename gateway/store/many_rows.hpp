// INSERT of many rows by few statements: a statement costs about as much as the row it writes, so rows go in by
// sixteens and the rest one by one, each through a literal of its own, because statements are prepared by literal.
#pragma once

#include "gateway/db/database.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace wherry::store {

inline constexpr std::size_t rows_at_once = 16;

inline constexpr char do_nothing[] = " ON CONFLICT DO NOTHING";

// "<head> VALUES ($1,$2),($3,$4) … ON CONFLICT DO NOTHING", or another tail: a commit of unknown outcome is run again
// (db::Database).
template <std::size_t Columns, std::size_t Rows, std::size_t HeadSize, std::size_t TailSize = sizeof do_nothing>
class InsertText {
 public:
  explicit consteval InsertText(const char (&head)[HeadSize]) : InsertText(head, do_nothing) {}
  consteval InsertText(const char (&head)[HeadSize], const char (&tail)[TailSize]) {
    append(std::string_view(head, HeadSize - 1));
    append(" VALUES ");
    for (std::size_t i = 0; i < Rows * Columns; ++i) {
      append(i % Columns != 0 ? "," : i == 0 ? "(" : "),(");
      append("$");
      append_number(i + 1);
    }
    append(")");
    append(std::string_view(tail, TailSize - 1));
  }
  constexpr operator std::string_view() const { return {text_.data(), size_}; }

 private:
  constexpr void append(std::string_view part) {
    for (const char c : part) text_[size_++] = c;
  }
  constexpr void append_number(std::size_t number) {
    if (number >= 10) append_number(number / 10);
    text_[size_++] = static_cast<char>('0' + number % 10);
  }
  std::array<char, HeadSize + TailSize + 16 + Rows * Columns * 6> text_{};
  std::size_t size_ = 0;
};

// `fill(row, values)` writes one row's columns into its part of the parameters. The parameters are reused from
// statement to statement, so that assigning a text to one mostly finds room there.
template <std::size_t Columns, class Row, class Fill>
void insert_rows(db::Transaction& transaction, std::string_view by_sixteen, std::string_view single,
                 std::span<const Row> rows, Fill fill) {
  std::vector<db::Value> values(std::min(rows.size(), rows_at_once) * Columns);
  while (!rows.empty()) {
    const std::size_t count = rows.size() >= rows_at_once ? rows_at_once : 1;
    for (std::size_t i = 0; i < count; ++i) fill(rows[i], std::span(values).subspan(i * Columns, Columns));
    transaction.execute(count == 1 ? single : by_sixteen, std::span<const db::Value>(values).first(count * Columns));
    rows = rows.subspan(count);
  }
}

}  // namespace wherry::store
