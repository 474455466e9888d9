#include "connectors/sms/reassembly.hpp"

#include "connectors/sms/keys.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace wherry::sms {

namespace {

constexpr std::size_t most_groups = 20'000;  // unfinished texts, whoever sends them; then the oldest is given up

std::string piece_key(const std::string& name, std::int64_t generation, unsigned part) {
  return fmt::format("{}/{}/{:03}", name, generation, part);
}

std::string to_text(const Piece& piece) {
  return nlohmann::json{{"total", piece.total}, {"part", piece.part}, {"alphabet", to_string(piece.alphabet)},
                        {"single", piece.shifts.single}, {"locking", piece.shifts.locking},
                        {"data", base::to_hex(piece.octets)}, {"at", base::to_milliseconds(piece.arrived)}}.dump();
}

connector::Entry marker(const std::string& name, unsigned total, const std::map<unsigned, std::string>& done) {
  nlohmann::json digests = nlohmann::json::object();
  for (const auto& [part, hash] : done) digests[std::to_string(part)] = hash;
  return {name + "/done", nlohmann::json{{"total", total}, {"done", digests}}.dump()};
}

// The text of the pieces; neighbours in the same alphabet are decoded as one.
std::string read_pieces(const std::map<unsigned, Piece>& pieces, unsigned total) {
  std::string text, octets, missing;
  const Piece* open = nullptr;
  const auto close = [&] {
    if (open) text += decode(octets, open->alphabet, open->shifts);
    octets.clear();
    open = nullptr;
  };
  bool gap = false;
  for (unsigned part = 1; part <= total; ++part) {
    const auto found = pieces.find(part);
    if (found == pieces.end()) {
      close();
      if (!gap) text += text.empty() ? "[…] " : " […] ";
      gap = true;
      missing += fmt::format("{}{}", missing.empty() ? "" : ", ", part);
      continue;
    }
    gap = false;
    const Piece& piece = found->second;
    if (open && (open->alphabet != piece.alphabet || open->shifts != piece.shifts)) close();
    open = &piece;
    octets += piece.octets;
  }
  close();
  if (!missing.empty()) text += fmt::format("\n[Incomplete: part {} of {} did not arrive.]", missing, total);
  return text;
}

}  // namespace

// Another text under the same name: its entries must not be taken for the old one's.
void Reassembly::begin_anew(Group& group) {
  const std::int64_t before = group.generation;
  group = Group();
  group.generation = before;
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
  group.finished_at = now;
  return joined;
}

// A segment of a text that was given up without it.
Joined Reassembly::give_late(const std::string& name, Group& group, const Piece& piece) {
  group.done[piece.part] = digest(piece.octets);
  Joined joined;
  joined.group = name;
  joined.arrived = piece.arrived;
  joined.text = fmt::format("[Part {} of {} of an earlier text:] {}", piece.part, piece.total,
                            decode(piece.octets, piece.alphabet, piece.shifts));
  joined.id = digest(fmt::format("{} {} late {} {}", name, group.generation, piece.part, group.done[piece.part]));
  joined.forget = {marker(name, group.total, group.done)};
  return joined;
}

Reassembly::Added Reassembly::add(Piece piece) {
  Added added;
  const std::string name = piece.group;
  const base::Time now = piece.arrived;
  Group& group = groups_[name];
  if (group.is_done()) {
    const auto same = group.done.find(piece.part);
    const bool remembered = now < group.finished_at + patience_;
    if (remembered && same == group.done.end()) {
      added.outcome = Outcome::late;
      added.joined = give_late(name, group, piece);
      return added;
    }
    if (remembered && same->second == digest(piece.octets)) {
      added.outcome = Outcome::repeated;
      return added;
    }
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
    begin_anew(group);
  } else if (group.pieces.empty() && groups_.size() > most_groups) {
    added.overtaken = give_up_oldest(name, now);
  }

  if (group.pieces.empty()) group.generation = std::max(base::to_milliseconds(now), group.generation + 1);
  group.total = piece.total;
  added.store.push_back({piece_key(name, group.generation, piece.part), to_text(piece)});
  group.pieces[piece.part] = std::move(piece);
  if (group.pieces.size() == group.total) {
    added.outcome = Outcome::complete;
    added.joined = finish(name, group, now);
  }
  return added;
}

std::optional<Joined> Reassembly::give_up_oldest(const std::string& but, base::Time now) {
  auto oldest = groups_.end();
  for (auto entry = groups_.begin(); entry != groups_.end(); ++entry) {
    if (entry->first == but || entry->second.is_done()) continue;
    if (oldest == groups_.end() || entry->second.generation < oldest->second.generation) oldest = entry;
  }
  if (oldest == groups_.end()) return std::nullopt;
  return finish(oldest->first, oldest->second, now);
}

std::vector<Joined> Reassembly::expire(base::Time now) {
  std::vector<Joined> given_up;
  for (auto entry = groups_.begin(); entry != groups_.end();) {
    auto& [name, group] = *entry;
    if (group.is_done() && now >= group.finished_at + patience_) {
      Joined forgotten;
      forgotten.group = name;
      forgotten.forget = {{name + "/done", {}}};
      given_up.push_back(std::move(forgotten));
      entry = groups_.erase(entry);
      continue;
    }
    const bool whole = group.pieces.size() == group.total;
    if (!group.is_done() && (whole || now >= group.began() + patience_)) given_up.push_back(finish(name, group, now));
    ++entry;
  }
  return given_up;
}

void Reassembly::restore(const connector::Entry& entry, base::Time now) {
  const auto parts = base::split(entry.key, '/');
  const auto json = nlohmann::json::parse(entry.value, nullptr, false);
  if (parts.size() < 2 || !json.is_object()) return;
  Group& group = groups_[std::string(parts[0])];
  group.total = json.value("total", 1U);
  if (parts[1] == "done") {
    for (const auto& [part, hash] : json["done"].items()) group.done[static_cast<unsigned>(std::stoul(part))] = hash.get<std::string>();
    group.finished_at = now;
    return;
  }
  Piece piece;
  piece.group = parts[0];
  piece.total = group.total;
  piece.part = json.value("part", 1U);
  piece.alphabet = parse_alphabet(json.value("alphabet", std::string())).value_or(Alphabet::binary);
  piece.shifts = {json.value("single", 0), json.value("locking", 0)};
  piece.octets = base::from_hex(json.value("data", std::string())).value_or(std::string());
  piece.arrived = base::from_milliseconds(json.value("at", std::int64_t{0}));
  group.generation = std::stoll(std::string(parts[1]));
  group.pieces[piece.part] = std::move(piece);
}

}  // namespace wherry::sms
