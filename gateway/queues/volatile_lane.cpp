#include "gateway/queues/volatile_lane.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

namespace {

constexpr std::uint8_t bit(NewsKind kind) { return static_cast<std::uint8_t>(kind); }

}  // namespace

// ---- To users ----

// Whether taking `all` apart will come to it.
bool UserNews::is_covered(const Entry& entry, const NewsOf& of) {
  if (entry.all == All::none) return false;
  if (!of) return entry.all == All::gateway;
  return entry.all == All::gateway || !entry.after || *entry.after < *of;
}

void UserNews::put(base::AccountId account, NewsOf of, NewsKind kind) {
  const auto [found, is_new] = entries_.try_emplace(account);
  if (is_new) turns_.push_back(account);
  Entry& entry = found->second;
  if (kind == NewsKind::presence && is_covered(entry, of)) return;
  const auto key = std::find_if(entry.keys.begin(), entry.keys.end(), [&](const Key& k) { return k.of == of; });
  if (key != entry.keys.end()) {
    key->kinds |= bit(kind);
  } else if (entry.keys.size() < most_keys) {
    entry.keys.push_back({std::move(of), bit(kind)});
  } else if (kind == NewsKind::presence) {
    put_all(account);
  }
}

void UserNews::put_all(base::AccountId account) {
  const auto [found, is_new] = entries_.try_emplace(account);
  if (is_new) turns_.push_back(account);
  Entry& entry = found->second;
  entry.all = All::gateway;
  entry.after.reset();
  for (Key& key : entry.keys) key.kinds = static_cast<std::uint8_t>(key.kinds & ~bit(NewsKind::presence));
  std::erase_if(entry.keys, [](const Key& key) { return key.kinds == 0; });
}

void UserNews::forget(base::AccountId account) {
  if (entries_.erase(account) > 0) std::erase(turns_, account);
}

std::size_t UserNews::keys() const {
  std::size_t count = 0;
  for (const auto& [account, entry] : entries_) count += entry.keys.size() + (entry.all != All::none ? 1 : 0);
  return count;
}

std::optional<News> UserNews::next(const NewsSource& source) {
  while (!turns_.empty()) {
    const base::AccountId account = turns_.front();
    const auto found = entries_.find(account);
    auto news = source.is_away(account) ? std::nullopt : take(account, found->second, source);
    if (!news) {
      entries_.erase(found);
      turns_.pop_front();
      in_a_row_ = 0;
      continue;
    }
    if (++in_a_row_ >= most_in_a_row) {
      turns_.pop_front();
      turns_.push_back(account);
      in_a_row_ = 0;
    }
    return news;
  }
  return std::nullopt;
}

std::optional<News> UserNews::take(base::AccountId account, Entry& entry, const NewsSource& source) {
  if (!entry.keys.empty()) {
    Key& key = entry.keys.front();
    for (const NewsKind kind : {NewsKind::typing, NewsKind::marks, NewsKind::presence}) {
      if ((key.kinds & bit(kind)) == 0) continue;
      key.kinds = static_cast<std::uint8_t>(key.kinds & ~bit(kind));
      News news{account, key.of, kind};
      if (key.kinds == 0) entry.keys.erase(entry.keys.begin());
      return news;
    }
  }
  if (entry.all == All::gateway) {
    entry.all = All::contacts;
    return News{account, std::nullopt, NewsKind::presence};
  }
  if (entry.all == All::contacts) {
    if (auto contact = source.contact_after(account, entry.after)) {
      entry.after = contact;
      return News{account, std::move(contact), NewsKind::presence};
    }
    entry.all = All::none;
  }
  return std::nullopt;
}

// ---- To networks ----

// Everybody was told the same, or is just being told; then so was each contact, unless it was told something else
// since.
bool NetworkNews::is_told(const Entry& entry, const Pending& news) {
  if (entry.current && entry.current->is_for(news.kind, news.of)) return entry.current->action == news.action;
  const auto* presence = std::get_if<connector::SetPresence>(&news.action);
  if (!presence || entry.has_told_some) return false;
  connector::SetPresence value = *presence;
  value.to.reset();
  const auto same = [&](const Pending& other) {
    const auto* said = std::get_if<connector::SetPresence>(&other.action);
    return said && *said == value;
  };
  const auto waiting = std::find_if(entry.pending.begin(), entry.pending.end(),
                                    [](const Pending& p) { return p.is_presence_for_all(); });
  if (news.of && waiting != entry.pending.end()) return same(*waiting);
  if (entry.current && entry.current->is_presence_for_all()) return same(*entry.current);
  return entry.told == value;
}

void NetworkNews::put(base::AccountId account, NewsKind kind, NewsOf of, connector::Action action) {
  Entry& entry = entries_[account];
  Pending news{kind, std::move(of), std::move(action)};
  std::erase_if(entry.pending, [&](const Pending& p) { return p.is_for(kind, news.of); });
  if (!is_told(entry, news) && entry.pending.size() < most_keys) {
    if (kind == NewsKind::presence && !news.of) {
      // Each contact hears it with everybody.
      std::erase_if(entry.pending, [](const Pending& p) { return p.kind == NewsKind::presence; });
    }
    entry.pending.push_back(std::move(news));
    make_ready(account, entry);
  }
  forget_if_empty(account);
}

void NetworkNews::make_ready(base::AccountId account, Entry& entry) {
  if (entry.pending.empty() || entry.is_performing || std::exchange(entry.is_queued, true)) return;
  ready_.push_back(account);
}

