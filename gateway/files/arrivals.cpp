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

asio::awaitable<void> Arrivals::bring(base::AccountId account, std::shared_ptr<connector::Session> session,
                                      connector::Content& content) {
  std::vector<connector::File> files = std::move(content.files);
  content.files.clear();
  for (connector::File& file : files) {
    if (!must_be_fetched(file)) {
      content.files.push_back(std::move(file));
      continue;
    }
    auto brought = co_await fetch(account, session, file);
    if (brought) content.files.push_back(std::move(*brought));
    else content.text += (content.text.empty() ? "" : "\n") + lost(file, brought.error());
  }
}

asio::awaitable<Result<connector::File>> Arrivals::fetch(base::AccountId account,
                                                         std::shared_ptr<connector::Session> session,
                                                         connector::File file) {
  if (!store_ || !store_->is_reachable())
    co_return Error{Errc::unsupported, "This gateway has no public address to give files out at (http.public_url)."};
  if (!session) co_return Error{Errc::unavailable, "The network was not connected."};
  while (fetching_ >= most_at_once) co_await changed_.wait();
  struct Counted {
    Arrivals& arrivals;
    explicit Counted(Arrivals& a) : arrivals(a) { ++arrivals.fetching_; }
    ~Counted() {
      --arrivals.fetching_;
      arrivals.changed_.notify();
    }
  };
  const Counted counted(*this);
  Result<Kept> kept = Error{Errc::unavailable, "It could not be fetched."};
  try {
    auto copying = copy(account, std::move(session), file.handle);
    kept = co_await base::within(patience, std::move(copying));
  } catch (const std::exception& e) {
    log::warn("files.not_fetched", {{"account", account.value}, {"error", e.what()}});
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)  // the message is not taken, so the network keeps it
    throw boost::system::system_error(asio::error::operation_aborted);
  if (!kept) co_return kept.error();
  file.url = store_->link(account, *kept, file.name);
  file.bytes = kept->bytes;
  file.sha256 = kept->sha256;
  if (!kept->media_type.empty()) file.media_type = kept->media_type;
  file.handle.clear();
  co_return file;
}

asio::awaitable<Result<Kept>> Arrivals::copy(base::AccountId account, std::shared_ptr<connector::Session> session,
                                             std::string handle) {
  auto begun = co_await store_->begin(account);
  if (!begun) co_return begun.error();
  const std::unique_ptr<FileStore::NewFile> file = std::move(*begun);
  const auto fetched = co_await session->fetch(std::move(handle), *file);
  if (!fetched) {
    log::warn("files.not_fetched", {{"account", account.value}, {"error", fetched.error().text}});
    co_return fetched.error();
  }
  co_return co_await file->keep();
}

}  // namespace wherry::files
