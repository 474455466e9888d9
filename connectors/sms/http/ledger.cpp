#include "connectors/sms/http/ledger.hpp"

#include "connectors/sms/text/row.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::sms::http {

namespace {

constexpr std::size_t rows_per_read = 500;
// How long after its sending a text is remembered: when its fate is known, while its status may still come, and where
// its outcome is unknown and the gateway may ask again.
constexpr std::chrono::hours final_kept{24}, open_kept{24 * 4}, unknown_kept{24 * 30};

std::chrono::hours lifetime(const Record& record) {
  return record.id.empty() ? unknown_kept : record.is_final() ? final_kept : open_kept;
}

std::string pair_of(const Record& record) { return record.sought.from + " " + record.sought.to; }

}  // namespace

std::string to_text(const Record& record) {
  nlohmann::json json = {{"key", record.key},
                         {"from", record.sought.from},
                         {"to", record.sought.to},
                         {"digest", record.sought.digest},
                         {"begun", base::to_milliseconds(record.sought.begun)},
                         {"id", record.id},
                         {"told", record.told}};
  if (!record.parts.empty()) json["parts"] = record.parts;
  if (record.is_doubtful) json["doubtful"] = true;
  if (record.is_foreign) json["foreign"] = true;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Record> parse_record(std::string_view text) {
  const auto parsed = connector::parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const auto word = [&](const char* key) {
    const auto found = parsed->find(key);
    return found != parsed->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key, std::int64_t fallback) {
    const auto found = parsed->find(key);
    return found != parsed->end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
  };
  Record record;
  record.key = word("key");
  record.sought = {word("from"), word("to"), word("digest"), stored_time(number("begun", 0)),
                   Ledger::ref_of(record.key)};
  record.id = word("id");
  record.told = static_cast<int>(std::clamp<std::int64_t>(number("told", -1), -1, 3));
  record.parts = word("parts").substr(0, most_parts);
  record.is_doubtful = parsed->contains("doubtful");
  record.is_foreign = parsed->contains("foreign");
  if (record.key.empty()) return std::nullopt;
  return record;
}

std::string Ledger::ref_of(std::string_view key) { return digest(key); }

namespace {

// What can be told of a row that is none of ours: carriers of another type call it by the text's key, which is no ref.
std::optional<Record> read_foreign(std::string_view row_name) {
  const auto octets = base::from_hex(row_name);
  if (octets && octets->size() == 16) return std::nullopt;
  Record record;
  record.key = unescape_key(row_name);
  record.sought.ref = Ledger::ref_of(record.key);
  return record;
}

}  // namespace

connector::Entry Ledger::entry_of(const Record& record) const {
  return {name_ + "/m/" + ref_of(record.key), to_text(record)};
}

void Ledger::add(std::shared_ptr<Record> record) {
  if (record->id.empty()) ++unknown_pairs_[pair_of(*record)];
  else by_id_[record->id] = record;
  look_for(record);
  await_end(record);
  by_ref_[ref_of(record->key)] = std::move(record);
}

void Ledger::remove(const Record& record) {
  const auto unknown = record.id.empty() ? unknown_pairs_.find(pair_of(record)) : unknown_pairs_.end();
  if (unknown != unknown_pairs_.end() && --unknown->second == 0) unknown_pairs_.erase(unknown);
  const auto by_id = by_id_.find(record.id);
  if (by_id != by_id_.end() && by_id->second.get() == &record) by_id_.erase(by_id);
  by_ref_.erase(ref_of(record.key));
}

bool Ledger::is_here(const Record& record) const { return find(ref_of(record.key)).get() == &record; }

// Its outcome is known, and with that its life is shorter.
void Ledger::name(const std::shared_ptr<Record>& record, std::string id) {
  const auto unknown = record->id.empty() ? unknown_pairs_.find(pair_of(*record)) : unknown_pairs_.end();
  if (unknown != unknown_pairs_.end() && --unknown->second == 0) unknown_pairs_.erase(unknown);
  by_id_.erase(record->id);
  record->id = std::move(id);
  by_id_[record->id] = record;
  await_end(record);
}

void Ledger::await_end(const std::shared_ptr<Record>& record) {
  ends_.emplace(record->sought.begun + lifetime(*record), record);
}

asio::awaitable<void> Ledger::load() {
  by_ref_.clear();
  by_id_.clear();
  looks_.clear();
  ends_.clear();
  unknown_pairs_.clear();
  const std::string prefix = name_ + "/m/";
  std::string after;
  for (;;) {
    const auto page = co_await storage_.read(prefix, after, rows_per_read);
    for (const auto& entry : page) {
      auto record = parse_record(entry.value);
      if (!record) record = read_foreign(std::string_view(entry.key).substr(prefix.size()));
      if (!record) {
        log::error("http_carrier.record_damaged", {{"carrier", name_}, {"entry", entry.key}});
        continue;
      }
      record->ended = record->next_look = born_;
      const bool is_ours = entry_of(*record).key == entry.key;
      auto shared = std::make_shared<Record>(std::move(*record));
      add(shared);
      if (!is_ours) co_await adopt(shared, entry.key);
    }
    if (page.size() < rows_per_read) break;
    after = page.back().key;
  }

  const auto saved = co_await storage_.read(cursor_entry_, std::string(), 1);
  std::int64_t milliseconds = 0;
  if (!saved.empty()) {
    const std::string& text = saved.front().value;
    std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  }
  if (milliseconds > 0) {
    cursor_ = stored_time(milliseconds);  // one of the future is taken back (rightful())
  } else {
    co_await set_cursor(clock_.now());  // the first start: what came before is not ours
  }
  loaded_ = true;
}

// The row of a carrier of another type that had this name. Whether its text is out, this service cannot know: so it is
// not sent again. As a row of ours it is erased in time.
asio::awaitable<void> Ledger::adopt(std::shared_ptr<Record> record, std::string row) {
  log::warn("http_carrier.record_foreign", {{"carrier", name_}, {"entry", row}});
  record->is_foreign = true;
  if (record->sought.begun == base::Time()) record->sought.begun = born_;
  std::vector<connector::Entry> entries(2);
  entries[0] = entry_of(*record);
  entries[1].key = std::move(row);
  co_await storage_.write(std::move(entries));
}

asio::awaitable<void> Ledger::set_cursor(base::Time cursor) {
  std::vector<connector::Entry> entries(1);
  entries.front().key = cursor_entry_;
  entries.front().value = std::to_string(base::to_milliseconds(cursor));
  co_await storage_.write(std::move(entries));
  cursor_ = cursor;
}

std::shared_ptr<Record> Ledger::find(std::string_view ref) const {
  const auto found = by_ref_.find(ref);
  return found == by_ref_.end() ? nullptr : found->second;
}

std::shared_ptr<Record> Ledger::find_id(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

asio::awaitable<std::shared_ptr<Record>> Ledger::begin(OutgoingText text) {
  // A text that is asked for again, because its answer was lost, has one already.
  const auto known = find(ref_of(text.key));
  const auto record = known ? known : std::make_shared<Record>();
  record->key = text.key;
  record->sought = {text.from.text, text.to.text, digest_of(text.text), clock_.now(), ref_of(text.key)};
  record->ended = record->next_look = record->sought.begun;
  record->under_way = true;
  std::vector<connector::Entry> entries(1, entry_of(*record));
  co_await storage_.write(std::move(entries));
  if (!is_here(*record)) add(record);
  else look_for(record);
  co_return record;
}

void Ledger::learn(const std::shared_ptr<Record>& record, std::string id) {
  if (record->id == id) return;
  if (!record->id.empty() && record->id != record->sought.ref) {
    log::error("http_carrier.sent_twice", {{"carrier", name_}, {"id", record->id}, {"other", id}});
    return;
  }
  name(record, std::move(id));
  record->is_stored = false;
}

asio::awaitable<void> Ledger::bind(std::shared_ptr<Record> record, std::string id) {
  learn(record, std::move(id));
  if (!record->is_stored) co_await keep(record);
}

asio::awaitable<void> Ledger::keep(std::shared_ptr<Record> record) {
  connector::Changes changes = changes_for(record);
  try {
    co_await storage_.write(std::move(changes));
  } catch (...) {
    record->is_stored = false;
    throw;
  }
}

connector::Changes Ledger::changes_for(const std::shared_ptr<Record>& record) {
  await_end(record);
  record->is_stored = true;
  return {entry_of(*record)};
}

asio::awaitable<void> Ledger::forget(std::shared_ptr<Record> record) {
  remove(*record);
  std::vector<connector::Entry> entries(1);
  entries.front().key = entry_of(*record).key;
  co_await storage_.write(std::move(entries));
}

std::vector<std::shared_ptr<Record>> Ledger::due(std::size_t most) {
  std::vector<std::shared_ptr<Record>> records, later;
  const base::Time now = clock_.now();
  while (!looks_.empty() && looks_.begin()->first <= now && records.size() < most) {
    auto record = std::move(looks_.extract(looks_.begin()).value().second);
    if (record->is_final() || !is_here(*record)) continue;
    const bool is_due = !record->under_way && record->next_look <= now;
    (is_due ? records : later).push_back(std::move(record));
  }
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a->next_look < b->next_look; });
  records.erase(std::unique(records.begin(), records.end()), records.end());
  for (const auto* taken : {&records, &later}) {
    for (const auto& record : *taken) look_for(record);
  }
  return records;
}

