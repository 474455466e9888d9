#include "gateway/files/names.hpp"

#include "gateway/base/files/media_type.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::files {

namespace {

// What a browser would run where the octets do not say what the file is.
constexpr std::string_view run_by_browsers[] = {".htm", ".html", ".xht", ".xhtml", ".svg", ".xml", ".js", ".mjs"};

// Of a type that nobody knows the sender's own, which says with what it is opened.
std::string ending_in_link(std::string_view own, const std::string& media_type) {
  constexpr std::size_t most_letters = 8;
  const std::string ending = base::to_lower_ascii(own);
  const bool is_plain = ending.size() > 1 && ending.size() <= most_letters &&
                        std::all_of(ending.begin() + 1, ending.end(),
                                    [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  const bool is_run =
      std::find(std::begin(run_by_browsers), std::end(run_by_browsers), ending) != std::end(run_by_browsers);
  if (media_type.empty() && is_plain && !is_run) return ending;
  return std::string(base::ending_of(media_type));
}

}  // namespace

std::string name_in_link(std::string_view name, const std::string& media_type) {
  constexpr std::size_t most_bytes = 60;
  const std::string_view own_ending =
      name.find_last_of('.') == name.npos ? std::string_view() : name.substr(name.find_last_of('.'));
  const std::string_view stem = name.substr(0, name.size() - own_ending.size());
  std::string clean;
  for (const char c : stem.substr(0, most_bytes)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    clean += is_plain ? c : '_';
  }
  if (clean.find_first_not_of('_') == clean.npos) clean = "file";
  clean += ending_in_link(own_ending, media_type);
  return clean;
}

}  // namespace wherry::files
