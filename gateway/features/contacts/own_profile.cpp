// The user's own name and picture, to networks that show them: the picture's hash is in the user's presence (XEP-0153
// v1.1.1 §3), both are in their vCard (XEP-0054 v1.3.0 §3.1), which anybody may ask their server for.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"

namespace wherry::features {

namespace {

constexpr std::chrono::seconds vcard_patience{30};
constexpr std::size_t most_own_name_bytes = 1024, most_own_picture_bytes = 64 << 10;

// What the feature remembers of an account, in this run.
struct ToldProfile {
  std::optional<std::string> shown, told;  // the picture's hash; "": there is none
  std::string profile;                     // the digest of what the network has; a picture is too large to keep
  bool is_asking = false;
};
using Profiles = std::unordered_map<base::AccountId, ToldProfile>;

// What presence says of the picture; nothing: nothing (XEP-0153 §4.2, a program that is not ready, or knows none).
std::optional<std::string> photo_hash_of(const xmpp::Element& presence) {
  const xmpp::Element* update = presence.child("x", ns::vcard_update);
  const xmpp::Element* photo = update ? update->child("photo", ns::vcard_update) : nullptr;
  if (!photo || photo->text().size() > 128) return std::nullopt;
  return photo->text();
}

connector::SetProfile own_profile_of(const xmpp::Element& vcard) {
  connector::SetProfile profile;
  // Not the whole name (FN), which its owner may not have meant for other networks.
  profile.name = base::utf8_prefix(base::trim(vcard.child_text("NICKNAME", ns::vcard_temp)), most_own_name_bytes);
  const xmpp::Element* photo = vcard.child("PHOTO", ns::vcard_temp);
  if (!photo) return profile;
  std::string octets(photo->child_text("BINVAL", ns::vcard_temp));
  std::erase_if(octets, [](char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  });  // XEP-0054, as old programs write it
  const std::string type(photo->child_text("TYPE", ns::vcard_temp));
  const auto decoded = base::from_base64(octets);
  if (!decoded || decoded->empty() || decoded->size() > most_own_picture_bytes || !type.starts_with("image/"))
    return profile;
  connector::File picture;
  picture.media_type = type;
  picture.bytes = decoded->size();
  picture.url = "data:" + type + ";base64," + octets;
  profile.avatar = std::move(picture);
  return profile;
}

// Empty: nothing.
std::string digest_of(const connector::SetProfile& profile) {
  if (profile.name.empty() && !profile.avatar) return {};
  return base::sha1(profile.name + '\0' + (profile.avatar ? profile.avatar->url : std::string()));
}

asio::awaitable<void> tell_profile(Transport& transport, std::shared_ptr<Profiles> memory, base::AccountId id) {
  for (;;) {
    const LiveAccount* account = transport.accounts().find(id);
    const auto known = memory->find(id);
    if (!account || known == memory->end()) co_return;
    if (!account->is_online() || known->second.told == known->second.shown) {
      known->second.is_asking = false;
      co_return;
    }
    const std::optional<std::string> shown = known->second.shown;
    xmpp::Element iq("iq", ns::component);
    iq.set("type", "get").set("to", account->user().str());
    iq.add("vCard", ns::vcard_temp);
    const auto answer = co_await transport.requests().ask(std::move(iq), vcard_patience);
    const xmpp::Element* vcard =
        answer && answer->type() == "result" ? answer->element.child("vCard", ns::vcard_temp) : nullptr;
    const auto before = memory->find(id);
    if (before == memory->end()) co_return;
    const connector::SetProfile profile = vcard ? own_profile_of(*vcard) : connector::SetProfile();
    const std::string digest = vcard ? digest_of(profile) : before->second.profile;
    bool is_told = true;  // also where there was no answer: it is asked again when something changes
    if (digest != before->second.profile) {
      connector::Action action = profile;
      const auto done = co_await transport.people().perform(id, std::move(action));
      is_told = done || done.error().code != base::Errc::unavailable;
    }
    const auto after = memory->find(id);
    if (after == memory->end()) co_return;
    if (is_told) {
      after->second.told = shown;
      after->second.profile = digest;
    } else {  // at the next login
      after->second.is_asking = false;
      co_return;
    }
  }
}

void begin_profile(Transport& transport, const std::shared_ptr<Profiles>& memory, base::AccountId id) {
  const auto known = memory->find(id);
  if (known == memory->end() || std::exchange(known->second.is_asking, true)) return;
  transport.tasks().spawn("own_profile", tell_profile(transport, memory, id));
}

}  // namespace

void install_own_profile(Transport& transport) {
  if (!transport.network().has_profile) return;
  const auto memory = std::make_shared<Profiles>();
  transport.hooks().user_shown.add([&transport, memory](const LiveAccount& account, const xmpp::Stanza& presence) {
    ToldProfile& known = (*memory)[account.id()];
    auto hash = photo_hash_of(presence.element);
    if (!hash) return;  // whose presence says nothing of pictures shows nothing to other networks
    known.shown = std::move(hash);
    begin_profile(transport, memory, account.id());
  });
  // Presence says nothing of a new name: it is looked for at each login.
  transport.hooks().account_changed.add([&transport, memory](const LiveAccount& account) {
    const auto known = memory->find(account.id());
    if (!account.is_online() || known == memory->end()) return;
    known->second.told.reset();
    begin_profile(transport, memory, account.id());
  });
  transport.hooks().account_removed.add([memory](base::AccountId id) { memory->erase(id); });
}

}  // namespace wherry::features
