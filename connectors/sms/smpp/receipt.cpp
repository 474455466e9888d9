#include "connectors/sms/smpp/receipt.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_id_octets = 64;  // §5.2.23

// The fields of the text, by key. Order, case and spaces vary, and "text" is all that follows it.
std::map<std::string, std::string> read_fields(std::string_view text) {
  struct Hit {
    std::string_view key;
    std::size_t start, value;
  };
  static constexpr std::string_view field_keys[] = {"id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text"};
  const std::string lower = base::to_lower_ascii(text);
  std::vector<Hit> hits;
  for (const auto key : field_keys) {
    for (std::size_t at = lower.find(key); at != std::string::npos; at = lower.find(key, at + 1)) {
      const bool begins = at == 0 || lower[at - 1] == ' ' || lower[at - 1] == '\n' || lower[at - 1] == '\t' || lower[at - 1] == '\r';
      const std::size_t colon = lower.find_first_not_of(" \t", at + key.size());
      if (!begins || colon == std::string::npos || lower[colon] != ':') continue;
      hits.push_back({key, at, colon + 1});
      break;
    }
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.start < b.start; });
  std::map<std::string, std::string> fields;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (hits[i].key == "text") {  // what looks like a key behind it is the sender's text
      fields["text"] = text.substr(hits[i].value);
      break;
    }
    const std::size_t end = i + 1 < hits.size() ? hits[i + 1].start : text.size();
    std::string_view value = base::trim(text.substr(hits[i].value, end - hits[i].value));
    value = value.substr(0, value.find_first_of(" \t\r\n"));
    fields[std::string(hits[i].key)] = value;
  }
  return fields;
}

std::optional<MessageState> parse_state(std::string_view stat) {
  static constexpr std::pair<std::string_view, MessageState> state_names[] = {
      {"deliv", MessageState::delivered}, {"expir", MessageState::expired},  {"delet", MessageState::deleted},
      {"undel", MessageState::undeliverable}, {"faile", MessageState::undeliverable}, {"accep", MessageState::accepted},
      {"unkno", MessageState::unknown},   {"rejec", MessageState::rejected}, {"enrou", MessageState::enroute},
      {"buffe", MessageState::enroute},   {"sched", MessageState::scheduled}, {"skipp", MessageState::skipped}};
  const std::string lower = base::to_lower_ascii(stat);
  for (const auto& [start, state] : state_names) {
    if (lower.starts_with(start)) return state;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Receipt> parse_receipt(const std::vector<Tlv>& tlvs, std::string_view text) {
  const auto fields = read_fields(text);
  const auto field = [&](const char* key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string() : found->second;
  };
  Receipt receipt;
  receipt.id = tlv_text(tlvs, tag::receipted_message_id).value_or(field("id"));
  if (receipt.id.empty()) receipt.id = field("id");
  receipt.error = field("err");
  receipt.text = field("text");
  if (const std::string* code = find_tlv(tlvs, tag::network_error_code); code && code->size() == 3) {
    receipt.error = std::to_string(tlv_number({{0, code->substr(1)}}, 0).value_or(0));  // §5.3.2.31: type, then the code
  }
  std::optional<MessageState> state = parse_state(field("stat"));
  if (const auto number = tlv_number(tlvs, tag::message_state); number && *number <= 9) state = static_cast<MessageState>(*number);
  if (receipt.id.empty() || receipt.id.size() > most_id_octets || !state) return std::nullopt;
  receipt.state = *state;
  return receipt;
}

bool is_final_failure(MessageState state) {
  switch (state) {
    case MessageState::expired: case MessageState::deleted: case MessageState::undeliverable: case MessageState::rejected:
    case MessageState::skipped: return true;
    default: return false;
  }
}

std::string explain(const Receipt& receipt) {
  std::string why;
  switch (receipt.state) {
    case MessageState::expired: why = "The phone could not be reached in time"; break;
    case MessageState::deleted: why = "The network deleted the message before it was delivered"; break;
    case MessageState::rejected: why = "The network refused the message"; break;
    default: why = "The network could not deliver the message"; break;
  }
  const bool has_code = receipt.error.find_first_not_of("0") != std::string::npos && receipt.error.size() <= 8;
  return has_code ? fmt::format("{} (code {}).", why, receipt.error) : why + ".";
}

}  // namespace wherry::sms::smpp
