#include "connectors/oscar/account/people.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/people.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>
#include <set>

namespace wherry::oscar {

using connector::Profile;
using connector::Result;

namespace {

constexpr std::uint16_t profile_flag = 1;
constexpr std::uint16_t nobody_fits = 0x14;
constexpr std::size_t most_known = 10'000, most_unnamed = 500, most_found = 100;
constexpr std::size_t most_address = 254;         // RFC 5321, errata 1690
constexpr std::chrono::seconds between_names{5};  // the server counts them with everything else

// How a screen name's owner writes it, where that differs from what is the same for all spellings.
std::string spelling_of(const UserInfo& user) { return user.name == plain_name(user.name) ? "" : user.name; }

std::uint32_t number_of(const std::string& uin) { return static_cast<std::uint32_t>(std::stoul(uin)); }

}  // namespace

asio::awaitable<People::Answered> People::answer(std::shared_ptr<Conversation> with, connector::Query query) {
  if (auto* asked = std::get_if<connector::ProfileQuery>(&query))
    co_return co_await profile(std::move(with), std::move(asked->contact.value));
  if (auto* asked = std::get_if<connector::AvatarQuery>(&query)) co_return co_await avatar(std::move(asked->avatar));
  if (auto* asked = std::get_if<connector::SearchQuery>(&query))
    co_return co_await search(std::move(with), std::move(asked->words));
  co_return has_no_such_thing();
}

// ---- Profiles ----

asio::awaitable<People::Answered> People::profile(std::shared_ptr<Conversation> with, std::string of) {
  const bool is_icq = is_uin(of) && services_.are_there(*with);
  auto asking = is_icq ? icq_profile(with, of, true) : aim_profile(with, of);
  auto found = co_await std::move(asking);
  if (!found) co_return found.error();
  Known now = known_of(of);
  if (!found->name.empty()) now.name = found->name;
  found->avatar = now.avatar;
  co_await learn(std::move(of), std::move(now));
  connector::Answer answer = std::move(*found);
  co_return answer;
}

// The short info says whether there is such a user at all: some servers say nothing to the other question then.
asio::awaitable<Result<Profile>> People::icq_profile(std::shared_ptr<Conversation> with, std::string of,
                                                     bool is_whole) {
  IcqDetails details;
  auto asking = services_.ask(with, ask_short_info(number_of(of)));
  const auto brief = co_await std::move(asking);
  if (brief.empty()) co_return no_answer();
  for (const IcqPacket& packet : brief) read_details(packet, details);
  const bool is_there = std::any_of(brief.begin(), brief.end(), has_succeeded);
  if (is_whole && is_there) {
    auto asking_more = services_.ask(with, ask_full_info(number_of(of)));
    const auto parts = co_await std::move(asking_more);
    for (const IcqPacket& packet : parts) read_details(packet, details);
  }
  if (!is_there) co_return nothing_is_known();
  co_return to_profile(details, server_.settings().code_page);
}

asio::awaitable<Result<Profile>> People::aim_profile(std::shared_ptr<Conversation> with, std::string of) {
  if (!with->offers(family::locate)) co_return no_profiles();
  auto asking = with->ask(family::locate, 0x05, Writer().u16(profile_flag).text8(of).take());
  const Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered) co_return no_answer();
  if (reply.snac.subtype != 0x06) co_return nothing_is_known();
  Reader in(reply.snac.body);
  const auto user = read_user_info(in);
  if (!user) co_return nothing_is_known();
  const Tlvs tlvs = read_tlvs(in);
  const std::string* text = find(tlvs, 0x02);
  Profile profile;
  profile.name = from_unnamed(spelling_of(*user), server_.settings().code_page);
  if (text && !text->empty())
    profile.details["about"] = html_to_text(from_unnamed(*text, server_.settings().code_page));
  co_return profile;
}

// ---- Pictures ----

asio::awaitable<People::Answered> People::avatar(std::string avatar) {
  auto fetching = icons_.fetch(avatar);
  const auto picture = co_await std::move(fetching);
  if (!picture) co_return picture.error();
  connector::File file;
  file.handle = std::move(avatar);
  file.media_type = media_type_of(*picture);
  file.bytes = picture->size();
  connector::Answer answer = std::move(file);
  co_return answer;
}

