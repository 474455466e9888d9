#include "gateway/accounts/people.hpp"

#include "gateway/base/files/media_type.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>
#include <utility>

namespace wherry::accounts {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr const char* not_connected = "The network is not connected just now; please try again later.";
constexpr std::size_t most_nick_bytes = 1024, most_avatar_bytes = 1024;

// What clients show as a face; empty: it is none of these.
std::string picture_type(std::string_view octets) {
  const std::string type = base::media_type_of(octets);
  const bool is_shown = type == "image/png" || type == "image/jpeg" || type == "image/gif" || type == "image/webp";
  return is_shown ? type : std::string();
}

class InMemory final : public connector::FileSink {
 public:
  asio::awaitable<Result<void>> write(std::string piece) override {
    if (octets.size() + piece.size() > People::most_picture_bytes)
      co_return Error{Errc::rejected, "The picture is too large."};
    octets += piece;
    co_return base::ok();
  }
  std::string octets;
};

}  // namespace

// One question of an account's turn, from the wait for it to its end.
class People::Turn {
 public:
  Turn(People& people, base::AccountId account) : people_(people), account_(account) { ++people_.asking_[account_]; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (--people_.asking_[account_] == 0) people_.asking_.erase(account_);
    people_.turn_.notify();
  }

 private:
  People& people_;
  base::AccountId account_;
};

asio::awaitable<Result<connector::Answer>> People::ask_in_turn(base::AccountId account, connector::Query query) {
  while (asking_.contains(account) && asking_[account] >= most_asking) co_await turn_.wait();
  const Turn turn(*this, account);
  co_return co_await ask(account, std::move(query));
}

asio::awaitable<Result<connector::Answer>> People::ask(base::AccountId account, connector::Query query) {
  const LiveAccount* live = accounts_.find(account);
  const auto session = live && live->is_online() ? live->session : nullptr;
  if (!session) co_return Error{Errc::unavailable, not_connected};
  try {
    co_return co_await base::within(patience, session->query(std::move(query)));
  } catch (const base::TimedOut&) {
    co_return Error{Errc::unavailable, "The network does not answer; please try again later."};
  } catch (const std::exception& e) {
    if (stopping_) throw;
    log::warn("session.query_failed", {{"account", account.value}, {"error", e.what()}});
    co_return Error{Errc::unavailable, "The network could not be asked; please try again later."};
  }
}

asio::awaitable<Result<connector::Profile>> People::profile(base::AccountId account, base::ContactId contact) {
  connector::Query query = connector::ProfileQuery{std::move(contact)};
  auto answer = co_await ask_in_turn(account, std::move(query));
  if (!answer) co_return answer.error();
  auto* profile = std::get_if<connector::Profile>(&*answer);
  if (profile) co_return std::move(*profile);
  co_return Error{Errc::unsupported, "This network cannot be asked that."};
}

asio::awaitable<Result<std::vector<connector::ListedContact>>> People::search(base::AccountId account,
                                                                              std::string words) {
  connector::Query query = connector::SearchQuery{std::move(words)};
  auto answer = co_await ask(account, std::move(query));
  if (!answer) co_return answer.error();
  auto* found = std::get_if<std::vector<connector::ListedContact>>(&*answer);
  if (found) co_return std::move(*found);
  co_return Error{Errc::unsupported, "This network cannot be asked that."};
}

