#include "connectors/sms/smpp/ledger.hpp"

#include "connectors/sms/text/row.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_parked = 10'000;
constexpr std::size_t most_unknown = 10'000;
constexpr std::size_t records_per_read = 500;
constexpr std::size_t most_of_one_id = 64;
constexpr std::uint64_t orphans_per_line = 1000;  // in the log
constexpr std::chrono::hours parked_for{1};
constexpr std::chrono::hours unreadable_for{144};  // as long as a text may wait for its receipts

constexpr const char* receipt_version = "1";

void add_address(RowWriter& row, const NetworkAddress& a) {
  row.add_number(a.ton);
  row.add_number(a.npi);
  row.add(a.digits);
}
NetworkAddress read_address(RowReader& row) {
  NetworkAddress a;
  a.ton = row.number<std::uint8_t>();
  a.npi = row.number<std::uint8_t>();
  a.digits = row.text();
  return a;
}
NetworkAddress read_address(const nlohmann::json& json) {
  return {json.value("ton", std::uint8_t{0}), json.value("npi", std::uint8_t{0}),
          unescape_key(json.value("digits", std::string()))};
}

// "1/id/other id/state/error/head", source and destination as "/ton/npi/digits", "/time".
std::string to_text(const ReportedReceipt& r) {
  RowWriter row(receipt_version);
  row.add(r.receipt.id);
  row.add(r.receipt.other_id);
  row.add_number(static_cast<int>(r.receipt.state));
  row.add(r.receipt.error);
  row.add(head_of(r.receipt.text));
  add_address(row, r.source);
  add_address(row, r.destination);
  row.add_time(r.arrived);
  return row.take();
}

ReportedReceipt read_reported(RowReader row) {
  ReportedReceipt r;
  r.receipt.id = row.text();
  r.receipt.other_id = row.text();
  r.receipt.state = static_cast<MessageState>(row.number<std::uint8_t>());
  r.receipt.error = row.text();
  r.receipt.text = row.text();
  r.source = read_address(row);
  r.destination = read_address(row);
  r.arrived = row.time();
  return r;
}

// As they were written before.
ReportedReceipt read_reported(const nlohmann::json& json) {
  ReportedReceipt r;
  r.receipt = {json.value("id", std::string()), static_cast<MessageState>(json.value("state", 7)),
               json.value("error", std::string()), json.value("head", std::string()),
               json.value("other_id", std::string())};
  r.source = read_address(json.at("source"));
  r.destination = read_address(json.at("destination"));
  r.arrived = stored_time(json.value("at", std::int64_t{0}));
  return r;
}

std::optional<ReportedReceipt> parse_reported(std::string_view text) {
  try {
    if (text.starts_with('{')) return read_reported(nlohmann::json::parse(text));
    if (auto row = RowReader::open(text, receipt_version)) return read_reported(std::move(*row));
  } catch (const nlohmann::json::exception&) {  // no JSON; a value is missing, or of another type
  } catch (const std::invalid_argument&) {      // a field is missing, or no number
  }
  return std::nullopt;
}

// What an entry of an id says: by its key "…/<canonical id>/<key>/<n>", and the id as its value. Those of before have
// all of it in JSON.
struct Place {
  std::string key;  // of the record
  std::size_t segment;
  std::string id;
};
std::optional<Place> read_json_place(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return Place{json.at("key").get<std::string>(), json.at("segment").get<std::size_t>(),
                 unescape_key(json.at("id").get<std::string>())};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}
std::optional<Place> read_place(const connector::Entry& entry) {
  if (entry.value.starts_with('{')) return read_json_place(entry.value);
  const auto parts = base::split(entry.key, '/');
  if (parts.size() < 2) return std::nullopt;
  const std::string_view number = parts.back();
  Place place{unescape_key(parts[parts.size() - 2]), 0, unescape_key(entry.value)};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), place.segment);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return place;
}

}  // namespace

std::string Ledger::key(std::string_view kind, std::string_view rest) const {
  return fmt::format("{}/{}/{}", name_, kind, rest);
}

