// The switchboards of one session: opened when something is to be said, kept, found again, opened anew.
#pragma once

#include "connectors/msn/link/board.hpp"
#include "connectors/msn/login/login.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/task_group.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace wherry::msn {

// What is heard in the conversations, for the session. Each call of one conversation comes after the other.
struct Listener {
  virtual asio::awaitable<void> heard(std::shared_ptr<Board> board, Heard message) = 0;
  // All that was said in it is heard, and nothing more comes.
  virtual asio::awaitable<void> ended(std::shared_ptr<Board> board) = 0;
  // Somebody has called the user into a conversation that could not be opened.
  virtual asio::awaitable<void> missed(std::string email) = 0;
  // False: that person's invitations are not followed.
  virtual bool wants(const std::string& email) const = 0;

 protected:
  ~Listener() = default;
};

// Of a session.
struct Groups {
  base::TaskGroup& tasks;        // cancelled at its end
  base::TaskGroup& hearers;      // these tell the listener what was heard, and end when all is told
  base::TaskGroup& connections;  // the sockets, which end by themselves
};

class Conversations {
 public:
  // `groups` and `listener` live until the groups' tasks have ended.
  Conversations(Upstream& upstream, std::string email, std::shared_ptr<NotificationLink> link, Groups groups,
                Listener& listener)
      : upstream_(upstream), email_(std::move(email)), link_(std::move(link)), groups_(groups), listener_(listener) {}

  // Says it to one person, who is called first where no conversation is open. An error says whether it can have
  // arrived.
  asio::awaitable<base::Result<void>> say(std::string to, std::string payload);
  // Where a conversation with that person is open; else nothing is done.
  void mention(const std::string& to, const std::string& payload);
  // Follows an invitation.
  void follow(Rang invitation);
  // Leaves those in which nobody is but somebody from whom the listener wants nothing.
  void leave_unwanted();
  // Ends all. What was heard is told all the same.
  void leave();
  // Those that are open or have something left to tell.
  std::size_t size() const { return boards_.size(); }

 private:
  std::shared_ptr<Board> find(const std::string& email);
  void make_room();
  asio::awaitable<base::Result<std::shared_ptr<Board>>> open(std::string email);
  asio::awaitable<base::Result<std::shared_ptr<Board>>> connect(std::string server, bool is_answer, Rang invitation);
  asio::awaitable<void> answer(Rang invitation);
  asio::awaitable<void> listen(std::shared_ptr<Board> board);

  Upstream& upstream_;
  const std::string email_;
  const std::shared_ptr<NotificationLink> link_;
  const Groups groups_;
  Listener& listener_;
  std::list<std::shared_ptr<Board>> boards_;  // the newest first
  std::size_t answering_ = 0;                 // invitations that are being followed
  bool is_over_ = false;
};

}  // namespace wherry::msn