asio::awaitable<Result<void>> People::perform(base::AccountId account, connector::Action action) {
  const LiveAccount* live = accounts_.find(account);
  const auto session = live && live->is_online() ? live->session : nullptr;
  if (!session) co_return Error{Errc::unavailable, not_connected};
  try {
    const auto done = co_await session->perform(std::move(action));
    if (!done) co_return done.error();
    co_return base::ok();
  } catch (const std::exception& e) {
    if (stopping_) throw;
    log::warn("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
    co_return Error{Errc::uncertain, "Whether the network has done it is not known; please look, or try again."};
  }
}

asio::awaitable<std::shared_ptr<const Picture>> People::picture(base::AccountId account, base::ContactId contact) {
  const LiveAccount* live = accounts_.find(account);
  const auto known = live ? live->contacts.find(contact) : decltype(live->contacts.end()){};
  if (!live || known == live->contacts.end() || known->second.row.avatar.empty()) co_return nullptr;
  if (auto picture = kept(known->second.row.photo)) co_return picture;
  std::string avatar = known->second.row.avatar;
  if (known->second.unusable_avatar == avatar) co_return nullptr;
  auto picture = co_await fetch(account, avatar);
  if (picture) {
    note_hash(account, contact, avatar, (*picture)->sha1);
    co_return std::move(*picture);
  }
  note_unusable(account, contact, avatar, picture.error());
  co_return nullptr;
}

// The octets of a name may be others than they were: what presence says is what can be had.
void People::note_hash(base::AccountId account, const base::ContactId& contact, const std::string& avatar,
                       const std::string& sha1) {
  LiveAccount* live = accounts_.find(account);
  const auto known = live ? live->contacts.find(contact) : decltype(live->contacts.end()){};
  if (!live || known == live->contacts.end()) return;
  store::ContactRow row = known->second.row;
  if (row.avatar != avatar || row.photo == sha1) return;
  row.photo = sha1;
  accounts_.put_contact(*live, std::move(row));
  shown_anew_(*live, contact);
}

// What is wrong with the picture itself stays so; what could not be asked may be asked again.
void People::note_unusable(base::AccountId account, const base::ContactId& contact, const std::string& avatar,
                           const Error& error) {
  LiveAccount* live = accounts_.find(account);
  const auto known = live ? live->contacts.find(contact) : decltype(live->contacts.end()){};
  if (live && known != live->contacts.end() && error.code == Errc::rejected) known->second.unusable_avatar = avatar;
}

// Who asks for a picture that is being fetched waits for that one.
asio::awaitable<Result<std::shared_ptr<const Picture>>> People::fetch(base::AccountId account, std::string avatar) {
  std::pair<base::AccountId, std::string> key(account, avatar);
  std::shared_ptr<Flight>& entry = in_flight_[key];
  if (!entry) {
    entry = std::make_shared<Flight>(tasks_.executor());
    tasks_.spawn("people.fetch", fly(std::move(key), entry));
  }
  const std::shared_ptr<Flight> flight = entry;
  while (!flight->outcome) co_await flight->landed.wait();
  co_return *flight->outcome;
}

asio::awaitable<void> People::fly(std::pair<base::AccountId, std::string> key, std::shared_ptr<Flight> flight) {
  std::string avatar = key.second;
  try {
    auto outcome = co_await fetch_alone(key.first, std::move(avatar));
    flight->outcome = std::move(outcome);
  } catch (const std::exception&) {  // we are stopping
    flight->outcome = Error{Errc::unavailable, not_connected};
  }
  in_flight_.erase(key);
  flight->landed.notify();
}

// `rejected`: the picture is none that can be shown.
asio::awaitable<Result<std::shared_ptr<const Picture>>> People::fetch_alone(base::AccountId account,
                                                                            std::string avatar) {
  connector::Query query = connector::AvatarQuery{std::move(avatar)};
  auto answer = co_await ask(account, std::move(query));
  const bool is_said = answer || answer.error().code == Errc::not_found || answer.error().code == Errc::unsupported ||
                       answer.error().code == Errc::rejected;
  if (!is_said) co_return Error{Errc::unavailable, answer.error().text};
  const auto* file = answer ? std::get_if<connector::File>(&*answer) : nullptr;
  if (!file || file->handle.empty() || file->bytes > most_picture_bytes)
    co_return Error{Errc::rejected, "There is no such picture, or it is too large."};
  const LiveAccount* live = accounts_.find(account);
  const auto session = live && live->is_online() ? live->session : nullptr;
  if (!session) co_return Error{Errc::unavailable, not_connected};
  InMemory sink;
  try {
    const auto fetched = co_await base::within(patience, session->fetch(file->handle, sink));
    if (!fetched) co_return fetched.error();
  } catch (const std::exception& e) {
    if (stopping_) throw;
    log::warn("session.fetch_failed", {{"account", account.value}, {"error", e.what()}});
    co_return Error{Errc::unavailable, "The picture could not be fetched."};
  }
  auto picture = std::make_shared<Picture>();
  picture->media_type = picture_type(sink.octets);
  if (picture->media_type.empty()) co_return Error{Errc::rejected, "It is no picture that programs show."};
  picture->sha1 = base::to_hex(base::sha1(sink.octets));
  picture->octets = std::move(sink.octets);
  std::shared_ptr<const Picture> made = std::move(picture);
  keep(made);
  co_return made;
}

void People::changed(LiveAccount& account, const connector::ContactChanged& change) {
  const auto known = account.contacts.find(change.contact);
  if (known == account.contacts.end()) {
    auto& early = early_[account.id()];
    const bool is_small = change.name.size() <= most_nick_bytes && change.avatar.size() <= most_avatar_bytes;
    if (is_small && (early.size() < most_early || early.contains(change.contact)))
      early.insert_or_assign(change.contact, change);
    return;
  }
  store::ContactRow row = known->second.row;
  row.nick = store::storable_name(std::string(base::utf8_prefix(change.name, most_nick_bytes)));
  std::string avatar = change.avatar.size() > most_avatar_bytes ? std::string() : change.avatar;
  if (store::storable_name(avatar) != avatar) avatar.clear();  // by another name it would be asked for in vain
  const bool is_other = row.avatar != avatar;
  row.avatar = std::move(avatar);
  if (is_other) row.photo.clear();
  if (row != known->second.row) {
    accounts_.put_contact(account, row);
    shown_anew_(account, change.contact);
  }
  want(account, known->second);
  fetch_next();
}

void People::want(const LiveAccount& account, const LiveContact& contact) {
  const store::ContactRow& row = contact.row;
  const bool is_wanted = !row.avatar.empty() && row.photo.empty() && row.avatar != contact.unusable_avatar;
  if (!is_wanted || waiting_count_ >= most_waiting) return;
  std::set<base::ContactId>& waiting = waiting_[account.id()];
  if (waiting.empty() && !fetching_.contains(account.id())) turns_.push_back(account.id());
  if (waiting.insert(row.contact).second) ++waiting_count_;
}

void People::account_online(LiveAccount& account) {
  for (const auto& [id, contact] : account.contacts) want(account, contact);
  fetch_next();
}

void People::listed(LiveAccount& account, const base::ContactId& contact) {
  const auto early = early_.find(account.id());
  if (early == early_.end() || !account.contacts.contains(contact)) return;
  const auto change = early->second.extract(contact);
  if (!change.empty()) changed(account, change.mapped());
}

void People::fetch_next() {
  while (!stopping_ && fetching_.size() < most_fetching && !turns_.empty()) {
    const base::AccountId account = turns_.front();
    turns_.pop_front();
    const auto waiting = waiting_.find(account);
    base::ContactId contact = std::move(waiting->second.extract(waiting->second.begin()).value());
    --waiting_count_;
    if (waiting->second.empty()) waiting_.erase(waiting);
    fetching_.insert(account);
    tasks_.spawn("people.picture", fetch_new(account, std::move(contact)));
  }
}

asio::awaitable<void> People::fetch_new(base::AccountId account, base::ContactId contact) {
  const LiveAccount* before = accounts_.find(account);
  const auto asked = before ? before->contacts.find(contact) : decltype(before->contacts.end()){};
  std::string avatar;  // which may be had, or known to be unusable, by now
  if (before && asked != before->contacts.end() && asked->second.row.photo.empty() &&
      asked->second.unusable_avatar != asked->second.row.avatar)
    avatar = asked->second.row.avatar;
  if (!avatar.empty()) {
    const auto picture = co_await fetch(account, avatar);
    if (picture) note_hash(account, contact, avatar, (*picture)->sha1);
    else note_unusable(account, contact, avatar, picture.error());
  }
  fetching_.erase(account);
  if (waiting_.contains(account)) turns_.push_back(account);
  fetch_next();
}

std::shared_ptr<const Picture> People::kept(const std::string& sha1) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& it) { return it->sha1 == sha1; });
  if (found == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found);
  return kept_.front();
}

void People::keep(std::shared_ptr<const Picture> picture) {
  if (kept(picture->sha1)) return;
  kept_bytes_ += picture->octets.size();
  kept_.push_front(std::move(picture));
  while (kept_bytes_ > most_kept_bytes) {
    kept_bytes_ -= kept_.back()->octets.size();
    kept_.pop_back();
  }
}

asio::awaitable<void> People::stop() {
  stopping_ = true;
  co_await tasks_.end();
}

}  // namespace wherry::accounts
