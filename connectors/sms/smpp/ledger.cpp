#include "connectors/sms/smpp/ledger.hpp"

#include "connectors/sms/keys.hpp"
#include "gateway/base/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t kRecent = 4096;         // ids kept in memory: most receipts come within seconds
constexpr std::size_t kMostParked = 10'000;
constexpr std::size_t kMostUnknown = 10'000;
constexpr std::size_t kPage = 500;
constexpr std::chrono::hours kParkedFor{1};

nlohmann::json to_json(const NetworkAddress& a) { return {{"ton", a.ton}, {"npi", a.npi}, {"digits", escape_key(a.digits)}}; }
NetworkAddress parse_address(const nlohmann::json& json) {
  return {json.value("ton", std::uint8_t{0}), json.value("npi", std::uint8_t{0}), json.value("digits", std::string())};
}

std::string to_text(const ReportedReceipt& r) {
  return nlohmann::json{{"id", r.receipt.id}, {"state", static_cast<int>(r.receipt.state)}, {"error", r.receipt.error},
                        {"head", head_of(r.receipt.text)}, {"source", to_json(r.source)}, {"destination", to_json(r.destination)},
                        {"at", base::to_milliseconds(r.arrived)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ReportedReceipt> parse_reported(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("source") || !json.contains("destination")) return std::nullopt;
  ReportedReceipt r;
  r.receipt = {json.value("id", std::string()), static_cast<MessageState>(json.value("state", 7)), json.value("error", std::string()),
               json.value("head", std::string())};
  r.source = parse_address(json["source"]);
  r.destination = parse_address(json["destination"]);
  r.arrived = base::from_milliseconds(json.value("at", std::int64_t{0}));
  return r;
}

// As a number an id says little: the addresses must agree.
bool counts(IdMatch by, const Record& record, const ReportedReceipt& reported) {
  return by > IdMatch::number || (by == IdMatch::number && may_be_same(record.to, reported.source));
}

}  // namespace

std::string Ledger::key(std::string_view kind, std::string_view rest) const { return fmt::format("{}/{}/{}", name_, kind, rest); }

asio::awaitable<void> Ledger::load() {
  co_await sweep();
  std::string after;
  for (;;) {
    const auto page = co_await read_page("r", after);
    if (page.empty()) co_return;
    after = page.back().key;
    for (const auto& entry : page) {
      if (auto reported = parse_reported(entry.value)) remember_parked(entry.key, std::move(*reported));
    }
  }
}

asio::awaitable<std::vector<connector::Entry>> Ledger::read_page(std::string kind, std::string after) {
  co_return co_await storage_.read(key(kind, ""), std::move(after), kPage);
}

asio::awaitable<void> Ledger::sweep() {
  const base::Time now = clock_.now();
  std::vector<connector::Entry> gone;
  std::string after;
  for (;;) {
    const auto page = co_await read_page("m", after);
    if (page.empty()) break;
    after = page.back().key;
    for (const auto& entry : page) {
      auto record = parse_record(entry.value);
      if (record && now < record->expires) {
        note_unknown(std::move(*record));
        continue;
      }
      gone.push_back({entry.key, {}});
      if (!record) continue;
      for (auto& erased : erase(*record)) gone.push_back(std::move(erased));
    }
  }
  for (auto entry = parked_.begin(); entry != parked_.end();) {
    if (now < entry->second.arrived + kParkedFor) {
      ++entry;
      continue;
    }
    log::warn("smpp.receipt_orphaned", {{"carrier", name_}, {"id", log::masked(entry->second.receipt.id)}});
    gone.push_back({entry->first, {}});
    entry = forget_parked(entry);
  }
  std::erase_if(live_, [](const auto& live) { return live.second.expired(); });
  if (!gone.empty()) co_await storage_.write(std::move(gone));
}

// A record of an earlier run with segments of unknown outcome. Those that are live speak for themselves.
void Ledger::note_unknown(Record record) {
  const auto live = live_.find(record.key);
  if (!record.has(SegmentState::written) || unknown_.size() >= kMostUnknown || (live != live_.end() && !live->second.expired())) return;
  unknown(create(std::move(record)));
}

std::shared_ptr<Record> Ledger::create(Record record) {
  auto shared = std::make_shared<Record>(std::move(record));
  live_[shared->key] = shared;
  return shared;
}

asio::awaitable<std::shared_ptr<Record>> Ledger::open(std::string message_key) {
  if (auto here = live_[message_key].lock()) co_return here;
  const std::string row = key("m", escape_key(message_key));
  const auto entries = co_await storage_.read(row, std::string(), 1);
  if (auto here = live_[message_key].lock()) co_return here;  // somebody was faster
  if (entries.empty() || entries.front().key != row) co_return nullptr;
  auto record = parse_record(entries.front().value);
  if (!record) co_return nullptr;
  co_return create(std::move(*record));
}

std::vector<connector::Entry> Ledger::keep(const Record& record) const {
  std::vector<connector::Entry> entries = {{key("m", escape_key(record.key)), smpp::to_text(record)}};
  for (std::size_t i = 0; i < record.segments.size(); ++i) {
    const SegmentRecord& segment = record.segments[i];
    if (segment.id.empty()) continue;
    const std::string row = key("i", escape_key(canonical_id(segment.id)) + "/" + escape_key(segment.id));
    const nlohmann::json value = {{"key", record.key}, {"segment", i}, {"id", escape_key(segment.id)}};
    entries.push_back({row, value.dump()});
  }
  return entries;
}

std::vector<connector::Entry> Ledger::erase(const Record& record) {
  unknown_.erase(record.key);
  auto entries = keep(record);
  for (auto& entry : entries) entry.value.clear();
  return entries;
}

void Ledger::ended(const Address& to) {
  const auto found = under_way_.find(to.text);
  if (found != under_way_.end() && --found->second == 0) under_way_.erase(found);
}

std::vector<Ledger::Waited> Ledger::sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id) {
  record->segments[segment].id = id;
  recent_order_.push_back(recent_.emplace(canonical_id(id), Recent{record, segment, id}));
  if (recent_order_.size() > kRecent) {
    recent_.erase(recent_order_.front());
    recent_order_.pop_front();
  }
  std::vector<std::string> fitting;
  const auto [first, last] = parked_forms_.equal_range(canonical_id(id));
  for (auto form = first; form != last; ++form) fitting.push_back(form->second);
  std::vector<Waited> waited;
  for (const std::string& entry : fitting) {
    const auto parked = parked_.find(entry);
    const IdMatch by = match_ids(id, parked->second.receipt.id);
    if (!counts(by, *record, parked->second)) continue;
    waited.push_back({parked->second, entry, {record, segment, by}});
    forget_parked(parked);
  }
  return waited;
}