asio::awaitable<void> Ledger::load() {
  co_await load_records();
  knows_unfinished_ = unfinished_.size() < most_unknown;
  const base::Time now = clock_.now();
  std::vector<connector::Entry> gone;
  std::size_t damaged = 0;
  std::string after;
  for (;;) {
    const auto page = co_await read_page("r", after);
    if (page.empty()) break;
    after = page.back().key;
    for (const auto& entry : page) {
      auto reported = parse_reported(entry.value);
      if (!reported) ++damaged;
      if (!reported || parked_.contains(entry.key)) continue;
      if (now >= reported->arrived + parked_for) {
        gone.push_back({entry.key, {}});
        continue;
      }
      matching_.received(reported->receipt.id);
      remember_parked(entry.key, std::move(*reported));
      if (parked_.size() > most_parked) gone.push_back(orphan_oldest());
    }
  }
  if (damaged > 0) log::warn("smpp.rows_damaged", {{"carrier", name_}, {"kind", "receipts"}, {"rows", damaged}});
  if (!gone.empty()) co_await storage_.write(std::move(gone));
}

asio::awaitable<std::vector<connector::Entry>> Ledger::read_page(std::string kind, std::string after) {
  co_return co_await storage_.read(key(kind, ""), std::move(after), records_per_read);
}

asio::awaitable<void> Ledger::load_records() {
  const base::Time now = clock_.now();
  std::vector<connector::Entry> gone;
  base::Time newest{};
  std::size_t damaged = 0;
  std::string notations, after;
  for (;;) {
    const auto page = co_await read_page("m", after);
    if (page.empty()) break;
    after = page.back().key;
    for (const auto& entry : page) {
      auto record = parse_record(entry.value);
      if (!record) {
        ++damaged;
        unfinished_.insert(unescape_key(std::string_view(entry.key).substr(key("m", "").size())));
        continue;
      }
      if (now >= record->expires) {
        for (auto& erased : erase(*record)) gone.push_back(std::move(erased));
        continue;
      }
      if (!record->notations.empty() && record->begun >= newest) {
        newest = record->begun;
        notations = record->notations;
      }
      await_end(*record);
      unfinished(*record);
      note_unknown(std::move(*record));
    }
  }
  matching_.restore(notations);
  if (damaged > 0) log::warn("smpp.rows_damaged", {{"carrier", name_}, {"kind", "texts"}, {"rows", damaged}});
  if (!gone.empty()) co_await storage_.write(std::move(gone));
}

asio::awaitable<void> Ledger::sweep() {
  const base::Time now = clock_.now();
  std::vector<connector::Entry> gone;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const std::string ended = std::move(ends_.extract(ends_.begin()).value().second);
    const auto record = co_await read(ended);
    if (!record || now < record->expires) continue;  // it went meanwhile, or cannot be read
    finished(*record);
    known(*record);
    for (auto& erased : erase(*record)) gone.push_back(std::move(erased));
  }
  follow_clock();
  while (!parked_.empty() && now >= parked_.begin()->second.arrived + parked_for) gone.push_back(orphan_oldest());
  if (!gone.empty()) co_await storage_.write(std::move(gone));
}

// The clock may have been put back: no receipt waits longer for that. Those that came last have the latest times.
void Ledger::follow_clock() {
  const base::Time now = clock_.now();
  for (auto parked = parked_.rbegin(); parked != parked_.rend() && parked->second.arrived > now; ++parked)
    parked->second.arrived = now;
}

// Nobody's receipt: in the store, too.
connector::Entry Ledger::orphan_oldest() {
  const auto oldest = parked_.begin();
  if (orphans_++ % orphans_per_line == 0) {
    log::warn("smpp.receipt_orphaned",
              {{"carrier", name_}, {"id", log::masked(oldest->second.receipt.id)}, {"so_far", orphans_}});
  }
  connector::Entry gone{oldest->first, {}};
  forget_parked(oldest);
  return gone;
}

// A record of an earlier run with segments of unknown outcome. Those that are live speak for themselves.
void Ledger::note_unknown(Record record) {
  if (!record.has(SegmentState::written) || matching_.unknown() >= most_unknown || find_live(record.key)) return;
  unknown(create(std::move(record)));
}

