#include "connectors/sms/text/reassembly.hpp"

#include "connectors/sms/text/row.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <stdexcept>

namespace wherry::sms {

namespace {

// milliseconds, in the year 2255: the clock's type holds little more
constexpr std::int64_t latest = 9'000'000'000'000;

std::string piece_key(const std::string& name, std::int64_t generation, unsigned part) {
  return fmt::format("{}/{}/{:03}", name, generation, part);
}

constexpr const char* piece_version = "1";

// "1/total/part/time/alphabet/charset/single/locking/octets", the octets in hexadecimal.
std::string to_text(const Piece& piece) {
  RowWriter row(piece_version);
  row.add_number(piece.total);
  row.add_number(piece.part);
  row.add_time(piece.arrived);
  row.add(to_string(piece.alphabet));
  row.add(piece.charset);
  row.add_number(piece.shifts.single);
  row.add_number(piece.shifts.locking);
  row.add(base::to_hex(piece.octets));
  return row.take();
}

struct WrittenPiece {
  Piece piece;
  std::string hex;  // its octets
};
WrittenPiece read_row_of_piece(RowReader row) {
  WrittenPiece written;
  written.piece.total = row.number<unsigned>();
  written.piece.part = row.number<unsigned>();
  written.piece.arrived = row.time();
  written.piece.alphabet = parse_alphabet(row.text()).value_or(Alphabet::binary);
  written.piece.charset = row.text();
  written.piece.shifts.single = row.number<int>();
  written.piece.shifts.locking = row.number<int>();
  written.hex = row.text();
  return written;
}
// As they were written before.
WrittenPiece read_json_of_piece(const nlohmann::json& json) {
  WrittenPiece written;
  written.piece.total = json.at("total").get<unsigned>();
  written.piece.part = json.at("part").get<unsigned>();
  written.piece.arrived = stored_time(json.value("at", std::int64_t{0}));
  written.piece.alphabet = parse_alphabet(json.value("alphabet", std::string())).value_or(Alphabet::binary);
  written.piece.charset = json.value("charset", std::string());
  written.piece.shifts = {json.value("single", 0), json.value("locking", 0)};
  written.hex = json.at("data").get<std::string>();
  return written;
}

// "1/total", and "/part/digest" for each that was delivered.
struct Marker {
  unsigned total = 1;
  std::map<unsigned, std::string> done;
};
connector::Entry marker(const std::string& name, unsigned total, const std::map<unsigned, std::string>& done) {
  RowWriter row(piece_version);
  row.add_number(total);
  for (const auto& [part, hash] : done) {
    row.add_number(part);
    row.add(hash);
  }
  return {name + "/done", row.take()};
}
Marker read_row_of_marker(RowReader row) {
  Marker read;
  read.total = row.number<unsigned>();
  while (row.left() > 0) {
    const auto part = row.number<unsigned>();
    read.done[part] = row.text();
  }
  return read;
}
Marker read_json_of_marker(const nlohmann::json& json) {
  Marker read;
  read.total = json.value("total", 1U);
  for (const auto& [part, hash] : json.at("done").items())
    read.done[static_cast<unsigned>(std::stoul(part))] = hash.get<std::string>();
  return read;
}

// A row of before is JSON.
template <class Read, class ReadJson>
auto read_value(const std::string& value, Read read_row, ReadJson read_json) {
  if (value.starts_with('{')) return read_json(nlohmann::json::parse(value));
  auto row = RowReader::open(value, piece_version);
  if (!row) throw std::invalid_argument("of another version");
  return read_row(std::move(*row));
}

std::string read_octets(const std::string& octets, const Piece& as) {
  return as.charset.empty() ? decode(octets, as.alphabet, as.shifts) : decode_charset(octets, as.charset);
}

bool is_written_alike(const Piece& a, const Piece& b) {
  return a.alphabet == b.alphabet && a.shifts == b.shifts && a.charset == b.charset;
}

// Joins the octets of neighbours in the same alphabet before they are decoded: a segment may end within a character.
class Reader {
 public:
  void add(const Piece& piece) {
    if (open_ && !is_written_alike(*open_, piece)) close();
    // Each segment may have a mark of its own. One without has the order of the first.
    const auto order = piece.alphabet == Alphabet::ucs2 ? byte_order(piece.octets) : std::nullopt;
    if (open_ && order && order != order_) close();
    if (!open_) order_ = order;
    open_ = &piece;
    octets_ += std::string_view(piece.octets).substr(order && !octets_.empty() ? 2 : 0);
  }
  void add_gap() {
    close();
    text_ += text_.empty() ? "[…] " : " […] ";
  }
  std::string take() {
    close();
    return std::move(text_);
  }

