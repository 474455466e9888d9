#include "connectors/sms/smpp/record.hpp"

#include "connectors/sms/text/numbering.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t head_letters = 12;
constexpr char separator = '/';
constexpr std::size_t fields_before_segments = 9, fields_of_segment = 3;
constexpr int delivered_flag = 1, failed_flag = 2;

// In the store, and as they were called in JSON.
struct StateName {
  SegmentState state;
  char letter;
  const char* word;
};
constexpr StateName state_names[] = {{SegmentState::unsent, 'u', "unsent"},
                                     {SegmentState::written, 'w', "written"},
                                     {SegmentState::sent, 's', "sent"},
                                     {SegmentState::delivered, 'd', "delivered"},
                                     {SegmentState::failed, 'f', "failed"}};

char letter_of(SegmentState state) {
  for (const StateName& name : state_names) {
    if (name.state == state) return name.letter;
  }
  return 'w';
}

// A store that was written by somebody else must not make us send twice: what is not understood is "written".
SegmentState state_named(std::string_view name) {
  for (const StateName& known : state_names) {
    if (name == known.word || name == std::string_view(&known.letter, 1)) return known.state;
  }
  return SegmentState::written;
}

Address parse_address(const std::string& text) {
  if (text.starts_with('+')) return {Address::Type::international, text};
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return {digits ? Address::Type::short_code : Address::Type::alphanumeric, text};
}

}  // namespace

bool Record::has(SegmentState state) const {
  return std::any_of(segments.begin(), segments.end(), [&](const SegmentRecord& s) { return s.state == state; });
}
bool Record::all(SegmentState state) const {
  return std::all_of(segments.begin(), segments.end(), [&](const SegmentRecord& s) { return s.state == state; });
}

// "1/key/from/to/reference/begun/expires/told/notations", and "/state/id/head" for each segment. No JSON: it was a
// tenth of what a text cost.
std::string to_text(const Record& record) {
  std::string text = "1";
  const auto add = [&text](std::string_view value) {
    text += separator;
    text += escape_key(value);
  };
  add(record.key);
  add(record.from.text);
  add(record.to.text);
  add(std::to_string(record.reference));
  add(std::to_string(base::to_milliseconds(record.begun)));
  add(std::to_string(base::to_milliseconds(record.expires)));
  add(std::to_string((record.told_delivered ? delivered_flag : 0) + (record.told_failed ? failed_flag : 0)));
  add(record.notations);
  for (const SegmentRecord& s : record.segments) {
    const bool perhaps = record.in_progress && s.state == SegmentState::unsent;
    const char state = letter_of(perhaps ? SegmentState::written : s.state);
    add(std::string_view(&state, 1));
    add(s.id);
    add(s.state == SegmentState::written ? s.head : std::string());
  }
  return text;
}

namespace {

template <class Number>
Number read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument("not a number");
  return number;
}

Record read_fields(const std::vector<std::string_view>& fields) {
  const auto text = [&](std::size_t i) { return unescape_key(fields[i]); };
  Record record;
  record.key = text(1);
  record.from = parse_address(text(2));
  record.to = parse_address(text(3));
  record.reference = read_number<unsigned>(fields[4]);
  record.begun = base::from_milliseconds(read_number<std::int64_t>(fields[5]));
  record.expires = base::from_milliseconds(read_number<std::int64_t>(fields[6]));
  const int told = read_number<int>(fields[7]);
  record.told_delivered = (told & delivered_flag) != 0;
  record.told_failed = (told & failed_flag) != 0;
  record.notations = text(8);
  for (std::size_t i = fields_before_segments; i < fields.size(); i += fields_of_segment)
    record.segments.push_back({state_named(fields[i]), text(i + 1), text(i + 2)});
  return record;
}

Record read_json(const nlohmann::json& json) {
  Record record;
  record.key = json.value("key", std::string());
  record.from = parse_address(json.value("from", std::string()));
  record.to = parse_address(json.value("to", std::string()));
  record.reference = json.value("reference", 0U);
  record.begun = base::from_milliseconds(json.value("begun", std::int64_t{0}));
  record.expires = base::from_milliseconds(json.value("expires", std::int64_t{0}));
  record.notations = json.value("notations", std::string());
  record.told_failed = json.value("told_failed", false);
  record.told_delivered = json.value("told_delivered", false);
  for (const auto& s : json.at("segments")) {
    record.segments.push_back(
        {state_named(s.value("state", std::string())), s.value("id", std::string()), s.value("head", std::string())});
  }
  return record;
}

}  // namespace

std::optional<Record> parse_record(std::string_view text) {
  try {
    Record record;
    if (text.starts_with('{')) {
      record = read_json(nlohmann::json::parse(text));
    } else {
      const auto fields = base::split(text, separator);
      const bool is_whole =
          fields.size() > fields_before_segments && (fields.size() - fields_before_segments) % fields_of_segment == 0;
      if (fields[0] != "1" || !is_whole) return std::nullopt;
      record = read_fields(fields);
    }
    if (!record.segments.empty()) return record;
  } catch (const nlohmann::json::exception&) {  // no JSON; a value is missing, or of another type
  } catch (const std::invalid_argument&) {      // no number where there must be one
  }
  return std::nullopt;
}

void apply(Record& record, std::size_t index, MessageState state) {
  if (index >= record.segments.size()) return;
  SegmentState& segment = record.segments[index].state;
  if (state == MessageState::delivered) segment = SegmentState::delivered;
  else if (is_final_failure(state) && segment != SegmentState::delivered) segment = SegmentState::failed;
  else if (segment == SegmentState::written) segment = SegmentState::sent;  // the SMS centre speaks of it
}

std::optional<connector::Stage> tell(Record& record) {
  if (record.all(SegmentState::delivered)) {
    if (std::exchange(record.told_delivered, true)) return std::nullopt;
    return connector::Stage::delivered;
  }
  if (record.has(SegmentState::failed) && !std::exchange(record.told_failed, true)) return connector::Stage::failed;
  return std::nullopt;
}

void untold(Record& record, connector::Stage stage) {
  (stage == connector::Stage::delivered ? record.told_delivered : record.told_failed) = false;
}

std::string head_of(std::string_view utf8) {
  std::string head;
  for (const char c : utf8) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) continue;
    head += c;
    if (head.size() == head_letters) break;
  }
  return head;
}

bool heads_agree(std::string_view ours, std::string_view theirs) {
  const std::size_t length = std::min(ours.size(), theirs.size());
  return ours.substr(0, length) == theirs.substr(0, length);
}

}  // namespace wherry::sms::smpp
