// What may be dropped, both ways: presence, typing, marks. The messages' queues are inbox and outbox. Called by
// features/contacts, features/messages and the dispatcher.
//
//   keys, not values    to a user an entry says only what there is news of. The stanza is made when it is sent, so the
//                       newest wins by itself; `all` of an account is one entry and is taken apart when its turn comes
//   behind messages     a stanza goes out only while little of this kind is on its way
//   (xmpp::Component::can_send_volatile) round robin         an account with much news gives place after a few stanzas
//   nobody away         nothing is made for a user who is seen to be away when their turn comes
//   one at a time       a network performs one such action of an account at once; what comes meanwhile is coalesced
//   places              64 accounts at once; who has taken ten seconds goes on without a place, so that actions which
//   hang
//                       keep nobody else waiting
// Not promised: that anything of it arrives; order between news of one account.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/action.hpp"
#include "gateway/xmpp/component.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace wherry::queues {

enum class NewsKind : std::uint8_t {
  presence = 1,
  typing = 2,
  marks = 4,
};

// Of whom: a contact, or the gateway itself.
using NewsOf = std::optional<base::ContactId>;

// One thing that a user is to be told.
struct News {
  base::AccountId account;
  NewsOf of;
  NewsKind kind = NewsKind::presence;
  bool operator==(const News&) const = default;
};

// What the lane asks when an entry's turn comes. One object, which outlives the lane.
struct NewsSource {
  // The account's user is seen to be away, or there is no such account any more.
  virtual bool is_away(base::AccountId account) const = 0;
  // The contact that comes after `previous` in some order; null: there is none. A null `previous`: the first.
  virtual std::optional<base::ContactId> contact_after(base::AccountId account,
                                                       const std::optional<base::ContactId>& previous) const = 0;
  // What the user is told now.
  virtual std::vector<xmpp::Element> stanzas_for(const News& news) = 0;

 protected:
  ~NewsSource() = default;
};

// Which news goes to users, and in which order. Pure.
class UserNews {
 public:
  // of an account; more presence is `all` of it, more of other kinds is dropped
  static constexpr std::size_t most_keys = 64;
  static constexpr int most_in_a_row = 8;  // stanzas of one account

  void put(base::AccountId account, NewsOf of, NewsKind kind);
  // The presence of the gateway and of each contact.
  void put_all(base::AccountId account);
  void forget(base::AccountId account);

  // Takes the next one; null: there is none.
  std::optional<News> next(const NewsSource& source);

  bool empty() const { return turns_.empty(); }
  std::size_t accounts() const { return entries_.size(); }
  std::size_t keys() const;

 private:
  enum class All {
    none,
    gateway,   // its own presence is next
    contacts,  // that of the contact after `after`
  };
  struct Key {
    NewsOf of;
    std::uint8_t kinds = 0;
  };
  struct Entry {
    std::vector<Key> keys;
    All all = All::none;
    std::optional<base::ContactId> after;
  };
  static bool is_covered(const Entry& entry, const NewsOf& of);
  static std::optional<News> take(base::AccountId account, Entry& entry, const NewsSource& source);

  std::unordered_map<base::AccountId, Entry> entries_;
  std::deque<base::AccountId> turns_;  // each of entries_ once
  int in_a_row_ = 0;
};

// Which action goes to the network next. Pure.
class NetworkNews {
 public:
  static constexpr std::size_t most_keys = 64;  // of an account that wait; more are dropped
  // accounts whose actions are with the connector, and have not hung
  static constexpr std::size_t most_performing = 64;
  static constexpr std::chrono::seconds longest_hold{10};  // of a place
  using Time = std::chrono::steady_clock::time_point;

  // The newest for this key wins. Dropped where the network was told the same, or is just being told.
  void put(base::AccountId account, NewsKind kind, NewsOf of, connector::Action action);
  // The session is a new one, to which nothing was told yet, or there is none: what waits is dropped.
  void session_ended(base::AccountId account);
  void forget(base::AccountId account);

  // An account that has something to perform and a free place; take() its action, and end() it.
  std::optional<base::AccountId> begin(Time now);
  // When an account that waits for a place has one at the latest; nothing: none waits.
  std::optional<Time> next_place() const;
  // The newest; null: it was withdrawn meanwhile.
  std::optional<connector::Action> take(base::AccountId account);
  void end(base::AccountId account, bool succeeded);

  std::size_t waiting() const;  // actions

 private:
  struct Pending {
    NewsKind kind = NewsKind::presence;
    NewsOf of;
    connector::Action action;
    bool is_for(NewsKind k, const NewsOf& o) const { return kind == k && of == o; }
    bool is_presence_for_all() const { return kind == NewsKind::presence && !of; }
  };
  struct Entry {
    std::vector<Pending> pending;
    std::optional<Pending> current;              // with the connector
    bool is_performing = false;                  // from begin() to end()
    std::uint64_t place = 0;                     // 0: none, or taken from it
    bool is_queued = false;                      // in ready_
    std::optional<connector::SetPresence> told;  // everybody, in this session
    bool has_told_some = false;                  // … and since then single contacts something else
  };
  void make_ready(base::AccountId account, Entry& entry);
  void forget_if_empty(base::AccountId account);
  static bool is_told(const Entry& entry, const Pending& news);

  std::unordered_map<base::AccountId, Entry> entries_;
  struct Place {
    std::uint64_t number = 0;
    base::AccountId account;
    Time since;
  };
  void free_place(Entry& entry);

  std::deque<base::AccountId> ready_;
  std::deque<Place> places_;  // the longest held first
  std::uint64_t last_place_ = 0;
};

class VolatileLane {
 public:
  VolatileLane(asio::any_io_executor executor, xmpp::Component& link, accounts::Accounts& accounts, NewsSource& source);

  // There is news for the user: they are told once the link can take it.
  void tell_user(base::AccountId account, NewsOf of, NewsKind kind);
  // The presence of the gateway and of each contact, as after a login or a logout.
  void tell_user_all(base::AccountId account);

  // The newest SetPresence and the like, while the account's session is up. `of`: whom it is for; null: everybody. What
  // the network has been told is not told again, also not one contact what everybody was told.
  void tell_network(base::AccountId account, NewsKind kind, NewsOf of, connector::Action action);

  void session_ended(base::AccountId account) { to_networks_.session_ended(account); }
  void account_removed(base::AccountId account);

  // Sends to users what there is, until cancelled.
  asio::awaitable<void> run();
  // The link has come up, or can take more.
  void wake() { wake_.notify(); }
  // Until there is nothing left to be told to users. Ends by itself only while run() runs and the link takes it.
  asio::awaitable<void> drained();
  // No action is performed afterwards.
  asio::awaitable<void> stop();

 private:
  void perform_next();
  asio::awaitable<void> wait_for_place(NetworkNews::Time until);
  asio::awaitable<void> perform(base::AccountId account);

  xmpp::Component& link_;
  accounts::Accounts& accounts_;
  NewsSource& source_;
  UserNews to_users_;
  NetworkNews to_networks_;
  base::Signal wake_, drained_;
  bool stopping_ = false;
  bool waits_for_place_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::queues
