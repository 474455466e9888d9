#include "connectors/msn/roster.hpp"

#include "connectors/msn/convert/status.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::msn {

using connector::ContactId;
using connector::Event;

namespace {

constexpr std::size_t most_strangers = 2000;  // who may add themselves to our memory within a session
constexpr std::size_t most_unsure = 5000;

// What a line of the memory says of somebody; the sum is its digit.
namespace remembered {
constexpr unsigned contact = 1;   // is on FL
constexpr unsigned reverse = 2;   // has the user on their list, and the server's list says so
constexpr unsigned reported = 4;  // the same, and the server's list may not say so
// A line of its own: the server has listed somebody on RL or PL, so whoever is not listed there has not added the user.
constexpr std::string_view keeps_reverse = "RL";
}  // namespace remembered

// A server names those who have no name by their address.
std::string shown_name(const Member& member) { return member.name == member.email ? std::string() : member.name; }

// As MSN's own programs have it: who is blocked asks in vain.
bool asks(const Member& member) { return member.is_on(list::pending) && !member.is_on(list::block); }

Event question_of(const Member& member) { return connector::ContactAsked{{member.email}, shown_name(member)}; }

// At every login it is the same: told once of each number.
Event unread_notice(std::size_t lines) {
  return connector::AccountNotice{
      {fmt::format("list/unread/{}", lines)},
      fmt::format("Your MSN account's list has {} {} that this gateway cannot read. Who stands there is not shown to "
                  "you.",
                  lines, lines == 1 ? "line" : "lines")};
}

Event left_out_notice(std::size_t contacts) {
  return connector::AccountNotice{
      {fmt::format("list/left_out/{}", contacts)},
      fmt::format("Your MSN account has more contacts than this gateway carries: {} of them are not shown to you.",
                  contacts)};
}

Event stranger_notice(const std::string& email) {
  return connector::AccountNotice{
      {"added/" + email},
      fmt::format("{}, whom this gateway cannot show you, has added you to their contacts.", email)};
}

}  // namespace

Event Contacts::changed(const Entry& entry) {
  connector::ContactChanged changed;
  changed.contact = ContactId{entry.member.email};
  changed.name = shown_name(entry.member);
  changed.avatar = entry.picture;
  return changed;
}

const Contacts::Entry* Contacts::find(const std::string& email) const {
  const auto found = entries_.find(email);
  return found == entries_.end() ? nullptr : &found->second;
}

Contacts::Entry& Contacts::entry(const std::string& email) {
  Entry& entry = entries_[email];
  entry.member.email = email;
  return entry;
}

unsigned Contacts::lists_of(const std::string& email) const {
  const Entry* entry = find(email);
  return entry ? entry->member.lists : 0;
}

bool Contacts::is_surely_pending(const std::string& email) const {
  const Entry* entry = find(email);
  return entry && entry->member.is_on(list::pending) && entry->is_listed;
}

std::string Contacts::guid_of(const std::string& email) const {
  const Entry* entry = find(email);
  return entry ? entry->member.guid : std::string();
}

std::string Contacts::name_of(const std::string& email) const {
  const Entry* entry = find(email);
  return entry && !entry->member.name.empty() ? entry->member.name : email;
}

void Contacts::set_guid(const std::string& email, const std::string& guid) { entry(email).member.guid = guid; }
void Contacts::put_on(const std::string& email, list::Bit bit) { entry(email).member.lists |= bit; }
void Contacts::take_off(const std::string& email, list::Bit bit) {
  entry(email).member.lists &= ~static_cast<unsigned>(bit);
}

std::vector<Event> Contacts::set_name(const std::string& email, const std::string& name) {
  std::vector<Event> news;
  Entry& known = entry(email);
  if (name.empty() || name == known.member.name) return news;
  known.member.name = name;
  news.push_back(changed(known));
  return news;
}

connector::ListedContact Contacts::listed(const Entry& entry) const {
  connector::ListedContact contact;
  contact.contact = ContactId{entry.member.email};
  contact.name = entry.alias.empty() ? shown_name(entry.member) : entry.alias;
  for (const std::string& guid : entry.member.groups) {
    const auto group = groups_.find(guid);
    if (group != groups_.end() && !group->second.empty()) contact.groups.push_back(group->second);
  }
  return contact;
}