std::shared_ptr<Record> Ledger::create(Record record) {
  if (live_.size() >= most_live_) {  // a weak pointer holds the memory of what it pointed to
    std::erase_if(live_, [](const auto& live) { return live.second.expired(); });
    most_live_ = std::max(Matching::most_recent, 2 * live_.size());
  }
  auto shared = std::make_shared<Record>(std::move(record));
  live_[shared->key] = shared;
  return shared;
}

std::shared_ptr<Record> Ledger::find_live(const std::string& message_key) const {
  const auto live = live_.find(message_key);
  return live == live_.end() ? nullptr : live->second.lock();
}

void Ledger::unfinished(const Record& record) {
  if (!record.has(SegmentState::unsent) && !record.has(SegmentState::written)) return;
  if (unfinished_.size() < most_unknown) unfinished_.insert(record.key);
  else knows_unfinished_ = false;
}

asio::awaitable<std::shared_ptr<Record>> Ledger::open(std::string message_key) {
  if (auto here = find_live(message_key)) co_return here;
  if (knows_unfinished_ && !unfinished_.contains(message_key)) co_return nullptr;
  co_return co_await read(std::move(message_key));
}

asio::awaitable<std::shared_ptr<Record>> Ledger::read(std::string message_key) {
  if (auto here = find_live(message_key)) co_return here;
  const std::string row = key("m", escape_key(message_key));
  const auto entries = co_await storage_.read(row, std::string(), 1);
  if (auto here = find_live(message_key)) co_return here;  // somebody was faster
  if (entries.empty() || entries.front().key != row) co_return nullptr;
  auto record = parse_record(entries.front().value);
  if (!record) {  // what became of its segments cannot be read, so none may be sent
    record.emplace();
    record->key = message_key;
    record->begun = clock_.now();
    record->expires = record->begun + unreadable_for;
    record->segments.push_back({SegmentState::written, {}, {}});
    log::warn("smpp.row_damaged", {{"carrier", name_}, {"kind", "text"}});
  }
  co_return create(std::move(*record));
}

std::string Ledger::id_row(const Record& record, std::size_t segment) const {
  return key("i", fmt::format("{}/{}/{:03}", escape_key(canonical_id(record.segments[segment].id)),
                              escape_key(record.key), segment));
}

connector::Changes Ledger::keep(const Record& record) {
  await_end(record);
  connector::Changes changes = {{key("m", escape_key(record.key)), smpp::to_text(record)}};
  for (std::size_t i = 0; i < record.segments.size(); ++i) {
    const std::string& id = record.segments[i].id;
    if (!id.empty()) changes.push_back({id_row(record, i), escape_key(id)});
  }
  return changes;
}

connector::Changes Ledger::erase(const Record& record) {
  ends_.erase({record.expires, record.key});
  connector::Changes changes = {{key("m", escape_key(record.key)), {}}};
  for (std::size_t i = 0; i < record.segments.size(); ++i) {
    if (!record.segments[i].id.empty()) changes.push_back({id_row(record, i), {}});
  }
  return changes;
}

void Ledger::ended(std::uint64_t number, const Address& to) {
  matching_.ended(number, to);
  const auto ready = waiting_.lower_bound(matching_.first_unanswered());
  for (auto entry = waiting_.begin(); entry != ready; ++entry) due_.insert(std::move(entry->second));
  waiting_.erase(waiting_.begin(), ready);
}

void Ledger::look_at_all() {
  for (const auto& [entry, reported] : parked_) due_.insert(entry);
}

void Ledger::sent(const std::shared_ptr<Record>& record, std::size_t segment, const std::string& id) {
  if (matching_.sent(record, segment, id)) look_at_all();
  const std::string form = canonical_id(id);
  for (auto at = parked_forms_.lower_bound({form, {}}); at != parked_forms_.end() && at->first == form; ++at)
    due_.insert(at->second);
}

void Ledger::remember_parked(const std::string& entry, ReportedReceipt reported) {
  for (const std::string& id : ids_of(reported.receipt)) {
    for (const std::string& form : id_forms(id)) parked_forms_.emplace(form, entry);
  }
  for (const NetworkAddress* address : {&reported.source, &reported.destination})
    parked_tails_.emplace(tail_of(address->digits), entry);
  parked_[entry] = std::move(reported);
}

