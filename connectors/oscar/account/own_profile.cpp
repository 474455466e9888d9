#include "connectors/oscar/account/own_profile.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <algorithm>

namespace wherry::oscar {

using connector::Receipt;
using connector::Result;

namespace {

constexpr std::size_t most_nick = 64;         // octets of UTF-8
constexpr std::chrono::seconds patience{15};  // for what the server says to an icon

// Of "data:image/png;base64,…" (RFC 2397).
std::optional<std::string> from_data_url(std::string_view url) {
  constexpr std::string_view mark = ";base64,";
  const auto begin = url.find(mark);
  if (begin == url.npos || url.size() > 2 * most_icon) return std::nullopt;
  return base::from_base64(url.substr(begin + mark.size()));
}

}  // namespace

asio::awaitable<Result<Receipt>> OwnProfile::set(std::shared_ptr<Conversation> with, connector::SetProfile profile) {
  const bool has_nick = !profile.name.empty() && services_.are_there(*with);
  if (!has_nick && !profile.avatar) co_return has_no_such_thing();
  if (has_nick) {
    const auto done = co_await set_nick(with, std::move(profile.name));
    if (!done) co_return done.error();
  }
  if (profile.avatar) {
    const auto done = co_await set_icon(with, std::move(profile.avatar->url));
    if (!done) co_return done.error();
  }
  co_return Receipt();
}

asio::awaitable<Result<void>> OwnProfile::set_nick(std::shared_ptr<Conversation> with, std::string nick) {
  const std::string octets = to_code_page(base::utf8_prefix(nick, most_nick), server_.settings().code_page);
  auto asking = services_.ask(with, change_nick(octets));
  const auto answer = co_await std::move(asking);
  if (answer.empty()) co_return no_answer();
  if (!has_succeeded(answer.front())) co_return has_no_such_thing();
  co_return base::ok();
}

// The list names the picture by its hash; the service has the picture. It is given only if the server asks for it.
// COMPAT(open-oscar-server 0.24): turns the mark "not there" round at each picture, so contacts lose one that was not
// asked for.
asio::awaitable<Result<void>> OwnProfile::set_icon(std::shared_ptr<Conversation> with, std::string url) {
  auto loading = load(std::move(url));
  const auto picture = co_await std::move(loading);
  if (!picture) co_return picture.error();
  const std::string hash = md5(*picture);
  const std::size_t session = sessions_ended_;
  noted_.reset();
  const auto listed = co_await list_.show_icon(with, hash);
  if (!listed) co_return listed.error();
  std::optional<bool> must_give;
  try {
    auto waiting = is_wanted(hash, session);
    must_give = co_await base::within(patience, std::move(waiting));
  } catch (const base::TimedOut&) {}
  if (!must_give) co_return no_answer();
  if (*must_give) co_return co_await icons_.give(*picture);
  co_return base::ok();
}

void OwnProfile::noted(IconNoted icon) {
  noted_ = std::move(icon);
  noted_changed_.notify();
}

void OwnProfile::forget() {
  noted_.reset();
  ++sessions_ended_;
  noted_changed_.notify();
}

// Nothing: the session has ended before the server said so.
asio::awaitable<std::optional<bool>> OwnProfile::is_wanted(std::string hash, std::size_t session) {
  while (session == sessions_ended_) {
    if (noted_ && noted_->icon.hash == hash) co_return noted_->is_wanted;
    co_await noted_changed_.wait();
  }
  co_return std::nullopt;
}

asio::awaitable<Result<std::string>> OwnProfile::load(std::string url) {
  std::string picture;
  if (url.starts_with("data:")) {
    picture = from_data_url(url).value_or("");
  } else {
    net::HttpRequest request;
    request.url = std::move(url);
    request.most_bytes = most_icon;
    auto sending = http_.send(std::move(request));
    auto response = co_await std::move(sending);
    if (!response && response.error().code == connector::Errc::unavailable) co_return response.error();
    if (response && response->status == 200) picture = std::move(response->body);
  }
  if (picture.size() > most_icon || media_type_of(picture).empty()) co_return icon_unusable();
  co_return picture;
}

}  // namespace wherry::oscar
