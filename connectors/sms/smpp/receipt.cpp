#include "connectors/sms/smpp/receipt.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_id_octets = 64;  // §5.2.23
// Shorter ones are codes and counters that an id may equal by chance.
constexpr std::size_t fewest_guessed_octets = 6, most_guesses = 16;

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-'; }

struct Field {
  std::string_view key;
  std::size_t start, value;
};

// Where `key` stands in `lower` and a value follows. From `glued_from` on it may follow another's value without a gap.
std::optional<Field> find_field(const std::string& lower, std::string_view key, std::size_t glued_from) {
  for (std::size_t at = lower.find(key); at != std::string::npos; at = lower.find(key, at + 1)) {
    const bool begins = at == 0 || !is_word(lower[at - 1]) || at > glued_from;
    const std::size_t colon = lower.find_first_not_of(" \t\"'", at + key.size());
    if (begins && colon != std::string::npos && (lower[colon] == ':' || lower[colon] == '='))
      return Field{key, at, colon + 1};
  }
  return std::nullopt;
}

// In the order in which they stand. An id that follows a value without a gap would be any word's end.
std::vector<Field> find_fields(const std::string& lower) {
  static constexpr std::string_view field_keys[] = {"id",   "sub",    "dlvrd", "submit date", "done date",
                                                    "stat", "status", "state", "err",         "text"};
  std::vector<Field> fields;
  std::size_t first = lower.size();
  for (const auto key : field_keys) {
    if (const auto field = find_field(lower, key, lower.size())) {
      fields.push_back(*field);
      first = std::min(first, field->start);
    }
  }
  for (const auto key : field_keys) {
    const bool found = std::any_of(fields.begin(), fields.end(), [&](const Field& f) { return f.key == key; });
    if (found || key == "id") continue;
    if (const auto field = find_field(lower, key, first)) fields.push_back(*field);
  }
  std::sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) { return a.start < b.start; });
  return fields;
}

// Without quotes, spaces and what separates it from the next field.
std::string_view trim_value(std::string_view value) {
  const auto start = value.find_first_not_of(" \t\r\n\"'");
  if (start == std::string_view::npos) return {};
  value.remove_prefix(start);
  return value.substr(0, value.find_first_of(std::string_view(" \t\r\n,;|&\"'\0", 11)));
}

// The fields of the text, by key. Order, case, spaces and separators vary, and "text" is all that follows it.
std::map<std::string, std::string> read_fields(std::string_view text) {
  const std::vector<Field> found = find_fields(base::to_lower_ascii(text));
  std::map<std::string, std::string> fields;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].key == "text") {  // what looks like a key behind it is the sender's text
      fields["text"] = text.substr(found[i].value);
      break;
    }
    const std::size_t end = i + 1 < found.size() ? std::max(found[i + 1].start, found[i].value) : text.size();
    const std::string_view value = trim_value(text.substr(found[i].value, end - found[i].value));
    fields[std::string(found[i].key.starts_with("stat") ? "stat" : found[i].key)] = value;
  }
  return fields;
}

std::optional<MessageState> parse_state(std::string_view stat) {
  static constexpr std::pair<std::string_view, MessageState> state_names[] = {
      {"deliv", MessageState::delivered},     {"expir", MessageState::expired},       {"delet", MessageState::deleted},
      {"undel", MessageState::undeliverable}, {"faile", MessageState::undeliverable}, {"accep", MessageState::accepted},
      {"unkno", MessageState::unknown},       {"rejec", MessageState::rejected},      {"enrou", MessageState::enroute},
      {"buffe", MessageState::enroute},       {"sched", MessageState::scheduled},     {"skipp", MessageState::skipped},
      {"nack", MessageState::rejected}};
  const std::string lower = base::to_lower_ascii(stat);
  for (const auto& [start, state] : state_names) {
    if (lower.starts_with(start)) return state;
  }
  // §5.2.28
  if (lower.size() == 1 && lower[0] >= '0' && lower[0] <= '9') return static_cast<MessageState>(lower[0] - '0');
  return std::nullopt;
}