void Ledger::forget_parked(std::map<std::string, ReportedReceipt>::iterator parked) {
  const auto& [entry, reported] = *parked;
  for (const std::string& id : ids_of(reported.receipt)) {
    for (const std::string& form : id_forms(id)) parked_forms_.erase({form, entry});
  }
  for (const NetworkAddress* address : {&reported.source, &reported.destination})
    parked_tails_.erase({tail_of(address->digits), entry});
  parked_.erase(parked);
}

asio::awaitable<std::optional<Ledger::Waited>> Ledger::take_placed() {
  while (!due_.empty()) {
    const std::string entry = due_.extract(due_.begin()).value();
    const auto parked = parked_.find(entry);
    if (parked == parked_.end()) continue;
    Match match = co_await search(parked->second, entry);
    if (!match.record) continue;
    const auto still = parked_.find(entry);
    Waited waited{still->second, entry, std::move(match)};
    forget_parked(still);
    co_return waited;
  }
  co_return std::nullopt;
}

void Ledger::put_back(Waited waited) {
  due_.insert(waited.entry);
  remember_parked(waited.entry, std::move(waited.reported));
}

void Ledger::look_again() {
  for (const std::string& tail : matching_.take_changed()) {
    for (auto at = parked_tails_.lower_bound({tail, {}}); at != parked_tails_.end() && at->first == tail; ++at) {
      ++steps_;
      if (matching_.unknown_fitting(parked_.at(at->second)).record) due_.insert(at->second);
    }
  }
}

ReportedReceipt Ledger::arrived(const ShortMessage& message, Receipt receipt, bool certain) {
  if (certain && matching_.received(receipt.id)) look_at_all();
  return {std::move(receipt), message.source, message.destination,
          clock_.now(),       certain,        certain ? matching_.last_started() : 0};
}

asio::awaitable<Match> Ledger::find(ReportedReceipt reported) {
  Match match = co_await search(reported, std::string());
  if (match.record && !reported.certain && matching_.received(reported.receipt.id)) look_at_all();
  co_return match;
}

asio::awaitable<Match> Ledger::find_named(ReportedReceipt reported) {
  reported.certain = false;
  Match match = co_await search(reported, std::string());
  const bool is_named = match.record && match.by == IdMatch::literal && match.agrees && !match.is_shared;
  co_return is_named ? match : Match();
}

asio::awaitable<Match> Ledger::search(ReportedReceipt reported, std::string entry) {
  Matching::ByForm stored;
  if (matching_.is_sure(reported.receipt.id)) {  // the usual way, without the store
    if (auto match = matching_.decide(reported, stored); match && match->record && match->is_plain()) co_return *match;
  }
  for (std::string& id : ids_of(reported.receipt)) {
    std::vector<std::string> forms = matching_.forms_to_look_for(id);
    for (std::string& form : forms) co_await read_stored(std::move(form), &stored);
  }
  if (!entry.empty() && !parked_.contains(entry)) co_return Match();  // somebody was faster
  co_return matching_.conclude(reported, stored);
}

// Adds the segments in the store whose id has this form.
asio::awaitable<void> Ledger::read_stored(std::string form, Matching::ByForm* stored) {
  const std::string prefix = key("i", escape_key(form) + "/");
  const auto entries = co_await storage_.read(prefix, std::string(), most_of_one_id);
  for (const auto& entry : entries) {
    const auto place = read_place(entry);
    if (!place) {
      log::warn("smpp.row_damaged", {{"carrier", name_}, {"kind", "id"}});
      continue;
    }
    auto record = co_await read(place->key);
    if (!record || place->segment >= record->segments.size()) continue;
    Matching::Known known{std::move(record), place->segment, place->id};
    stored->emplace(form, std::move(known));
  }
}

std::vector<connector::Entry> Ledger::park(ReportedReceipt reported) {
  std::vector<connector::Entry> changes;
  if (parked_.size() >= most_parked) changes.push_back(orphan_oldest());
  const std::string row =
      key("r", fmt::format("{:015}-{:06}", base::to_milliseconds(reported.arrived), ++parkings_ % 1'000'000));
  changes.push_back({row, to_text(reported)});
  if (matching_.first_unanswered() <= reported.after) waiting_.emplace(reported.after, row);
  remember_parked(row, std::move(reported));
  return changes;
}

}  // namespace wherry::sms::smpp
