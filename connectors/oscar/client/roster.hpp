// The contact list as the server keeps it (family 13), and the changes that lead from one state to another. Pure.
#pragma once

#include "connectors/oscar/client/wire.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wherry::oscar {

struct RosterItem {
  enum Type : std::uint16_t { contact = 0, group = 1, permit = 2, deny = 3, mode = 4, preferences = 5, icon = 0x14 };
  std::string name;  // a contact's as the list has it, a group's in UTF-8
  std::uint16_t group_id = 0, item_id = 0, type = contact;
  Tlvs tlvs;

  bool awaits_authorisation() const { return type == contact && find(tlvs, 0x66) != nullptr; }
  std::string alias() const;
  bool operator==(const RosterItem&) const = default;
};
// As many as there are; the list's end ends it, and so does what cannot be read.
std::vector<RosterItem> read_items(Reader& in, std::size_t most);
std::string write_items(const std::vector<RosterItem>& items);

struct RosterChange {
  enum class Kind : std::uint16_t { insert = 0x08, update = 0x09, remove = 0x0A };
  Kind kind = Kind::insert;
  std::vector<RosterItem> items;
};

// A contact that the list shows: of several items of one name, the first.
struct RosterContact {
  std::string name;  // as Roster::Plain makes it
  std::string alias;
  std::vector<std::string> groups;
  bool awaits_authorisation = false;
  bool operator==(const RosterContact&) const = default;
};

class Roster {
 public:
  // Makes of a name what is the same for all its spellings.
  using Plain = std::function<std::string(std::string_view)>;
  explicit Roster(Plain plain) : plain_(std::move(plain)) {}

  void clear() { items_.clear(); }
  void apply(const RosterChange& change);

  std::vector<RosterContact> contacts() const;
  std::optional<RosterContact> contact(std::string_view name) const;
  bool is_denied(std::string_view name) const;

  // What must be changed, one after the other; nothing where it is so already. `awaits`: with the mark that an
  // authorisation is asked for.
  std::vector<RosterChange> to_add(std::string_view name, bool awaits) const;
  std::vector<RosterChange> to_remove(std::string_view name) const;
  std::vector<RosterChange> to_rename(std::string_view name, std::string_view alias) const;
  std::vector<RosterChange> to_deny(std::string_view name, bool denied) const;
  // So that others' typing is told us.
  std::vector<RosterChange> to_show_typing() const;
  // The account's own icon, which its service knows by that hash.
  std::vector<RosterChange> to_show_icon(std::string_view hash) const;

 private:
  using Key = std::pair<std::uint16_t, std::uint16_t>;  // group, item
  std::vector<const RosterItem*> all(RosterItem::Type type, std::string_view name) const;
  const RosterItem* first(RosterItem::Type type) const;
  void add_item(const RosterItem& item, std::optional<RosterContact>& contact) const;
  std::uint16_t free_item_id(std::uint16_t besides = 0) const;
  std::uint16_t free_group_id() const;
  const RosterItem* home() const;  // the group that new contacts come into
  RosterItem with_members(RosterItem group, std::uint16_t added, std::uint16_t removed) const;

  Plain plain_;
  std::map<Key, RosterItem> items_;
};

}  // namespace wherry::oscar