Event Contacts::listing_of_all() const {
  connector::ContactsListed list;
  for (const auto& [email, entry] : entries_) {
    if (entry.member.is_on(list::forward)) list.contacts.push_back(listed(entry));
  }
  return list;
}

Event Contacts::listing_of(const std::string& email) const {
  connector::ContactListChanged change;
  const Entry* entry = find(email);
  if (entry && entry->member.is_on(list::forward)) change.changed.push_back(listed(*entry));
  else change.removed.push_back(ContactId{email});
  return change;
}

// The gateway's vCards have one number: the first of these.
std::optional<connector::Profile> Contacts::profile_of(const std::string& email) const {
  const Entry* entry = find(email);
  if (!entry) return std::nullopt;
  connector::Profile profile{shown_name(entry->member), entry->picture, {}};
  profile.details["email"] = email;
  for (const char* kind : {"PHH", "PHM", "PHW"}) {
    const auto phone = entry->member.phones.find(kind);
    if (phone != entry->member.phones.end() && !phone->second.empty()) profile.details.emplace("phone", phone->second);
  }
  return profile;
}

std::string Contacts::memory() const {
  std::map<std::string, unsigned> people = unsure_;
  for (const auto& [email, entry] : entries_) {
    const bool is_reverse = entry.member.is_on(list::reverse) || entry.member.is_on(list::pending);
    if (entry.member.is_on(list::forward)) people[email] |= remembered::contact;
    if (is_reverse) people[email] |= entry.is_kept ? remembered::reverse : remembered::reported;
  }
  std::string lines = keeps_reverse_ ? fmt::format("{}\n", remembered::keeps_reverse) : std::string();
  for (const auto& [email, what] : people) lines += std::to_string(what) + " " + email + "\n";
  return lines;
}

// A server that has lost all lists must not cost the user all contacts; nor must a line that could not be read.
std::vector<Event> Contacts::losses_since(std::string_view before, bool is_whole) {
  std::vector<Event> events;
  const auto lines = base::split(before, '\n');
  keeps_reverse_ = keeps_reverse_ || std::find(lines.begin(), lines.end(), remembered::keeps_reverse) != lines.end();
  if (entries_.empty()) return events;
  for (const std::string_view line : lines) {
    if (line.size() < 3 || line[0] < '1' || line[0] > '7') continue;
    const std::string email(line.substr(2));
    const unsigned was = static_cast<unsigned>(line[0] - '0');
    const bool is_reverse = is_on(email, list::reverse) || is_on(email, list::pending);
    unsigned lost = 0;
    if (!is_on(email, list::forward)) lost |= was & remembered::contact;
    if (!is_reverse) lost |= was & remembered::reverse;
    if (!is_reverse && keeps_reverse_) lost |= was & remembered::reported;
    const unsigned undecided = !is_reverse && !keeps_reverse_ ? was & remembered::reported : 0U;
    const unsigned unsure = is_whole ? undecided : lost | undecided;
    if (unsure != 0 && unsure_.size() < most_unsure) unsure_[email] = unsure;
    if (!is_whole) continue;
    if (lost & remembered::contact) events.push_back(connector::ContactAnswered{{email}, false});
    if (lost & ~remembered::contact) events.push_back(connector::ContactRemoved{{email}, is_on(email, list::forward)});
  }
  return events;
}

