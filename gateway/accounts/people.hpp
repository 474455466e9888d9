// What networks say of their people when they are asked: profiles, pictures, who is found by a word. A contact's new
// picture is fetched once, and known by its SHA-1 from then on (XEP-0153 §3.1); of the octets as many as fit are kept
// in memory, the others are fetched again when somebody asks for them.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/accounts/quota.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wherry::accounts {

struct Picture {
  std::string media_type;  // as its first octets say: image/png, image/jpeg, image/gif, image/webp
  std::string octets;
  std::string sha1;  // of these, hexadecimal
};

class People {
 public:
  static constexpr std::size_t most_picture_bytes = 256 << 10;
  static constexpr std::size_t most_kept_bytes = 8 << 20;  // of pictures, in memory
  static constexpr std::size_t most_fetching = 64;         // at once, of all accounts
  static constexpr std::size_t most_early = 500;           // of who is in no list yet, of one account
  static constexpr std::size_t most_waiting = 20'000;      // pictures that are still to be fetched
  static constexpr std::chrono::seconds patience{20};      // for one answer of the network

  // `shown_anew`: the contact's picture is another one than the user was shown.
  People(asio::any_io_executor executor, Accounts& accounts,
         std::function<void(const LiveAccount&, const base::ContactId&)> shown_anew)
      : accounts_(accounts),
        shown_anew_(std::move(shown_anew)),
        questions_(of_questions),
        turn_(executor),
        tasks_(executor) {}

  // A place for one question of a registered user, who waits for the answer; nothing: they have too many.
  std::optional<Quota::Place> place_for(const xmpp::Jid& person) { return questions_.take(person.bare().str(), true); }

  // Of an account whose session is up; else `unavailable`, with a sentence for its user.
  asio::awaitable<base::Result<connector::Profile>> profile(base::AccountId account, base::ContactId contact);
  asio::awaitable<base::Result<std::vector<connector::ListedContact>>> search(base::AccountId account,
                                                                              std::string words);
  // The contact's picture as it is now; null: it has none, or it cannot be had.
  asio::awaitable<std::shared_ptr<const Picture>> picture(base::AccountId account, base::ContactId contact);

  // Does it at once, for one who waits for the outcome; the action is of no chat.
  asio::awaitable<base::Result<void>> perform(base::AccountId account, connector::Action action);

  // The network has said what a contact calls itself and what its picture is; of one who is not in the user's list that
  // is kept until it is.
  void changed(LiveAccount& account, const connector::ContactChanged& change);
  void listed(LiveAccount& account, const base::ContactId& contact);
  // Its session is up: what could not be fetched is tried again.
  void account_online(LiveAccount& account);
  void account_removed(base::AccountId account) { early_.erase(account); }

  // Nothing is fetched any more.
  asio::awaitable<void> stop();

 private:
  class Turn;
  // In the account's line, where users ask about many contacts at once; or beside it.
  asio::awaitable<base::Result<connector::Answer>> ask_in_turn(base::AccountId account, connector::Query query);
  asio::awaitable<base::Result<connector::Answer>> ask(base::AccountId account, connector::Query query);
  asio::awaitable<base::Result<std::shared_ptr<const Picture>>> fetch(base::AccountId account, std::string avatar);
  struct Flight {  // a picture that is being fetched
    explicit Flight(const asio::any_io_executor& executor) : landed(executor) {}
    std::optional<base::Result<std::shared_ptr<const Picture>>> outcome;
    base::Signal landed;
  };
  asio::awaitable<void> fly(std::pair<base::AccountId, std::string> key, std::shared_ptr<Flight> flight);
  asio::awaitable<base::Result<std::shared_ptr<const Picture>>> fetch_alone(base::AccountId account,
                                                                            std::string avatar);
  void note_hash(base::AccountId account, const base::ContactId& contact, const std::string& avatar,
                 const std::string& sha1);
  void note_unusable(base::AccountId account, const base::ContactId& contact, const std::string& avatar,
                     const base::Error& error);
  void want(const LiveAccount& account, const LiveContact& contact);
  void fetch_next();
  asio::awaitable<void> fetch_new(base::AccountId account, base::ContactId contact);
  std::shared_ptr<const Picture> kept(const std::string& sha1);
  void keep(std::shared_ptr<const Picture> picture);

  static constexpr QuotaLimits of_questions{200, 0, 0};
  static constexpr int most_asking = 10;  // at once, of one account: the others wait
  Accounts& accounts_;
  std::function<void(const LiveAccount&, const base::ContactId&)> shown_anew_;
  std::map<base::AccountId, std::set<base::ContactId>> waiting_;  // whose pictures are to be fetched
  std::size_t waiting_count_ = 0;
  // of who is in no list yet
  std::map<base::AccountId, std::map<base::ContactId, connector::ContactChanged>> early_;
  std::set<base::AccountId> fetching_;              // one at a time of each account
  std::deque<base::AccountId> turns_;               // of those that wait and are not among these
  std::list<std::shared_ptr<const Picture>> kept_;  // the one that was asked for last comes first
  std::size_t kept_bytes_ = 0;
  std::map<std::pair<base::AccountId, std::string>, std::shared_ptr<Flight>> in_flight_;
  Quota questions_;
  std::map<base::AccountId, int> asking_;
  base::Signal turn_;  // one of these has been answered
  bool stopping_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::accounts