void NetworkNews::session_ended(base::AccountId account) {
  const auto found = entries_.find(account);
  if (found == entries_.end()) return;
  found->second.pending.clear();
  found->second.told.reset();
  found->second.has_told_some = false;
  found->second.current.reset();  // whatever becomes of it, the next session has not heard it
  forget_if_empty(account);
}

void NetworkNews::forget(base::AccountId account) { session_ended(account); }

void NetworkNews::forget_if_empty(base::AccountId account) {
  const auto found = entries_.find(account);
  if (found == entries_.end()) return;
  const Entry& entry = found->second;
  if (entry.pending.empty() && !entry.is_performing && !entry.is_queued && !entry.told) entries_.erase(found);
}

std::optional<base::AccountId> NetworkNews::begin(Time now) {
  while (!ready_.empty()) {
    if (places_.size() >= most_performing) {
      if (places_.front().since + longest_hold > now) return std::nullopt;
      free_place(entries_.at(places_.front().account));  // it hangs
    }
    const base::AccountId account = ready_.front();
    ready_.pop_front();
    Entry& entry = entries_.at(account);
    entry.is_queued = false;
    if (entry.pending.empty()) {
      forget_if_empty(account);
      continue;
    }
    entry.is_performing = true;
    entry.place = ++last_place_;
    places_.push_back({entry.place, account, now});
    return account;
  }
  return std::nullopt;
}

std::optional<NetworkNews::Time> NetworkNews::next_place() const {
  if (ready_.empty() || places_.empty()) return std::nullopt;
  return places_.front().since + longest_hold;
}

void NetworkNews::free_place(Entry& entry) {
  const std::uint64_t number = std::exchange(entry.place, 0);
  std::erase_if(places_, [number](const Place& place) { return place.number == number; });
}

std::optional<connector::Action> NetworkNews::take(base::AccountId account) {
  Entry& entry = entries_.at(account);
  if (entry.pending.empty()) return std::nullopt;
  entry.current = std::move(entry.pending.front());
  entry.pending.erase(entry.pending.begin());
  return entry.current->action;
}

void NetworkNews::end(base::AccountId account, bool succeeded) {
  Entry& entry = entries_.at(account);
  entry.is_performing = false;
  free_place(entry);
  if (auto current = std::exchange(entry.current, std::nullopt)) {
    auto* presence = std::get_if<connector::SetPresence>(&current->action);
    if (presence && current->of) {
      entry.has_told_some = true;
    } else if (presence) {
      entry.told.reset();
      if (succeeded) entry.told = std::move(*presence);
      entry.has_told_some = false;
    }
  }
  make_ready(account, entry);
  forget_if_empty(account);
}

std::size_t NetworkNews::waiting() const {
  std::size_t count = 0;
  for (const auto& [account, entry] : entries_) count += entry.pending.size();
  return count;
}

// ---- Doing it ----

VolatileLane::VolatileLane(asio::any_io_executor executor, xmpp::Component& link, accounts::Accounts& accounts,
                           NewsSource& source)
    : link_(link), accounts_(accounts), source_(source), wake_(executor), drained_(executor), tasks_(executor) {}

void VolatileLane::tell_user(base::AccountId account, NewsOf of, NewsKind kind) {
  to_users_.put(account, std::move(of), kind);
  wake_.notify();
}

void VolatileLane::tell_user_all(base::AccountId account) {
  to_users_.put_all(account);
  wake_.notify();
}

asio::awaitable<void> VolatileLane::run() {
  for (;;) {
    while (link_.can_send_volatile()) {
      const auto news = to_users_.next(source_);
      if (!news) break;
      for (const xmpp::Element& stanza : source_.stanzas_for(*news)) link_.send_volatile(stanza);
    }
    if (to_users_.empty()) drained_.notify();
    co_await wake_.wait();
  }
}

asio::awaitable<void> VolatileLane::drained() {
  while (!to_users_.empty()) co_await drained_.wait();
}

void VolatileLane::tell_network(base::AccountId account, NewsKind kind, NewsOf of, connector::Action action) {
  to_networks_.put(account, kind, std::move(of), std::move(action));
  perform_next();
}

void VolatileLane::account_removed(base::AccountId account) {
  to_users_.forget(account);
  to_networks_.forget(account);
}

void VolatileLane::perform_next() {
  if (stopping_) return;
  while (const auto account = to_networks_.begin(std::chrono::steady_clock::now()))
    tasks_.spawn("volatile", perform(*account));
  const auto until = to_networks_.next_place();
  if (until && !std::exchange(waits_for_place_, true)) tasks_.spawn("volatile.place", wait_for_place(*until));
}

asio::awaitable<void> VolatileLane::wait_for_place(NetworkNews::Time until) {
  co_await base::sleep(until - std::chrono::steady_clock::now());
  waits_for_place_ = false;
  perform_next();
}

// What comes in the same turn of the loop is coalesced, since the task begins in the next one.
asio::awaitable<void> VolatileLane::perform(base::AccountId account) {
  bool succeeded = false;
  if (auto action = to_networks_.take(account)) {
    const accounts::LiveAccount* live = accounts_.find(account);
    if (const auto session = live && live->is_online() ? live->session : nullptr) {
      try {
        const auto result = co_await session->perform(std::move(*action));
        succeeded = bool(result);
      } catch (const std::exception& e) {
        if (stopping_) throw;
        log::warn("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
      }
    }
  }
  to_networks_.end(account, succeeded);
  perform_next();
}

asio::awaitable<void> VolatileLane::stop() {
  stopping_ = true;
  co_await tasks_.end();
}

}  // namespace wherry::queues
