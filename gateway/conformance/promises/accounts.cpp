// Sessions that end, and several accounts at once.
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"

#include <fmt/format.h>

namespace wherry::conformance {

namespace {

asio::awaitable<void> ends_sessions(Host& host) {
  co_await host.online(1);
  co_await host.close(1);
  co_await host.online(1);
  if (!host.description.comes_back.contains("text")) co_return;
  const Sent sent = co_await send_text(host, 1);
  co_await settle(host, 1);
  const std::size_t came = host.events(1).count(sent.text());
  expect(came == 1,
         fmt::format("after its session was ended and opened again, a text to the account is published {} times: "
                     "`cancel` of `open` must end the session at the network.",
                     came));
}

asio::awaitable<void> takes_changed_account(Host& host) {
  co_await host.online(1);
  co_await host.know(1);
  co_await send_text(host, 1);
}

asio::awaitable<void> keeps_accounts_apart(Host& host) {
  require_second_account(host);
  require_back(host, "text");
  const Sent first = co_await send_text(host, 1);
  const Sent second = co_await send_text(host, 2);
  const Events &one = host.events(1), &two = host.events(2);
  std::function<bool()> have_come = [&] {
    return one.count(first.text()) + two.count(first.text()) > 0 &&
           one.count(second.text()) + two.count(second.text()) > 0;
  };
  co_await host.until(std::move(have_come), "with two accounts online, not both texts come back.");
  expect(one.count(second.text()) == 0 && two.count(first.text()) == 0,
         "with two accounts online, a text for one is published for the other: `publish` with the account that it is "
         "for.");
}

asio::awaitable<void> forgets(Host& host) {
  require_second_account(host);
  co_await host.online(2);
  co_await host.forget(2);
  co_await send_text(host, 1);
  co_await host.online(2);
  co_await send_text(host, 2);
}

constexpr Promise all_account_promises[] = {
    {"a session that is ended is over, and can be opened again", 10, ends_sessions},
    {"an account may be told anew while its session is open", 12, takes_changed_account},
    {"several accounts at once do not cross", 8, keeps_accounts_apart},
    {"an account that is forgotten leaves the others alone, and may come back", 12, forgets},
};

}  // namespace

std::span<const Promise> account_promises() { return all_account_promises; }

}  // namespace wherry::conformance
