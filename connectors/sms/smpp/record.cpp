#include "connectors/sms/smpp/record.hpp"

#include "connectors/sms/text/numbering.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t head_letters = 12;

constexpr std::pair<SegmentState, const char*> state_names[] = {{SegmentState::unsent, "unsent"},
                                                                {SegmentState::written, "written"},
                                                                {SegmentState::sent, "sent"},
                                                                {SegmentState::delivered, "delivered"},
                                                                {SegmentState::failed, "failed"}};

const char* name_of(SegmentState state) {
  for (const auto& [s, name] : state_names) {
    if (s == state) return name;
  }
  return "written";
}

// A store that was written by somebody else must not make us send twice: what is not understood is "written".
SegmentState state_named(std::string_view name) {
  for (const auto& [s, n] : state_names) {
    if (n == name) return s;
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

std::string to_text(const Record& record) {
  nlohmann::json segments = nlohmann::json::array();
  for (const SegmentRecord& s : record.segments) {
    const bool perhaps = record.in_progress && s.state == SegmentState::unsent;
    nlohmann::json segment = {{"state", name_of(perhaps ? SegmentState::written : s.state)}};
    if (!s.id.empty()) segment["id"] = s.id;
    if (!s.head.empty() && s.state == SegmentState::written) segment["head"] = s.head;
    segments.push_back(std::move(segment));
  }
  nlohmann::json json = {{"key", record.key},
                         {"from", record.from.text},
                         {"to", record.to.text},
                         {"reference", record.reference},
                         {"begun", base::to_milliseconds(record.begun)},
                         {"expires", base::to_milliseconds(record.expires)},
                         {"segments", std::move(segments)}};
  if (!record.notations.empty()) json["notations"] = record.notations;
  if (record.told_failed) json["told_failed"] = true;
  if (record.told_delivered) json["told_delivered"] = true;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

Record read_record(const nlohmann::json& json) {
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
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    Record record = read_record(json);
    if (!record.segments.empty()) return record;
  } catch (const nlohmann::json::exception&) {  // a value is missing, or of another type
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
