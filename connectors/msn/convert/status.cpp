#include "connectors/msn/convert/status.hpp"

#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <vector>

namespace wherry::msn {

using connector::Availability;

namespace {

constexpr std::size_t most_picture_name_bytes = 100;

bool is_line_end(char c) { return c == '\r' || c == '\n' || c == '\t'; }

// Of a tag without elements: name="value".
std::string attribute_of(std::string_view tag, const std::string& name) {
  const std::string begin = " " + name + "=\"";
  const auto at = tag.find(begin);
  if (at == tag.npos) return {};
  tag.remove_prefix(at + begin.size());
  return unescape_xml(tag.substr(0, tag.find('"')));
}

std::string to_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (!is_line_end(c)) line += c;
    else if (!line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

// The border is a backslash and a zero, as letters.
std::vector<std::string_view> split_media(std::string_view text) {
  constexpr std::string_view border = "\\0";
  std::vector<std::string_view> parts;
  for (auto end = text.find(border); end != text.npos; end = text.find(border)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + border.size());
  }
  parts.push_back(text);
  return parts;
}

// Program, kind, whether it is on, a form like "{0} - {1}", and what stands there.
std::string describe_media(std::string_view text) {
  const auto parts = split_media(text);
  if (parts.size() < 5 || parts[2] != "1" || parts[4].empty()) return {};
  std::string told = parts[1] == "Music" ? "♫ " : "";
  std::string_view form = parts[3];
  while (!form.empty()) {
    const bool is_place = form.size() >= 3 && form[0] == '{' && form[1] >= '0' && form[1] <= '9' && form[2] == '}';
    const std::size_t index = is_place ? static_cast<std::size_t>(form[1] - '0') + 4 : parts.size();
    if (index < parts.size()) told += parts[index];
    else told += form.front();
    form.remove_prefix(index < parts.size() ? 3 : 1);
  }
  return told;
}

}  // namespace

Availability to_availability(std::string_view code) {
  if (code == "FLN" || code == "HDN") return Availability::offline;
  if (code == "BSY" || code == "PHN") return Availability::do_not_disturb;
  if (code == "AWY" || code == "IDL" || code == "BRB" || code == "LUN") return Availability::away;
  return Availability::online;
}

std::string to_status_code(Availability availability) {
  switch (availability) {
    case Availability::do_not_disturb: return "BSY";
    case Availability::away:
    case Availability::extended_away:
    case Availability::offline: return "AWY";
    case Availability::online:
    case Availability::chat: return "NLN";
  }
  return "NLN";
}

std::string to_personal_message(std::string_view text) {
  std::string line(base::utf8_prefix(text, most_personal_message_bytes));
  std::replace_if(line.begin(), line.end(), is_line_end, ' ');
  return "<Data><PSM>" + escape_xml(line) + "</PSM><CurrentMedia></CurrentMedia></Data>";
}

std::string parse_personal_message(std::string_view xml) {
  std::string words = to_line(element_text(xml, "PSM"));
  return words.empty() ? to_line(describe_media(element_text(xml, "CurrentMedia"))) : words;
}

std::string parse_picture_name(std::string_view object) {
  if (!object.starts_with("<msnobj ") || attribute_of(object, "Type") != "3") return {};
  std::string name = attribute_of(object, "SHA1D");
  if (name.size() > most_picture_name_bytes) name.clear();
  return name;
}

}  // namespace wherry::msn