void Ledger::remember_parked(const std::string& entry, ReportedReceipt reported) {
  if (parked_.contains(entry)) return;
  for (const std::string& form : id_forms(reported.receipt.id)) parked_forms_.emplace(form, entry);
  parked_[entry] = std::move(reported);
}

std::map<std::string, ReportedReceipt>::iterator Ledger::forget_parked(std::map<std::string, ReportedReceipt>::iterator parked) {
  for (const std::string& form : id_forms(parked->second.receipt.id)) {
    const auto [first, last] = parked_forms_.equal_range(form);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != parked->first) continue;
      parked_forms_.erase(entry);
      break;
    }
  }
  return parked_.erase(parked);
}

std::vector<Ledger::Waited> Ledger::take_placed() {
  std::vector<Waited> placed;
  for (auto entry = parked_.begin(); entry != parked_.end();) {
    Match match = find_recent(entry->second);
    if (!match.record) match = claim_unknown(entry->second);
    if (!match.record) {
      ++entry;
      continue;
    }
    placed.push_back({entry->second, entry->first, std::move(match)});
    entry = forget_parked(entry);
  }
  return placed;
}

Match Ledger::find_recent(const ReportedReceipt& reported) const {
  Match best;
  for (const std::string& form : id_forms(reported.receipt.id)) {
    const auto [first, last] = recent_.equal_range(form);
    for (auto entry = first; entry != last; ++entry) {
      const IdMatch by = match_ids(entry->second.id, reported.receipt.id);
      if (by >= best.by && counts(by, *entry->second.record, reported)) best = {entry->second.record, entry->second.segment, by};
    }
  }
  return best;
}

asio::awaitable<Match> Ledger::find(ReportedReceipt reported) {
  if (Match match = find_recent(reported); match.record) co_return match;
  Match best;
  for (const std::string& form : id_forms(reported.receipt.id)) {
    const std::string prefix = key("i", escape_key(form) + "/");
    const auto entries = co_await storage_.read(prefix, std::string(), 16);
    for (const auto& entry : entries) {
      const auto json = nlohmann::json::parse(entry.value, nullptr, false);
      if (!json.is_object()) continue;
      const IdMatch by = match_ids(json.value("id", std::string()), escape_key(reported.receipt.id));
      if (by == IdMatch::none || by <= best.by) continue;
      auto record = co_await open(json.value("key", std::string()));
      const auto segment = json.value("segment", std::size_t{0});
      if (record && segment < record->segments.size() && counts(by, *record, reported)) best = {std::move(record), segment, by};
    }
  }
  if (best.record) co_return best;
  if (Match match = find_recent(reported); match.record) co_return match;  // answered meanwhile
  co_return claim_unknown(reported);
}

Match Ledger::claim_unknown(const ReportedReceipt& reported) {
  Match match;
  for (const auto& [message_key, record] : unknown_) {
    if (!may_be_same(record->to, reported.source) || !may_be_same(record->from, reported.destination)) continue;
    if (under_way_.contains(record->to.text) || reported.arrived < record->begun) continue;
    for (std::size_t i = 0; i < record->segments.size(); ++i) {
      const SegmentRecord& segment = record->segments[i];
      if (segment.state != SegmentState::written || !segment.id.empty() || !heads_agree(segment.head, head_of(reported.receipt.text))) continue;
      if (match.record) return {};  // it may be either: better none
      match = {record, i, IdMatch::number};
      break;
    }
  }
  if (match.record) match.record->segments[match.segment].id = reported.receipt.id;
  return match;
}

connector::Entry Ledger::park(ReportedReceipt reported) {
  if (parked_.size() >= kMostParked) {
    log::warn("smpp.receipt_orphaned", {{"carrier", name_}, {"id", log::masked(parked_.begin()->second.receipt.id)}});
    forget_parked(parked_.begin());  // its entry goes with the sweep after the next start
  }
  const std::string row = key("r", fmt::format("{:015}-{:06}", base::to_milliseconds(reported.arrived), ++parkings_ % 1'000'000));
  connector::Entry entry{row, to_text(reported)};
  remember_parked(row, std::move(reported));
  return entry;
}

}  // namespace wherry::sms::smpp
