// Files that only a connector can fetch, brought here before the message that has them: once both are safe, the network
// may forget them. What else happens in that chat waits for them, so that its order stays.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/files/file_store.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace wherry::files {

class Arrivals {
 public:
  static constexpr int most_at_once = 8, most_of_account = 2;  // files: the others wait
  static constexpr std::size_t most_waiting = 100;             // events of one chat behind a file
  static constexpr std::chrono::seconds patience{60};          // for all files of a message
  static constexpr std::size_t most_files = 32;                // of a message

  // `store`: null where files cannot be kept.
  Arrivals(asio::any_io_executor executor, FileStore* store) : store_(store), changed_(executor) {}

  // Whether publishing `event` has to wait: for its own files, or for those of its chat that came before.
  bool concerns(base::AccountId account, const connector::Event& event) const;

  // A place in the order of one chat, until it is destroyed. Throws where too many wait there: the network is to bring
  // the event again, and must not be kept from bringing the file.
  class Place;
  asio::awaitable<std::unique_ptr<Place>> enter(base::AccountId account, const connector::Event& event);

  // The account's session as it is at that moment; null: it is down.
  using Sessions = std::function<std::shared_ptr<connector::Session>()>;
  // Replaces each file that only the account's session can fetch by a link to a copy of ours. What is unavailable is
  // tried again within `patience`. Of a file that cannot be had the text says so.
  asio::awaitable<void> bring(base::AccountId account, Sessions session, connector::Content& content);

 private:
  using Chat = std::pair<base::AccountId, base::ChatId>;
  using Clock = std::chrono::steady_clock;
  class Turn;
  asio::awaitable<base::Result<connector::File>> fetch(base::AccountId account, Sessions session, connector::File file,
                                                       Clock::time_point until);
  asio::awaitable<base::Result<Kept>> try_to_copy(base::AccountId account, Sessions session, std::string handle,
                                                  Clock::time_point until);
  asio::awaitable<base::Result<Kept>> copy(base::AccountId account, std::shared_ptr<connector::Session> session,
                                           std::string handle);

  FileStore* store_;
  std::map<Chat, std::deque<std::uint64_t>> lines_;  // of chats in which somebody waits: tickets, the first one's turn
  std::uint64_t last_ticket_ = 0;
  int fetching_ = 0;
  std::map<base::AccountId, int> fetching_of_;
  base::Signal changed_;
};

class Arrivals::Place {
 public:
  Place(Arrivals& arrivals, Chat chat);
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  bool is_first() const { return arrivals_.lines_.at(chat_).front() == ticket_; }

 private:
  Arrivals& arrivals_;
  Chat chat_;
  std::uint64_t ticket_;
};

}  // namespace wherry::files
