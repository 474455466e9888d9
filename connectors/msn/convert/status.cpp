#include "connectors/msn/convert/status.hpp"

#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>

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
  std::string line;
  for (const char c : element_text(xml, "PSM")) {
    if (!is_line_end(c)) line += c;
    else if (!line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string parse_picture_name(std::string_view object) {
  if (!object.starts_with("<msnobj ") || attribute_of(object, "Type") != "3") return {};
  std::string name = attribute_of(object, "SHA1D");
  if (name.size() > most_picture_name_bytes) name.clear();
  return name;
}

}  // namespace wherry::msn
