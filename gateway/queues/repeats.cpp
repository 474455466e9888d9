#include "gateway/queues/repeats.hpp"

#include "gateway/connector/action_codec.hpp"
#include "gateway/store/inbox.hpp"

#include <utility>

namespace wherry::queues {

namespace {

// at least; less than twice as long, unless more than most_remembered come
constexpr std::chrono::minutes remembered{10};
constexpr std::size_t most_remembered = 50000;
constexpr std::chrono::hours longest_rest{24};

// What a user wants done, whatever its key. Of a message the words and the links, however they were written: the hash
// is in the store.
std::string content_of(const connector::Action& action) {
  const auto* message = std::get_if<connector::SendMessage>(&action);
  if (message) {
    std::string text = message->content.text;
    for (const auto& file : message->content.files) text += (text.empty() ? "" : "\n") + file.url;
    return text;
  }
  connector::Action without_key = action;
  connector::key_of(without_key)->clear();
  return connector::to_text(without_key);
}

}  // namespace

// The ten minutes are those before the newest, so that a clock which leapt meanwhile makes no repeat a new message.
// Only one that is a day ahead is believed: after so long a rest it is a message of its own that looks like one of
// then.
boost::asio::awaitable<void> Repeats::load(db::Database& database, std::string transport, base::Time now) {
  auto read = [transport, oldest = base::to_milliseconds(now - longest_rest)](db::Transaction& t) {
    constexpr auto kind = store::SeenKind::stanzas;
    store::keep_newest_seen(t, transport, kind, std::chrono::milliseconds(remembered).count());
    const bool are_old = store::newest_seen(t, transport, kind).value_or(oldest) < oldest;
    return std::pair(store::seen_key(t), store::read_seen(t, transport, kind, are_old ? 0 : 2 * most_remembered));
  };
  const auto [key, hashes] = co_await database.fetch(std::move(read));
  hashes_.load(key, {});
  for (std::size_t i = 0; i + 1 < hashes.size(); i += 2) note(hashes[i], hashes[i + 1]);
}

std::uint64_t Repeats::hash_of(base::AccountId account, const convert::Origin& origin) const {
  // Of a user's devices each may count its ids from 1.
  const std::string_view contact = std::string_view(origin.contact).substr(0, origin.contact.find('/'));
  std::string text;
  text.reserve(origin.user.size() + contact.size() + origin.stanza_id.size() + 2);
  if (!origin.has_origin_id) text += origin.user;
  text.append("\n").append(contact).append("\n").append(origin.stanza_id);
  return hashes_.hash(account.value, text);
}

Fingerprint Repeats::fingerprint(base::AccountId account, const convert::Origin& origin,
                                 const connector::Action& action) const {
  if (origin.stanza_id.empty() || !connector::key_of(action)) return {};
  // never 0
  return {hash_of(account, origin), hashes_.hash(account.value, content_of(action)) | 1};
}

bool Repeats::contains(const Fingerprint& message) {
  if (message.content == 0) return false;
  renew();
  const Generation* generation = newer_.contains(message.stanza) ? &newer_ : &older_;
  const auto found = generation->find(message.stanza);
  return found != generation->end() && found->second == message.content;
}

void Repeats::insert(const Fingerprint& message) {
  if (message.content != 0) note(message.stanza, message.content);
}

void Repeats::keep(const Fingerprint& message) {
  if (message.content != 0) journal_.remember_stanza(message.stanza, message.content);
}

void Repeats::erase(base::AccountId account, const convert::Origin& origin) {
  if (origin.stanza_id.empty()) return;
  const std::uint64_t stanza = hash_of(account, origin);
  note(stanza, 0);
  journal_.forget_stanza(stanza);
}

void Repeats::note(std::uint64_t stanza, std::uint64_t content) {
  renew();
  newer_[stanza] = content;
}

// By generations, so that forgetting costs nothing per message.
void Repeats::renew() {
  const auto now = std::chrono::steady_clock::now();
  if (now - since_ < remembered && newer_.size() < most_remembered) return;
  older_ = now - since_ < 2 * remembered ? std::move(newer_) : Generation();
  newer_ = Generation();
  since_ = now;
}

}  // namespace wherry::queues