 private:
  void close() {
    if (open_) text_ += read_octets(octets_, *open_);
    octets_.clear();
    open_ = nullptr;
  }

  std::string text_, octets_;
  const Piece* open_ = nullptr;  // how octets_ are to be read
  std::optional<ByteOrder> order_;
};

std::string read_pieces(const std::map<unsigned, Piece>& pieces, unsigned total) {
  Reader reader;
  std::string missing;
  bool gap = false;
  for (unsigned part = 1; part <= total; ++part) {
    const auto found = pieces.find(part);
    if (found != pieces.end()) {
      reader.add(found->second);
      gap = false;
      continue;
    }
    if (!std::exchange(gap, true)) reader.add_gap();
    missing += fmt::format("{}{}", missing.empty() ? "" : ", ", part);
  }
  std::string text = reader.take();
  if (!missing.empty()) text += fmt::format("\n[Incomplete: part {} of {} did not arrive.]", missing, total);
  return text;
}

std::optional<std::int64_t> read_generation(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > latest) return std::nullopt;
  return value;
}

}  // namespace

// Another text under the same name: its entries must not be taken for the old one's.
void Reassembly::begin_anew(Group& group) {
  const std::int64_t before = group.generation;
  group = Group();
  group.generation = before;
}

// The first segment of a text is about to be put into it.
void Reassembly::begin(Groups::value_type& entry, base::Time now) {
  Group& group = entry.second;
  group.generation = std::max(base::to_milliseconds(now), group.generation + 1);
  group.since = now;
  unfinished_.emplace(now, entry.first);
}

void Reassembly::remember(const std::string& name, Group& group, base::Time now) {
  unfinished_.erase({group.since, name});
  group.since = now;
  finished_.emplace(now, name);
}

// Nothing is known of the text any more.
Joined Reassembly::forget(const std::string& name) {
  const auto found = groups_.find(name);
  finished_.erase({found->second.since, name});
  groups_.erase(found);
  Joined forgotten;
  forgotten.group = name;
  forgotten.forget = {{name + "/done", {}}};
  return forgotten;
}

// Gives out what there is of the text; the group becomes a memory of it.
Joined Reassembly::finish(const std::string& name, Group& group, base::Time now) {
  Joined joined;
  joined.group = name;
  joined.arrived = group.began();
  joined.text = read_pieces(group.pieces, group.total);
  std::string identity = fmt::format("{} {}", name, group.generation);
  group.done.clear();
  for (const auto& [part, piece] : group.pieces) {
    group.done[part] = digest(piece.octets);
    identity += fmt::format(" {} {}", part, group.done[part]);
    joined.forget.push_back({piece_key(name, group.generation, part), {}});
  }
  joined.id = digest(identity);
  joined.forget.push_back(marker(name, group.total, group.done));
  group.pieces.clear();
  remember(name, group, now);
  return joined;
}

// A segment of a text that was given up without it.
Joined Reassembly::give_late(const std::string& name, Group& group, const Piece& piece) {
  group.done[piece.part] = digest(piece.octets);
  Joined joined;
  joined.group = name;
  joined.arrived = piece.arrived;
  joined.text =
      fmt::format("[Part {} of {} of an earlier text:] {}", piece.part, piece.total, read_octets(piece.octets, piece));
  joined.id = digest(fmt::format("{} {} late {} {}", name, group.generation, piece.part, group.done[piece.part]));
  joined.forget = {marker(name, group.total, group.done)};
  return joined;
}

Reassembly::Added Reassembly::add(Piece piece) {
  Added added;
  const std::string name = piece.group;
  const base::Time now = piece.arrived;
  auto& entry = *groups_.try_emplace(name).first;
  Group& group = entry.second;
  if (group.is_done()) {
    const auto same = group.done.find(piece.part);
    const bool remembered = now < group.since + patience_;
    if (remembered && same == group.done.end()) {
      added.outcome = Outcome::late;
      added.joined = give_late(name, group, piece);
      return added;
    }
    if (remembered && piece.again && same->second == digest(piece.octets)) {
      added.outcome = Outcome::repeated;
      return added;
    }
    finished_.erase({group.since, name});
    begin_anew(group);  // the reference has come round
    added.store.push_back({name + "/done", {}});
  }

  const auto same = group.pieces.find(piece.part);
  if (same != group.pieces.end()) {
    if (same->second.octets == piece.octets) {
      added.outcome = Outcome::repeated;
      return added;
    }
    added.overtaken = finish(name, group, now);
    added.overtaken->forget.pop_back();  // the name is the new text's: no marker
    finished_.erase({group.since, name});
    begin_anew(group);
  } else if (group.pieces.empty() && unfinished_.size() >= most_unfinished) {
    const std::string oldest = unfinished_.begin()->second;
    added.overtaken = finish(oldest, groups_.at(oldest), now);
  }

  if (group.pieces.empty()) begin(entry, now);
  group.total = piece.total;
  added.store.push_back({piece_key(name, group.generation, piece.part), to_text(piece)});
  group.pieces[piece.part] = std::move(piece);
  if (group.pieces.size() == group.total) {
    added.outcome = Outcome::complete;
    added.joined = finish(name, group, now);
  }
  if (finished_.size() > most_finished) {
    const std::string oldest = finished_.begin()->second;
    if (oldest != name) added.store.push_back(forget(oldest).forget.front());
  }
  return added;
}

