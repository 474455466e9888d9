#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>

namespace wherry::simulation {

namespace {

constexpr int most_people = 4;  // that have names

}  // namespace

std::vector<std::string> pieces_of(const Plan& plan, const std::string& tag) {
  if (!plan.is_over_sms() && !plan.oscar) return {tag};
  const Draw draw(plan.seed);
  const std::uint64_t about = hash_of(tag);
  const bool is_long = draw.happens(plan.repeats_references ? 800 : 400, "long_text", about);
  if (!is_long) return {tag};
  const bool is_wide = !plan.repeats_references && draw.happens(300, "wide_text", about);
  // ICQ's programs cut at a thousand characters.
  const std::int64_t most = plan.oscar ? 50 : 9;
  const auto count = plan.repeats_references ? 2 : draw.between(2, most, "pieces", about);
  std::vector<std::string> pieces;
  for (std::int64_t i = 1; i < count; ++i) {
    const std::string start =
        fmt::format("{} of {}{} ", i, plan.repeats_references ? "many" : tag, is_wide ? " ж" : "");
    pieces.push_back(fmt::format("{:-<60}", start));
  }
  pieces.push_back("<" + tag + ">");
  return pieces;
}

std::string body_of(const Plan& plan, const std::string& tag) {
  std::string body;
  for (const std::string& piece : pieces_of(plan, tag)) body += piece;
  return body;
}

std::string tag_in(std::string_view body) {
  const auto begin = body.rfind('<'), end = body.rfind('>');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::string(body);
  return std::string(body.substr(begin + 1, end - begin - 1));
}

Wholeness wholeness_of(const Plan& plan, std::string_view body) {
  if (body == body_of(plan, tag_in(body))) return Wholeness::whole;
  const bool is_marked = body.find("[Incomplete: part ") != std::string_view::npos || body.starts_with("[Part ");
  return is_marked ? Wholeness::marked : Wholeness::garbled;
}

std::string user_number(int user) { return fmt::format("+1415555{:04}", 101 + user); }
std::string contact_number(int contact) { return fmt::format("+1415555{:04}", 201 + contact); }

std::string name_of_number(const std::string& number) {
  for (int i = 0; i < most_people; ++i) {
    if (number == user_number(i)) return user_name(i);
    if (number == contact_number(i)) return contact_name(i);
  }
  return number;
}

}  // namespace wherry::simulation
