#include "connectors/oscar/account/presences.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/status.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>

namespace wherry::oscar {

using connector::Availability;
using connector::Receipt;
using connector::Result;

namespace {

constexpr std::uint16_t away_text_flag = 2;
constexpr std::uint32_t most_idle_minutes = 60 * 24 * 365;
constexpr std::size_t most_present = 10'000, most_away = 500;
constexpr std::size_t most_status = 1000;  // octets: a longer one fits no packet, or no server
constexpr std::chrono::seconds between_away_texts{2};

// Behind the user info of 02/06.
std::string away_text_of(const Snac& snac) {
  Reader in(snac.body);
  const auto user = read_user_info(in);
  if (!user) return {};
  const Tlvs tlvs = read_tlvs(in);
  const std::string* text = find(tlvs, 0x04);
  if (!text) text = find(user->tlvs, 0x04);  // some servers count it among the user's own
  return text ? *text : std::string();
}

}  // namespace

asio::awaitable<void> Presences::publish(connector::PresenceChanged presence) {
  connector::Event event = std::move(presence);
  co_await events_.publish(std::move(event));
}

void Presences::forget() {
  present_.clear();
  away_.clear();
}

asio::awaitable<void> Presences::arrived(std::shared_ptr<Conversation> conversation, std::vector<UserInfo> users) {
  for (const UserInfo& user : users) {
    const std::string name = plain_name(user.name);
    if (!parse_contact(name) || (present_.size() >= most_present && !present_.contains(name))) continue;
    const Availability availability = to_availability(user);
    Contact& contact = present_[name];
    const bool has_changed = contact.availability != availability;
    contact.availability = availability;
    contact.idle_since = idle_since(user, contact.idle_since);
    const std::string note = from_unnamed(user.note, server_.settings().code_page);
    if (has_changed || !note.empty()) contact.text = note;
    if (has_away_text(availability) && note.empty()) want_away_text(name);
    connector::PresenceChanged presence;
    presence.contact.value = name;
    presence.availability = availability;
    presence.status = contact.text;
    presence.idle_since = contact.idle_since;
    co_await publish(std::move(presence));
    co_await people_.saw(conversation, user);
  }
}

// The network counts whole minutes: what would move it by less is the same time.
std::optional<base::Time> Presences::idle_since(const UserInfo& user, std::optional<base::Time> before) const {
  if (user.idle_minutes == 0) return std::nullopt;
  const base::Time since = clock_.now() - std::chrono::minutes(std::min(user.idle_minutes, most_idle_minutes));
  return before && std::chrono::abs(*before - since) < std::chrono::minutes(2) ? before : since;
}

asio::awaitable<void> Presences::departed(std::vector<std::string> names) {
  for (const std::string& spelt : names) {
    std::string name = plain_name(spelt);
    if (!parse_contact(name)) continue;
    present_.erase(name);
    connector::PresenceChanged presence;
    presence.contact.value = std::move(name);
    presence.availability = Availability::offline;
    co_await publish(std::move(presence));
  }
}

// Programs say that they are away before they say why, and the server tells of another reason as of anything else.
void Presences::want_away_text(const std::string& name) {
  if (away_.size() >= most_away || std::find(away_.begin(), away_.end(), name) != away_.end()) return;
  away_.push_back(name);
  away_changed_.notify();
}

bool Presences::is_away(const std::string& name) const {
  const auto contact = present_.find(name);
  return contact != present_.end() && has_away_text(contact->second.availability);
}

// The server counts it with the messages, and these go first.
asio::awaitable<void> Presences::ask_away_texts(std::shared_ptr<Conversation> conversation) {
  for (;;) {
    if (away_.empty()) {
      co_await away_changed_.wait();
      continue;
    }
    if (const auto pause = conversation->until_spare(family::locate, 0x05); pause > pause.zero()) {
      co_await base::sleep(pause);
      continue;
    }
    std::string name = std::move(away_.front());
    away_.pop_front();
    if (!is_away(name)) continue;
    auto asking = conversation->ask(family::locate, 0x05, Writer().u16(away_text_flag).text8(name).take());
    const Reply reply = co_await std::move(asking);
    if (reply.kind == Reply::Kind::answered && reply.snac.subtype == 0x06) {
      std::string text = html_to_text(from_unnamed(away_text_of(reply.snac), server_.settings().code_page));
      co_await tell_away_text(std::move(name), std::move(text));
    }
    co_await base::sleep(between_away_texts);
  }
}

asio::awaitable<void> Presences::tell_away_text(std::string name, std::string text) {
  if (!is_away(name)) co_return;
  Contact& contact = present_.at(name);
  if (contact.text == text) co_return;
  contact.text = text;
  connector::PresenceChanged presence;
  presence.contact.value = std::move(name);
  presence.availability = contact.availability;
  presence.status = std::move(text);
  presence.idle_since = contact.idle_since;
  co_await publish(std::move(presence));
}

// ICQ's programs look at the status, AIM's at whether there is a text. The text goes first: whoever is told of the
// status asks for it at once.
asio::awaitable<Result<Receipt>> Presences::show(std::shared_ptr<Conversation> with, connector::SetPresence presence) {
  if (presence.to) co_return Receipt();  // the network shows everybody the same
  status_ = to_status(presence.availability);
  const std::string text(presence.status.empty() ? "Away" : base::utf8_prefix(presence.status, most_status));
  const bool is_told =
      with->tell(family::locate, 0x04,
                 Writer()
                     .tlv(0x03, "text/aolrtf; charset=\"utf-8\"")
                     .tlv(0x04, has_away_text(presence.availability) ? text_to_html(text) : std::string())
                     .take()) &&
      with->tell(family::generic, 0x1E, Writer().tlv32(0x06, status_).take());
  if (!is_told) co_return is_busy();
  co_return Receipt();
}

}  // namespace wherry::oscar