// The clock may have been put back: no text waits longer for that.
void Reassembly::follow_clock(base::Time now) {
  for (Ages* ages : {&unfinished_, &finished_}) {
    while (!ages->empty() && std::prev(ages->end())->first > now) {
      auto newest = ages->extract(std::prev(ages->end()));
      groups_.at(newest.value().second).since = now;
      newest.value().first = now;
      ages->insert(std::move(newest));
    }
  }
}

std::vector<Joined> Reassembly::expire(base::Time now) {
  follow_clock(now);
  std::vector<Joined> given_up;
  for (auto& [name, group] : remains_) {
    given_up.push_back(finish(name, group, now));
    given_up.back().forget.pop_back();  // the name is another text's: no marker
    finished_.erase({group.since, name});
  }
  remains_.clear();
  while (!finished_.empty() && now >= finished_.begin()->first + patience_) {
    const std::string name = finished_.begin()->second;
    given_up.push_back(forget(name));
  }
  for (const std::string& name : std::exchange(whole_, {})) {
    if (is_whole(name)) given_up.push_back(finish(name, groups_.at(name), now));
  }
  while (!unfinished_.empty() && now >= unfinished_.begin()->first + patience_) {
    const std::string name = unfinished_.begin()->second;
    given_up.push_back(finish(name, groups_.at(name), now));
  }
  return given_up;
}

bool Reassembly::is_whole(const std::string& name) const {
  const auto found = groups_.find(name);
  return found != groups_.end() && !found->second.pieces.empty() && found->second.pieces.size() == found->second.total;
}

bool Reassembly::restore(const connector::Entry& entry, base::Time now) {
  const auto parts = base::split(entry.key, '/');
  if (parts.size() < 2) return false;
  try {
    const auto generation = read_generation(parts[1]);
    if (parts[1] == "done") restore_marker(std::string(parts[0]), entry.value, now);
    else if (generation) restore_piece(std::string(parts[0]), *generation, entry.value);
    else return false;
  } catch (const std::exception&) {  // a value of another type, a number that is none
    return false;
  }
  return true;
}

void Reassembly::restore_marker(const std::string& name, const std::string& value, base::Time now) {
  Marker read = read_value(value, read_row_of_marker, read_json_of_marker);
  if (read.done.empty()) throw std::invalid_argument("a marker of nothing");
  Group& group = groups_[name];
  group.total = read.total;
  group.done = std::move(read.done);
  if (group.is_done()) remember(name, group, now);
}

void Reassembly::restore_piece(const std::string& name, std::int64_t generation, const std::string& value) {
  WrittenPiece written = read_value(value, read_row_of_piece, read_json_of_piece);
  Piece piece = std::move(written.piece);
  piece.group = name;
  const auto octets = base::from_hex(written.hex);
  if (!octets) throw std::invalid_argument("no hexadecimal");
  piece.octets = *octets;
  if (piece.part == 0 || piece.part > piece.total || piece.total > 255) throw std::invalid_argument("no such part");

  Group& group = groups_[name];
  // the earlier one had been overtaken, and was not delivered yet
  if (!group.pieces.empty() && group.generation != generation) {
    unfinished_.erase({group.since, name});
    remains_.emplace_back(name, std::exchange(group, Group()));
  }
  finished_.erase({group.since, name});
  group.generation = generation;
  group.total = piece.total;
  if (group.pieces.empty()) {
    group.since = group.began();
    unfinished_.emplace(group.since, name);
  }
  group.pieces[piece.part] = std::move(piece);
  if (is_whole(name)) whole_.insert(name);
}

}  // namespace wherry::sms
