#include "connectors/sms/smpp/record.hpp"

#include "connectors/sms/parts/part_state.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "connectors/sms/text/row.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t head_letters = 12;
constexpr const char* record_version = "1";
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

// "1/key/from/to/reference/begun/expires/told/notations", and "/state/id/head" for each segment.
std::string to_text(const Record& record) {
  RowWriter row(record_version);
  row.add(record.key);
  row.add(record.from.text);
  row.add(record.to.text);
  row.add_number(record.reference);
  row.add_time(record.begun);
  row.add_time(record.expires);
  row.add_number((record.told_delivered ? delivered_flag : 0) + (record.told_failed ? failed_flag : 0));
  row.add(record.notations);
  for (const SegmentRecord& s : record.segments) {
    const bool perhaps = record.in_progress && s.state == SegmentState::unsent;
    const char state = letter_of(perhaps ? SegmentState::written : s.state);
    row.add(std::string_view(&state, 1));
    row.add(s.id);
    row.add(s.state == SegmentState::written ? s.head : std::string());
  }
  return row.take();
}

namespace {

Record read_row(RowReader row) {
  Record record;
  record.key = row.text();
  record.from = parse_address(row.text());
  record.to = parse_address(row.text());
  record.reference = row.number<unsigned>();
  record.begun = row.time();
  record.expires = row.time();
  const int told = row.number<int>();
  record.told_delivered = (told & delivered_flag) != 0;
  record.told_failed = (told & failed_flag) != 0;
  record.notations = row.text();
  while (row.left() > 0) {
    SegmentRecord segment;
    segment.state = state_named(row.text());
    segment.id = row.text();
    segment.head = row.text();
    record.segments.push_back(std::move(segment));
  }
  return record;
}

Record read_json(const nlohmann::json& json) {
  Record record;
  record.key = json.value("key", std::string());
  record.from = parse_address(json.value("from", std::string()));
  record.to = parse_address(json.value("to", std::string()));
  record.reference = json.value("reference", 0U);
  record.begun = stored_time(json.value("begun", std::int64_t{0}));
  record.expires = stored_time(json.value("expires", std::int64_t{0}));
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
      auto row = RowReader::open(text, record_version);
      if (!row) return std::nullopt;
      record = read_row(std::move(*row));
    }
    if (!record.segments.empty()) return record;
  } catch (const nlohmann::json::exception&) {  // no JSON; a value is missing, or of another type
  } catch (const std::invalid_argument&) {      // a field is missing, or no number
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

namespace {

bool& told_of(Record& record, connector::Stage stage) {
  return stage == connector::Stage::delivered ? record.told_delivered : record.told_failed;
}

}  // namespace

std::optional<connector::Stage> tell(Record& record) {
  PartStates states(record.segments.size(), part_open);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (record.segments[i].state == SegmentState::delivered) states[i] = part_delivered;
    if (record.segments[i].state == SegmentState::failed) states[i] = part_failed;
  }
  const auto whole = fold(states);
  if (!whole || std::exchange(told_of(record, *whole), true)) return std::nullopt;
  return whole;
}

void untold(Record& record, connector::Stage stage) { told_of(record, stage) = false; }

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
