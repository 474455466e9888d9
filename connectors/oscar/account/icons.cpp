#include "connectors/oscar/account/icons.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>

namespace wherry::oscar {

using connector::Result;

namespace {

constexpr std::chrono::seconds idle_limit{60};
constexpr std::size_t most_hash = 64;

}  // namespace

std::string to_avatar(const std::string& owner, const IconId& icon) {
  return fmt::format("{}/{:02x}{}", owner, icon.flags, base::to_hex(icon.hash));
}

std::optional<Avatar> parse_avatar(std::string_view avatar) {
  const auto slash = avatar.find('/');
  if (slash == avatar.npos) return std::nullopt;
  const auto owner = parse_contact(avatar.substr(0, slash));
  const auto octets = base::from_hex(avatar.substr(slash + 1));
  if (!owner || !octets || octets->size() < 2 || octets->size() > most_hash) return std::nullopt;
  Avatar parsed;
  parsed.owner = owner->value;
  parsed.icon.flags = static_cast<std::uint8_t>(octets->front());
  parsed.icon.hash = octets->substr(1);
  return parsed;
}

// Gives the service back however the coroutine ends.
class Icons::Turn {
 public:
  explicit Turn(Icons& icons) : icons_(icons) {}
  ~Turn() { icons_.end_turn(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Icons& icons_;
};

Icons::Icons(Server& server, const asio::any_io_executor& executor)
    : server_(server), changed_(executor), tasks_(executor) {}

void Icons::end_turn() {
  is_busy_ = false;
  changed_.notify();
}

asio::awaitable<void> Icons::end() {
  session_.reset();
  last_avatar_.clear();
  last_picture_.clear();
  changed_.notify();
  co_await tasks_.end();
}

// ---- The connection ----

asio::awaitable<void> Icons::keep(std::shared_ptr<Conversation> service) {
  std::exception_ptr cancelled;
  try {
    auto driving = service->run(), listening = listen(service);
    co_await base::together(std::move(driving), std::move(listening));
  } catch (...) {
    cancelled = std::current_exception();
  }
  if (service_ == service) service_.reset();
  changed_.notify();
  if (cancelled) std::rethrow_exception(cancelled);
}

// Until the service or its idleness ends it.
asio::awaitable<void> Icons::listen(std::shared_ptr<Conversation> service) {
  for (;;) {
    const std::size_t before = asked_;
    std::optional<Conversation::Happening> happening;
    try {
      auto next = service->next();
      happening = co_await base::within(idle_limit, std::move(next));
    } catch (const base::TimedOut&) {}
    if (!happening) {
      if (!is_busy_ && before == asked_) service->end("nobody asks for icons any more");
    } else if (std::holds_alternative<Ready>(*happening)) {
      is_ready_ = true;
      changed_.notify();
    } else if (const auto* ended = std::get_if<Ended>(&*happening)) {
      log::debug("oscar.icons_left", {{"why", ended->reason}});
      if (service_ == service) service_.reset();
      changed_.notify();
      co_return;
    }
  }
}

// The service's own address and ticket come over the session.
asio::awaitable<Result<void>> Icons::enter() {
  const auto session = session_;
  if (!session) co_return is_down();
  auto asking = session->ask(family::generic, 0x04, Writer().u16(family::icons).take());
  const Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered) co_return no_answer();
  if (reply.snac.subtype != 0x05) co_return no_icon();  // 01/01: there is no such service here
  Reader in(reply.snac.body);
  const Tlvs tlvs = read_tlvs(in);
  const std::string *address = find(tlvs, 0x05), *cookie = find(tlvs, 0x06);
  auto ticket = address && cookie ? parse_address(*address, server_.settings().port) : std::nullopt;
  if (!ticket || cookie->empty()) co_return no_icon();
  ticket->cookie = *cookie;
  std::shared_ptr<Conversation> service;
  try {
    auto entering = server_.enter_service(std::move(*ticket), family::icons);
    service = co_await std::move(entering);
  } catch (const boost::system::system_error&) {
    throw;  // cancelled
  } catch (const std::runtime_error& e) {
    log::info("oscar.no_icons", {{"why", e.what()}});
  }
  if (!service || session != session_ || !session_) co_return no_answer();
  service_ = service;
  is_ready_ = false;
  tasks_.spawn("oscar.icons", keep(service));
  while (service_ == service && !is_ready_) co_await changed_.wait();
  if (service_ != service) co_return no_answer();
  co_return base::ok();
}

asio::awaitable<Result<Reply>> Icons::ask(std::uint16_t subtype, std::string body) {
  while (is_busy_) co_await changed_.wait();
  is_busy_ = true;
  const Turn turn(*this);
  if (!service_) {
    const auto entered = co_await enter();
    if (!entered) co_return entered.error();
  }
  ++asked_;
  const auto service = service_;
  auto asking = service->ask(family::icons, subtype, std::move(body));
  Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered) co_return no_answer();
  co_return reply;
}

// ---- Pictures ----

asio::awaitable<Result<std::string>> Icons::fetch(std::string avatar) {
  if (avatar == last_avatar_ && !last_picture_.empty()) co_return last_picture_;
  const auto wanted = parse_avatar(avatar);
  if (!wanted) co_return no_icon();
  auto asking = ask(0x04, ask_icon(wanted->owner, wanted->icon));
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  auto picture = reply->snac.subtype == 0x05 ? read_icon(reply->snac.body) : std::nullopt;
  if (!picture || media_type_of(*picture).empty()) co_return no_icon();
  last_avatar_ = std::move(avatar);
  last_picture_ = *picture;
  co_return std::move(*picture);
}

asio::awaitable<Result<void>> Icons::give(std::string picture) {
  auto asking = ask(0x02, give_icon(picture));
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  if (reply->snac.subtype != 0x03 || !is_icon_taken(reply->snac.body)) co_return icon_refused();
  co_return base::ok();
}

}  // namespace wherry::oscar
