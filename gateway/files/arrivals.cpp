#include "gateway/files/arrivals.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace wherry::files {

using base::Errc;
using base::Error;
using base::Result;

namespace {

bool must_be_fetched(const connector::File& file) { return file.url.empty() && !file.handle.empty(); }

bool has_files_to_fetch(const connector::Event& event) {
  const auto has = [](const connector::Content& content) {
    return std::any_of(content.files.begin(), content.files.end(), must_be_fetched);
  };
  if (const auto* message = std::get_if<connector::MessageReceived>(&event)) return has(message->content);
  if (const auto* edit = std::get_if<connector::MessageEdited>(&event)) return has(edit->content);
  return false;
}

// Why a file did not come, where it was to be seen.
std::string lost(const connector::File& file, const Error& why) {
  constexpr std::size_t most_name_bytes = 100;
  const std::string name(base::utf8_prefix(file.name, most_name_bytes));
  return fmt::format("(A file came with this{}{}, but could not be brought here. {})", name.empty() ? "" : ": ", name,
                     why.text);
}

}  // namespace

bool Arrivals::concerns(base::AccountId account, const connector::Event& event) const {
  if (has_files_to_fetch(event)) return true;
  const base::ChatId* chat = lines_.empty() ? nullptr : connector::chat_of(event);
  return chat && connector::is_durable(event) && lines_.contains({account, *chat});
}

asio::awaitable<std::unique_ptr<Arrivals::Place>> Arrivals::enter(base::AccountId account,
                                                                  const connector::Event& event) {
  Chat chat(account, *connector::chat_of(event));
  const auto line = lines_.find(chat);
  if (line != lines_.end() && line->second.size() >= most_waiting)
    throw std::runtime_error("too much of this chat waits for a file");
  auto place = std::make_unique<Place>(*this, std::move(chat));
  while (!place->is_first()) co_await changed_.wait();
  co_return place;
}

Arrivals::Place::Place(Arrivals& arrivals, Chat chat)
    : arrivals_(arrivals), chat_(std::move(chat)), ticket_(++arrivals.last_ticket_) {
  arrivals_.lines_[chat_].push_back(ticket_);
}

Arrivals::Place::~Place() {
  const auto line = arrivals_.lines_.find(chat_);
  std::erase(line->second, ticket_);
  if (line->second.empty()) arrivals_.lines_.erase(line);
  arrivals_.changed_.notify();
}

// A file's turn, from its beginning to its end.
class Arrivals::Turn {
 public:
  Turn(Arrivals& arrivals, base::AccountId account) : arrivals_(arrivals), account_(account) {
    ++arrivals_.fetching_;
    ++arrivals_.fetching_of_[account_];
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    --arrivals_.fetching_;
    if (--arrivals_.fetching_of_[account_] == 0) arrivals_.fetching_of_.erase(account_);
    arrivals_.changed_.notify();
  }

 private:
  Arrivals& arrivals_;
  base::AccountId account_;
};

asio::awaitable<void> Arrivals::bring(base::AccountId account, Sessions session, connector::Content& content) {
  const Clock::time_point until = Clock::now() + patience;
  std::vector<connector::File> files = std::move(content.files);
  content.files.clear();
  std::size_t left_out = files.size() - std::min(files.size(), most_files);
  files.resize(files.size() - left_out);
  for (connector::File& file : files) {
    if (!must_be_fetched(file)) {
      content.files.push_back(std::move(file));
      continue;
    }
    auto brought = co_await fetch(account, session, file, until);
    if (brought) content.files.push_back(std::move(*brought));
    else content.text += (content.text.empty() ? "" : "\n") + lost(file, brought.error());
  }
  if (left_out > 0)
    content.text += fmt::format("{}({} more files came with this; so many cannot be brought here.)",
                                content.text.empty() ? "" : "\n", left_out);
}

asio::awaitable<Result<connector::File>> Arrivals::fetch(base::AccountId account, Sessions session,
                                                         connector::File file, Clock::time_point until) {
  if (!store_) co_return Error{Errc::unsupported, "This gateway keeps no files (files.folder).", {}};
  if (!store_->is_reachable())
    co_return Error{
        Errc::unsupported, "This gateway has no public address to give files out at (http.public_url).", {}};
  while (fetching_ >= most_at_once || (fetching_of_.contains(account) && fetching_of_[account] >= most_of_account))
    co_await changed_.wait();
  const Turn turn(*this, account);
  const auto kept = co_await try_to_copy(account, std::move(session), file.handle, until);
  if (!kept) {
    log::warn("files.not_fetched", {{"account", account.value}, {"error", kept.error().text}});
    co_return kept.error();
  }
  file.url = store_->link(account, *kept, file.name);
  file.bytes = kept->bytes;
  file.sha256 = kept->sha256;
  if (!kept->media_type.empty()) file.media_type = kept->media_type;
  file.handle.clear();
  co_return file;
}

// Also while the session is only coming up, and after a passing trouble of the network.
asio::awaitable<Result<Kept>> Arrivals::try_to_copy(base::AccountId account, Sessions session, std::string handle,
                                                    Clock::time_point until) {
  constexpr std::chrono::milliseconds pause(500);
  Result<Kept> kept = Error{Errc::unavailable, "The network was not connected.", {}};
  for (;;) {
    if (auto present = session()) {
      kept = Error{Errc::unavailable, "It could not be fetched.", {}};
      try {
        auto copying = copy(account, std::move(present), handle);
        kept = co_await base::within(std::max(until - Clock::now(), Clock::duration(pause)), std::move(copying));
      } catch (const std::exception& e) {
        log::debug("files.fetch_broke", {{"account", account.value}, {"error", e.what()}});
      }
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)  // the message is not taken, so the network keeps it
      throw boost::system::system_error(asio::error::operation_aborted);
    const bool may_pass = !kept && kept.error().code == Errc::unavailable;
    if (!may_pass || Clock::now() + pause >= until) co_return kept;
    co_await base::sleep(pause);
  }
}

asio::awaitable<Result<Kept>> Arrivals::copy(base::AccountId account, std::shared_ptr<connector::Session> session,
                                             std::string handle) {
  auto begun = co_await store_->begin(account);
  if (!begun) co_return begun.error();
  const std::unique_ptr<FileStore::NewFile> file = std::move(*begun);
  const auto fetched = co_await session->fetch(std::move(handle), *file);
  if (!fetched) co_return fetched.error();
  co_return co_await file->keep();
}

}  // namespace wherry::files
