#include "connectors/msn/convert/status.hpp"

#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>

namespace wherry::msn {

using connector::Availability;

namespace {

bool is_line_end(char c) { return c == '\r' || c == '\n' || c == '\t'; }

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
  std::string text = element_text(xml, "PSM");
  std::erase_if(text, is_line_end);
  return text;
}

}  // namespace wherry::msn
