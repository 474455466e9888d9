#include "gateway/config/source.hpp"

#include "gateway/config/toml.hpp"
#include "gateway/connector/file.hpp"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

namespace wherry::config {

namespace {

// The line of a key, or of the table that it belongs in; 0 where neither is in the file.
std::size_t line_of(const std::map<std::string, std::size_t>& lines, const std::string& text) {
  std::string path = text.substr(0, text.find(": "));
  while (!path.empty() && !lines.contains(path)) {
    const auto end = path.find_last_of(".[");
    path.resize(end == std::string::npos ? 0 : end);
  }
  return path.empty() ? 0 : lines.at(path);
}

// What the parser says of a text whose closing quote is missing speaks of characters.
std::string in_words(std::string_view description) {
  if (description.find("unescaped control characters") != description.npos)
    return "the text in quotes does not end on this line, or has a control character in it";
  return std::string(description);
}

}  // namespace

base::Result<Source> read_source(const std::filesystem::path& file) {
  const auto wrong = [&](const std::string& text) {
    return base::Error{base::Errc::bad_input, file.string() + ": " + text};
  };
  const auto content = connector::read_file(file);
  if (!content) return wrong(content.error().text);
  const toml::parse_result parsed = toml::parse(*content, file.string());
  if (!parsed) {
    return wrong("line " + std::to_string(parsed.error().source().begin.line) + ": " +
                 in_words(parsed.error().description()));
  }
  Source source;
  source.file = file;
  note_lines(parsed.table(), "", source.lines);
  source.values = to_json(parsed.table(), "", std::filesystem::absolute(file).parent_path(), source.mistakes);
  return source;
}

std::string located(const std::filesystem::path& file, const std::map<std::string, std::size_t>& lines,
                    const std::string& text) {
  std::vector<std::pair<std::size_t, std::string>> mistakes;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) mistakes.emplace_back(line_of(lines, line), line);
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  connector::Mistakes all;
  for (const auto& [line, what] : mistakes)
    all.add(file.string() + ": " + (line ? "line " + std::to_string(line) + ": " : "") + what);
  return all.error().text;
}

base::Error locate(const Source& source, const base::Error& error) {
  return {error.code, located(source.file, source.lines, error.text)};
}

}  // namespace wherry::config