// ---- Search ----

asio::awaitable<People::Answered> People::search(std::shared_ptr<Conversation> with, std::string words) {
  if (!services_.are_there(*with)) co_return co_await find_address(std::move(with), std::move(words));
  const std::string& code_page = server_.settings().code_page;
  std::vector<connector::ListedContact> found;
  std::set<std::string> names;
  bool is_answered = false;
  for (std::string& question : to_searches(words, code_page)) {
    auto asking = services_.ask(with, std::move(question));
    const auto packets = co_await std::move(asking);
    is_answered = is_answered || !packets.empty();
    for (const IcqPacket& packet : packets) {
      for (const FoundUser& user : read_found(packet)) {
        connector::ListedContact listed = to_listed(user, code_page);
        if (found.size() < most_found && names.insert(listed.contact.value).second) found.push_back(std::move(listed));
      }
    }
  }
  if (!is_answered && !base::trim(words).empty()) co_return no_answer();
  connector::Answer answer = std::move(found);
  co_return answer;
}

asio::awaitable<People::Answered> People::find_address(std::shared_ptr<Conversation> with, std::string address) {
  if (!with->offers(family::lookup)) co_return cannot_search();
  const std::string wanted(base::trim(address));
  if (wanted.find('@') == wanted.npos || wanted.size() > most_address) co_return finds_by_address_only();
  auto asking = with->ask(family::lookup, 0x02, wanted);
  const Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered) co_return no_answer();
  Reader in(reply.snac.body);
  std::vector<connector::ListedContact> found;
  if (reply.snac.subtype != 0x03) {
    if (in.u16() != nobody_fits) co_return cannot_search();
  } else {
    for (const Tlv& tlv : read_tlvs(in)) {
      const auto contact = parse_contact(tlv.value);
      if (tlv.type != 0x01 || !contact || found.size() == most_found) continue;
      connector::ListedContact listed;
      listed.contact = *contact;
      if (tlv.value != contact->value) listed.name = from_unnamed(tlv.value, server_.settings().code_page);
      found.push_back(std::move(listed));
    }
  }
  connector::Answer answer = std::move(found);
  co_return answer;
}

// ---- What people show of themselves ----

People::Known People::known_of(const std::string& name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? Known() : found->second;
}

asio::awaitable<void> People::learn(std::string of, Known now) {
  if (known_.size() >= most_known && !known_.contains(of)) co_return;
  Known& known = known_[of];
  const bool is_new = known.name != now.name || known.avatar != now.avatar;
  known = now;
  if (!is_new) co_return;
  connector::ContactChanged changed;
  changed.contact.value = std::move(of);
  changed.name = std::move(now.name);
  changed.avatar = std::move(now.avatar);
  connector::Event event = std::move(changed);
  co_await events_.publish(std::move(event));
}

asio::awaitable<void> People::saw(std::shared_ptr<Conversation> at, const UserInfo& user) {
  const std::string name = plain_name(user.name);
  Known now = known_of(name);
  if (!is_uin(name)) now.name = spelling_of(user);
  now.avatar = user.icon ? to_avatar(name, *user.icon) : std::string();
  if (!now.was_asked && is_uin(name) && unnamed_.size() < most_unnamed) {
    now.was_asked = true;
    const auto listed = at->roster().contact(name);
    if (listed && listed->alias.empty()) unnamed_.push_back(name);
    unnamed_changed_.notify();
  }
  co_await learn(name, std::move(now));
}

asio::awaitable<void> People::ask_names(std::shared_ptr<Conversation> with) {
  if (!services_.are_there(*with)) co_return;
  for (;;) {
    if (unnamed_.empty()) {
      co_await unnamed_changed_.wait();
      continue;
    }
    std::string name = std::move(unnamed_.front());
    unnamed_.pop_front();
    auto asking = icq_profile(with, name, false);
    const auto found = co_await std::move(asking);
    Known now = known_of(name);
    if (found && !found->name.empty()) now.name = found->name;
    co_await learn(std::move(name), std::move(now));
    co_await base::sleep(between_names);
  }
}

void People::forget() {
  known_.clear();
  unnamed_.clear();
}

}  // namespace wherry::oscar