std::vector<Event> Contacts::begin(Roster roster, std::string_view before) {
  entries_.clear();
  unsure_.clear();
  keeps_reverse_ = false;
  strangers_ = 0;
  groups_ = std::move(roster.groups);
  for (Member& member : roster.members) {
    const std::string email = member.email;
    Entry& entry = entries_[email];
    entry.member = std::move(member);
    entry.is_listed = entry.member.is_on(list::pending);
    entry.is_kept = entry.is_listed || entry.member.is_on(list::reverse);
    keeps_reverse_ = keeps_reverse_ || entry.is_kept;
  }
  std::vector<Event> events = losses_since(before, roster.unread + roster.left_out == 0);
  events.push_back(listing_of_all());
  for (const auto& [email, entry] : entries_) {
    if (entry.member.is_on(list::forward) && !shown_name(entry.member).empty()) events.push_back(changed(entry));
    if (asks(entry.member)) events.push_back(question_of(entry.member));
  }
  const std::size_t lines = roster.unread + roster.unshown;
  if (lines > 0) events.push_back(unread_notice(lines));
  if (roster.contacts_left_out > 0) events.push_back(left_out_notice(roster.contacts_left_out));
  return events;
}

Event Contacts::presence_of(const Entry& entry) const {
  connector::PresenceChanged changed;
  changed.contact = ContactId{entry.member.email};
  changed.availability = to_availability(entry.status);
  if (changed.availability != connector::Availability::offline) changed.status = entry.personal_message;
  return changed;
}

Event Contacts::presence_of(const std::string& email) const {
  const Entry* entry = find(email);
  if (entry) return presence_of(*entry);
  return connector::PresenceChanged{{email}, connector::Availability::offline, {}};
}

std::vector<Event> Contacts::take(const StatusChanged& changed) {
  const auto found = entries_.find(changed.email);
  if (found == entries_.end() || !found->second.member.is_on(list::forward)) return {};
  Entry& entry = found->second;
  std::vector<Event> events;
  const bool is_there = changed.code != "FLN";
  const std::string name = changed.name.empty() ? entry.member.name : changed.name;
  const std::string picture = is_there ? parse_picture_name(changed.object) : entry.picture;
  if (name != entry.member.name || picture != entry.picture) {
    entry.member.name = name;
    entry.picture = picture;
    events.push_back(Contacts::changed(entry));
  }
  if (!is_there) entry.personal_message.clear();
  entry.status = changed.code;
  events.push_back(presence_of(entry));
  return events;
}

std::vector<Event> Contacts::take(const PersonalMessageChanged& changed) {
  const auto found = entries_.find(changed.email);
  if (found == entries_.end() || !found->second.member.is_on(list::forward)) return {};
  std::string text = parse_personal_message(changed.xml);
  if (text == found->second.personal_message) return {};
  found->second.personal_message = std::move(text);
  if (found->second.status == "FLN") return {};  // it is said with the status that follows
  std::vector<Event> events;
  events.push_back(presence_of(found->second));
  return events;
}

void Contacts::take(const PhoneChanged& changed) {
  const auto found = entries_.find(changed.phone.email);
  if (found != entries_.end()) found->second.member.phones[changed.phone.kind] = changed.phone.number;
}

std::vector<Event> Contacts::take(const AddedUs& added) {
  if (parse_email(added.email) != added.email) return {stranger_notice(added.email)};
  const bool is_stranger = find(added.email) == nullptr;
  if (is_stranger && strangers_ >= most_strangers) return {};
  if (is_stranger) ++strangers_;
  Entry& known = entry(added.email);
  if (!added.name.empty()) known.member.name = added.name;
  // COMPAT(Escargot 2025-02): says so of somebody, too, whom it does not have waiting.
  known.is_listed = known.is_listed && known.member.is_on(list::pending);
  known.is_kept = known.is_kept || keeps_reverse_;
  known.member.lists |= list::reverse;
  if (known.member.is_on(list::block)) return {};
  known.member.lists |= list::pending;
  std::vector<Event> events;
  events.push_back(question_of(known.member));
  return events;
}

std::vector<Event> Contacts::take(const RemovedUs& removed) {
  unsure_.erase(removed.email);
  const auto found = entries_.find(removed.email);
  if (found == entries_.end()) return {};
  found->second.member.lists &= ~static_cast<unsigned>(list::pending | list::reverse);
  std::vector<Event> events;
  // Whom the user has on their list is seen as before: MSN's lists are each side's own.
  events.push_back(connector::ContactRemoved{{removed.email}, found->second.member.is_on(list::forward)});
  return events;
}

}  // namespace wherry::msn
