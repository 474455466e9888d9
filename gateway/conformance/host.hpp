// Plays the gateway to one child: runs its process, keeps its memory and its events, knows its accounts, opens their
// sessions. There is no XMPP server, and no user but the description.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/child/values.hpp"
#include "gateway/conformance/description.hpp"
#include "gateway/conformance/events.hpp"
#include "gateway/conformance/memory_storage.hpp"
#include "gateway/conformance/raw_child.hpp"
#include "gateway/conformance/watched_process.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wherry::conformance {

class Host {
 public:
  Host(asio::any_io_executor executor, Description description, std::vector<std::string> command);

  const Description description;

  // ---- By hand: a process of its own ----

  // The one that runs, or a new one that has answered `hello`. Throws Broken where that is refused.
  asio::awaitable<RawChild*> raw();
  // The last answer to it.
  std::optional<connector::Result<nlohmann::json>> hello_answer;
  // One that has been asked nothing.
  std::unique_ptr<RawChild> start_raw();
  nlohmann::json hello() const;  // its params
  // Whether it ended by itself; true where none runs.
  asio::awaitable<bool> end_raw(std::chrono::milliseconds grace);
  child::Greeting greeting;
  // Of the contact's chat, where they differ from chat to chat.
  std::optional<connector::Capabilities> capabilities_of_chat;

  // ---- As the gateway does it ----

  // The connector, which runs from now on. Throws Broken where it does not start.
  asio::awaitable<connector::Connector*> network();
  // Ends all sessions, and then the process.
  asio::awaitable<void> stop();

  // Accounts have the numbers 1, 2 … of the description's. What log_in gave each:
  std::map<std::size_t, connector::Answers> credentials;
  connector::Account account(std::size_t number) const;  // throws NotTried where it could not log in
  Events& events(std::size_t number);
  asio::awaitable<void> know(std::size_t number);
  asio::awaitable<void> forget(std::size_t number);
  // Opens its session, where that is not open, and returns when it is online.
  asio::awaitable<connector::Session*> online(std::size_t number);
  // Ends its session, where it is open.
  asio::awaitable<void> close(std::size_t number);

  // Until `holds`, which is asked after every event. Throws Silence with that text where it does not come to hold, and
  // Broken where the process ends meanwhile.
  asio::awaitable<void> until(std::function<bool()> holds, std::string otherwise);

  // One of this run's own: no other run has it, and no other action.
  std::string new_key();
  // The keys of what was sent, and the ids that were given for it.
  std::set<std::string> names_of_sent;

  Record record;
  // How often the process ended unasked, and why the last time.
  std::size_t deaths() const { return deaths_; }
  const std::string& last_death() const { return last_death_; }

 private:
  struct Live {
    explicit Live(asio::any_io_executor executor) : task(std::move(executor)) {}
    std::unique_ptr<connector::Session> session;
    base::TaskGroup task;
    std::string ended;  // why it did, the last time
  };
  asio::awaitable<void> keep_running();
  asio::awaitable<void> keep_session(std::size_t number);
  asio::awaitable<std::string> run_session(connector::Session& session);
  asio::awaitable<void> wait_for(std::function<bool()> holds);
  void note_death(std::string why);
  child::ChildLimits limits() const;

  const asio::any_io_executor executor_;
  const std::vector<std::string> command_;
  const std::string run_;  // names this run
  MemoryStorage storage_;
  net::HttpClient http_;
  net::HttpServer webhooks_;
  base::SystemClock clock_;
  base::Signal changed_;
  std::unique_ptr<RawChild> raw_;
  std::map<std::size_t, Events> events_;
  std::unique_ptr<connector::Connector> connector_;
  base::TaskGroup running_;
  std::map<std::size_t, Live> sessions_;
  std::set<std::size_t> known_;
  std::size_t keys_ = 0, deaths_ = 0;
  std::string last_death_;
};

}  // namespace wherry::conformance
