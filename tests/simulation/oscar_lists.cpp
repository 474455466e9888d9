// Contact lists at the simulated OSCAR server (family 13), and the questions between people.
#include "tests/simulation/oscar_server.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::simulation {

using oscar::Reader;
using oscar::RosterItem;
using oscar::Snac;
using oscar::Writer;
namespace family = oscar::family;

namespace {

constexpr std::uint16_t done = 0, not_found = 2, exists = 3, must_ask = 0x0E;
constexpr std::uint16_t awaits = 0x66;

}  // namespace

void OscarServer::give_list(const GuestPtr& guest, const Snac& snac) {
  std::vector<RosterItem> items;
  for (const auto& [key, item] : accounts_[guest->person].list) items.push_back(item);
  Writer out;
  out.u8(0).u16(static_cast<std::uint32_t>(items.size())).raw(oscar::write_items(items)).u32(1);
  answer(guest, snac, family::lists, 0x06, out.octets());
}

void OscarServer::change(const GuestPtr& guest, const Snac& snac) {
  Account& account = accounts_[guest->person];
  if (fails("forgets_change", 60)) return note(fmt::format("forgets what {} changes", guest->person));
  Reader in(snac.body);
  const auto items = oscar::read_items(in, 1000);
  if (items.empty()) recorder_.add(What::breach, "", guest->person, "", "", "a change of the list without items");
  Writer verdicts;
  std::vector<std::string> added;
  for (const RosterItem& item : items) {
    const std::uint16_t code = verdict(account, snac.subtype, item);
    verdicts.u16(code);
    if (code == done && snac.subtype == 0x08 && item.type == RosterItem::contact && !item.awaits_authorisation())
      added.push_back(person_of(item.name));
  }
  answer(guest, snac, family::lists, 0x0E, verdicts.octets());
  for (const std::string& contact : added) say_presence(guest, contact);
}

std::uint16_t OscarServer::verdict(Account& account, std::uint16_t subtype, const RosterItem& item) {
  const std::pair key{item.group_id, item.item_id};
  const auto present = account.list.find(key);
  if (subtype == 0x0A) return account.list.erase(key) > 0 ? done : not_found;
  if (subtype == 0x09) {
    if (present == account.list.end() || present->second.type != item.type) return not_found;
    present->second = item;
    return done;
  }
  if (present != account.list.end()) return exists;
  if (item.type == RosterItem::contact) {
    const std::string contact = person_of(item.name);
    const auto known = accounts_.find(contact);
    const bool asks = known != accounts_.end() && known->second.asks_first && !account.granted.contains(contact);
    if (asks && !item.awaits_authorisation()) return must_ask;
  }
  account.list[key] = item;
  return done;
}

bool OscarServer::has_listed(const std::string& user, const std::string& contact) const {
  const auto account = accounts_.find(user);
  return account != accounts_.end() &&
         std::any_of(account->second.list.begin(), account->second.list.end(), [&](const auto& entry) {
           return entry.second.type == RosterItem::contact && person_of(entry.second.name) == contact;
         });
}

// ---- Between people ----

void OscarServer::take_request(const GuestPtr& guest, const Snac& snac) {
  Reader in(snac.body);
  const std::string contact = person_of(in.text8()), user = guest->person;
  const bool is_granted = draw().happens(700, "grants", hash_of(contact), hash_of(user));
  const Microseconds after = draw().wait(60'000'000, "grants_after", ++events_);
  later(after, [this, user, contact, is_granted] { grant(user, contact, is_granted); });
}

void OscarServer::grant(const std::string& user, const std::string& contact, bool is_granted) {
  Account& account = accounts_[user];
  if (is_granted) {
    account.granted.insert(contact);
    for (auto& [key, item] : account.list) {
      if (item.type != RosterItem::contact || person_of(item.name) != contact || !item.awaits_authorisation()) continue;
      std::erase_if(item.tlvs, [](const oscar::Tlv& tlv) { return tlv.type == awaits; });
      say_news(user, family::lists, 0x09, oscar::write_items({item}));
    }
  }
  say_news(user, family::lists, 0x1B,
           Writer().text8(name_of(contact)).u8(is_granted ? 1 : 0).text16("").u16(0).octets());
  if (is_granted && account.session) say_presence(account.session, contact);
}

// Of contacts that the plan's users never name; under a number that is free here.
void OscarServer::change_list(const std::string& user, std::uint64_t number) {
  Account& account = accounts_[user];
  RosterItem item;
  item.name = name_of(contact_name(5 + static_cast<int>(number % 3)));
  item.group_id = 1;
  for (item.item_id = 1; std::any_of(account.list.begin(), account.list.end(),
                                     [&](const auto& entry) { return entry.first.second == item.item_id; });)
    ++item.item_id;
  const auto present = std::find_if(account.list.begin(), account.list.end(), [&](const auto& entry) {
    return entry.second.type == RosterItem::contact && entry.second.name == item.name;
  });
  if (present != account.list.end()) {
    const RosterItem removed = present->second;
    account.list.erase(present);
    return say_news(user, family::lists, 0x0A, oscar::write_items({removed}));
  }
  if (!account.list.contains({1, 0})) return;  // it has no group yet
  account.list[{item.group_id, item.item_id}] = item;
  say_news(user, family::lists, 0x08, oscar::write_items({item}));
}

}  // namespace wherry::simulation
