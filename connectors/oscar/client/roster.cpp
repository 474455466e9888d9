#include "connectors/oscar/client/roster.hpp"

#include <algorithm>
#include <set>

namespace wherry::oscar {

namespace {

constexpr std::uint16_t tlv_members = 0xC8, tlv_mode = 0xCA, tlv_preferences = 0xC9, tlv_preferences_valid = 0xD6,
                        tlv_awaits = 0x66, tlv_alias = 0x131, tlv_icon = 0xD5;
constexpr std::uint32_t shows_typing = 0x400000, mode_all_but_denied = 4;
constexpr const char *first_group_name = "General", *icon_item_name = "1";
constexpr std::size_t most_items = 10'000;

std::vector<std::uint16_t> members_of(const RosterItem& group) {
  std::vector<std::uint16_t> members;
  const std::string* value = find(group.tlvs, tlv_members);
  if (!value) return members;
  Reader in(*value);
  while (in.rest().size() >= 2) members.push_back(in.u16());
  return members;
}

void set(Tlvs& tlvs, std::uint16_t type, std::string value) {
  for (Tlv& tlv : tlvs) {
    if (tlv.type == type) {
      tlv.value = std::move(value);
      return;
    }
  }
  tlvs.push_back({type, std::move(value)});
}

std::string octets32(std::uint32_t value) { return Writer().u32(value).take(); }

RosterItem nameless(std::uint16_t item_id, RosterItem::Type type) {
  RosterItem item;
  item.item_id = item_id;
  item.type = type;
  return item;
}

}  // namespace

std::string RosterItem::alias() const {
  const std::string* alias = find(tlvs, tlv_alias);
  return alias ? *alias : std::string();
}

std::vector<RosterItem> read_items(Reader& in, std::size_t most) {
  std::vector<RosterItem> items;
  while (items.size() < std::min(most, most_items) && !in.empty()) {
    RosterItem item;
    item.name = in.text16();
    item.group_id = in.u16();
    item.item_id = in.u16();
    item.type = in.u16();
    const std::string block = in.text16();
    if (!in.ok()) break;
    Reader tlvs(block);
    item.tlvs = read_tlvs(tlvs);
    items.push_back(std::move(item));
  }
  return items;
}

std::string write_items(const std::vector<RosterItem>& items) {
  Writer out;
  for (const RosterItem& item : items)
    out.text16(item.name).u16(item.group_id).u16(item.item_id).u16(item.type).text16(write_tlvs(item.tlvs));
  return out.take();
}

void Roster::apply(const RosterChange& change) {
  for (const RosterItem& item : change.items) {
    const Key key{item.group_id, item.item_id};
    if (change.kind == RosterChange::Kind::remove) items_.erase(key);
    else if (items_.size() < most_items || items_.contains(key)) items_[key] = item;
  }
}

std::vector<const RosterItem*> Roster::all(RosterItem::Type type, std::string_view name) const {
  const std::string wanted = plain_(name);
  std::vector<const RosterItem*> found;
  for (const auto& [key, item] : items_) {
    if (item.type == type && plain_(item.name) == wanted) found.push_back(&item);
  }
  return found;
}

const RosterItem* Roster::first(RosterItem::Type type) const {
  for (const auto& [key, item] : items_) {
    if (item.type == type) return &item;
  }
  return nullptr;
}

// Items of all kinds share the numbers: some clients look for them without their group.
std::uint16_t Roster::free_item_id(std::uint16_t besides) const {
  std::set<std::uint16_t> taken{besides};
  for (const auto& [key, item] : items_) taken.insert(key.second);
  std::uint16_t id = 1;
  while (taken.contains(id)) ++id;
  return id;
}

std::uint16_t Roster::free_group_id() const {
  std::uint16_t id = 1;
  while (std::any_of(items_.begin(), items_.end(), [&](const auto& entry) { return entry.first.first == id; })) ++id;
  return id;
}

const RosterItem* Roster::home() const {
  for (const auto& [key, item] : items_) {
    if (item.type == RosterItem::group && item.group_id != 0) return &item;
  }
  return nullptr;
}

// Of several items with one name the first has the alias, and all have groups.
void Roster::add_item(const RosterItem& item, std::optional<RosterContact>& contact) const {
  if (!contact) {
    contact.emplace();
    contact->name = plain_(item.name);
    contact->alias = item.alias();
    contact->awaits_authorisation = item.awaits_authorisation();
  }
  const auto group = items_.find({item.group_id, 0});
  const bool has_name = group != items_.end() && group->second.type == RosterItem::group && !group->second.name.empty();
  auto& groups = contact->groups;
  if (has_name && std::find(groups.begin(), groups.end(), group->second.name) == groups.end())
    groups.push_back(group->second.name);
}

std::vector<RosterContact> Roster::contacts() const {
  std::vector<std::optional<RosterContact>> found;
  std::map<std::string, std::size_t> places;
  for (const auto& [key, item] : items_) {
    if (item.type != RosterItem::contact) continue;
    const auto [place, is_new] = places.try_emplace(plain_(item.name), found.size());
    if (is_new) found.emplace_back();
    add_item(item, found[place->second]);
  }
  std::vector<RosterContact> contacts;
  for (auto& contact : found) {
    if (!contact->name.empty()) contacts.push_back(std::move(*contact));
  }
  return contacts;
}

std::optional<RosterContact> Roster::contact(std::string_view name) const {
  std::optional<RosterContact> contact;
  if (plain_(name).empty()) return contact;
  for (const RosterItem* item : all(RosterItem::contact, name)) add_item(*item, contact);
  return contact;
}

bool Roster::is_denied(std::string_view name) const { return !all(RosterItem::deny, name).empty(); }

// The group (or the master group) with another list of its members. Servers need none; clients do.
RosterItem Roster::with_members(RosterItem group, std::uint16_t added, std::uint16_t removed) const {
  std::vector<std::uint16_t> members = members_of(group);
  if (removed != 0) std::erase(members, removed);
  if (added != 0 && std::find(members.begin(), members.end(), added) == members.end()) members.push_back(added);
  Writer out;
  for (const std::uint16_t member : members) out.u16(member);
  set(group.tlvs, tlv_members, out.take());
  return group;
}

std::vector<RosterChange> Roster::to_add(std::string_view name, bool awaits) const {
  if (!all(RosterItem::contact, name).empty()) return {};
  std::vector<RosterChange> changes;
  RosterItem group;
  if (const RosterItem* present = home()) {
    group = *present;
  } else {
    group.name = first_group_name;
    group.group_id = free_group_id();
    group.type = RosterItem::group;
    changes.push_back({RosterChange::Kind::insert, {group}});
    const auto master = items_.find({0, 0});
    const bool has_master = master != items_.end() && master->second.type == RosterItem::group;
    RosterItem all_groups = has_master ? master->second : nameless(0, RosterItem::group);
    all_groups = with_members(std::move(all_groups), group.group_id, 0);
    changes.push_back({has_master ? RosterChange::Kind::update : RosterChange::Kind::insert, {all_groups}});
  }
  RosterItem item;
  item.name = name;
  item.group_id = group.group_id;
  item.item_id = free_item_id();
  if (awaits) item.tlvs.push_back({tlv_awaits, {}});
  changes.push_back({RosterChange::Kind::insert, {item}});
  changes.push_back({RosterChange::Kind::update, {with_members(std::move(group), item.item_id, 0)}});
  return changes;
}

std::vector<RosterChange> Roster::to_remove(std::string_view name) const {
  std::vector<RosterChange> changes;
  std::map<std::uint16_t, RosterItem> groups;
  for (const RosterItem* item : all(RosterItem::contact, name)) {
    changes.push_back({RosterChange::Kind::remove, {*item}});
    const auto group = items_.find({item->group_id, 0});
    if (group == items_.end() || group->second.type != RosterItem::group) continue;
    const auto present = groups.try_emplace(item->group_id, group->second).first;
    present->second = with_members(present->second, 0, item->item_id);
  }
  for (auto& [id, group] : groups) changes.push_back({RosterChange::Kind::update, {std::move(group)}});
  return changes;
}

std::vector<RosterChange> Roster::to_rename(std::string_view name, std::string_view alias) const {
  std::vector<RosterChange> changes;
  for (const RosterItem* item : all(RosterItem::contact, name)) {
    if (item->alias() == alias) continue;
    RosterItem renamed = *item;
    set(renamed.tlvs, tlv_alias, std::string(alias));
    if (alias.empty()) std::erase_if(renamed.tlvs, [](const Tlv& tlv) { return tlv.type == tlv_alias; });
    changes.push_back({RosterChange::Kind::update, {std::move(renamed)}});
  }
  return changes;
}

std::vector<RosterChange> Roster::to_deny(std::string_view name, bool denied) const {
  std::vector<RosterChange> changes;
  if (!denied) {
    for (const RosterItem* item : all(RosterItem::deny, name)) changes.push_back({RosterChange::Kind::remove, {*item}});
    return changes;
  }
  if (is_denied(name)) return changes;
  const std::uint16_t id = free_item_id();
  RosterItem item = nameless(id, RosterItem::deny);
  item.name = name;
  changes.push_back({RosterChange::Kind::insert, {std::move(item)}});
  const RosterItem* present = first(RosterItem::mode);
  // With a list of those who may, or of contacts alone, the denied are out already.
  const std::uint32_t now = present ? number(present->tlvs, tlv_mode).value_or(1) : 1;
  if (now != 1) return changes;
  RosterItem mode = present ? *present : nameless(free_item_id(id), RosterItem::mode);
  set(mode.tlvs, tlv_mode, Writer().u8(mode_all_but_denied).take());
  const auto kind = present ? RosterChange::Kind::update : RosterChange::Kind::insert;
  changes.push_back({kind, {std::move(mode)}});
  return changes;
}

std::vector<RosterChange> Roster::to_show_typing() const {
  const RosterItem* present = first(RosterItem::preferences);
  RosterItem item = present ? *present : nameless(free_item_id(), RosterItem::preferences);
  const std::uint32_t value = number(item.tlvs, tlv_preferences).value_or(0);
  const std::uint32_t valid = number(item.tlvs, tlv_preferences_valid).value_or(0);
  // Who has said no by another client means it.
  if ((valid & shows_typing) != 0) return {};
  set(item.tlvs, tlv_preferences, octets32(value | shows_typing));
  set(item.tlvs, tlv_preferences_valid, octets32(valid | shows_typing));
  return {{present ? RosterChange::Kind::update : RosterChange::Kind::insert, {std::move(item)}}};
}

// The item's name is the kind of the icon. An item that is there already is told again: the server's answer says
// whether it has the picture, too.
std::vector<RosterChange> Roster::to_show_icon(std::string_view hash) const {
  const auto present = all(RosterItem::icon, icon_item_name);
  RosterItem item = present.empty() ? nameless(free_item_id(), RosterItem::icon) : *present.front();
  item.name = icon_item_name;
  set(item.tlvs, tlv_icon, Writer().u8(1).text8(hash).take());
  set(item.tlvs, tlv_alias, {});
  return {{present.empty() ? RosterChange::Kind::insert : RosterChange::Kind::update, {std::move(item)}}};
}

}  // namespace wherry::oscar