// Also the words that centres have of their own. They mean so only where a state is expected.
std::optional<MessageState> parse_labelled_state(std::string_view stat) {
  static constexpr std::pair<std::string_view, MessageState> other_names[] = {
      {"acked", MessageState::accepted},
      {"sent", MessageState::enroute},
      {"submit", MessageState::enroute},
      {"queue", MessageState::enroute},
      {"pending", MessageState::enroute},
      {"retry", MessageState::enroute},
      {"not_deliv", MessageState::undeliverable},
      {"notdeliv", MessageState::undeliverable},
      {"no_route", MessageState::undeliverable},
      {"noroute", MessageState::undeliverable},
      {"error", MessageState::undeliverable},
      {"invalid", MessageState::undeliverable},
      {"block", MessageState::rejected},
      {"blackl", MessageState::rejected},
      {"dnd", MessageState::rejected},
      {"spam", MessageState::rejected},
      {"cancel", MessageState::deleted}};
  if (const auto state = parse_state(stat)) return state;
  const std::string lower = base::to_lower_ascii(stat);
  for (const auto& [start, state] : other_names) {
    if (lower.starts_with(start)) return state;
  }
  return std::nullopt;
}

bool is_final(MessageState state) { return state == MessageState::delivered || is_final_failure(state); }

}  // namespace

std::string_view to_string(MessageState state) {
  switch (state) {
    case MessageState::scheduled: return "scheduled";
    case MessageState::enroute: return "enroute";
    case MessageState::delivered: return "delivered";
    case MessageState::expired: return "expired";
    case MessageState::deleted: return "deleted";
    case MessageState::undeliverable: return "undeliverable";
    case MessageState::accepted: return "accepted";
    case MessageState::unknown: return "unknown";
    case MessageState::rejected: return "rejected";
    case MessageState::skipped: return "skipped";
  }
  return "other";
}

std::optional<Receipt> parse_receipt(const std::vector<Tlv>& tlvs, std::string_view text) {
  const auto fields = read_fields(text);
  const auto field = [&](const char* key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string() : found->second;
  };
  Receipt receipt;
  receipt.id = trim_value(tlv_text(tlvs, tag::receipted_message_id).value_or(std::string()));
  if (receipt.id.empty()) receipt.id = field("id");
  else if (field("id") != receipt.id && field("id").size() <= most_id_octets) receipt.other_id = field("id");
  receipt.error = field("err");
  receipt.text = field("text");
  if (const std::string* code = find_tlv(tlvs, tag::network_error_code); code && code->size() == 3) {
    // §5.3.2.31: type, then the code
    receipt.error = std::to_string(tlv_number({{0, code->substr(1)}}, 0).value_or(0));
  }
  std::optional<MessageState> state = parse_labelled_state(field("stat"));
  if (const auto number = tlv_number(tlvs, tag::message_state); number && *number <= 9) {
    const auto named = static_cast<MessageState>(*number);
    if (!state || is_final(named) || !is_final(*state)) state = named;
  }
  if (receipt.id.empty() || receipt.id.size() > most_id_octets || !state) return std::nullopt;
  receipt.state = *state;
  return receipt;
}

std::vector<Receipt> guess_receipts(const std::vector<Tlv>& tlvs, std::string_view text) {
  std::vector<std::string> words = {std::string(trim_value(tlv_text(tlvs, tag::receipted_message_id).value_or("")))};
  std::optional<MessageState> state;
  if (const auto number = tlv_number(tlvs, tag::message_state); number && *number <= 9)
    state = static_cast<MessageState>(*number);
  bool is_torn = false;  // its words name several states
  const std::string lower = base::to_lower_ascii(text);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(lower[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    const auto named = word.size() > 1 ? parse_state(word) : std::nullopt;
    is_torn = is_torn || (named && state && *named != *state);
    if (named) state = named;
    else words.emplace_back(word);
  }
  std::vector<Receipt> guesses;
  for (std::string& word : words) {
    if (word.size() < fewest_guessed_octets || word.size() > most_id_octets) continue;
    if (guesses.size() == most_guesses) break;
    Receipt guess;
    guess.id = std::move(word);
    guess.state = is_torn ? MessageState::unknown : state.value_or(MessageState::unknown);
    guesses.push_back(std::move(guess));
  }
  return guesses;
}

bool is_final_failure(MessageState state) {
  switch (state) {
    case MessageState::expired:
    case MessageState::deleted:
    case MessageState::undeliverable:
    case MessageState::rejected:
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