void Ledger::asked(Record& record, std::chrono::seconds at_least) const {
  const base::Time now = clock_.now();
  record.next_look = now + std::max<base::Time::duration>(now - record.sought.begun, at_least);
}

asio::awaitable<void> Ledger::sweep() {
  const base::Time now = clock_.now();
  std::vector<std::shared_ptr<Record>> old;
  ByTime later;
  while (!ends_.empty() && ends_.begin()->first < now) {
    const auto record = std::move(ends_.extract(ends_.begin()).value().second);
    if (!is_here(*record)) continue;
    const base::Time end = record->sought.begun + lifetime(*record);
    if (record->under_way || end >= now) {
      later.emplace(end, record);
    } else if (record->id.empty()) {
      remove(*record);
      old.push_back(record);
    } else {
      old.push_back(record);
    }
  }
  ends_.merge(later);
  std::vector<connector::Entry> gone;
  for (const auto& record : old) {
    // While a text between the same two is looked for, this one's id says which message is not it.
    if (!record->id.empty() && unknown_pairs_.contains(pair_of(*record))) {
      await_end(record);
      continue;
    }
    gone.push_back({entry_of(*record).key, {}});
    if (!record->id.empty()) remove(*record);
  }
  if (!gone.empty()) co_await storage_.write(std::move(gone));
}

}  // namespace wherry::sms::http
