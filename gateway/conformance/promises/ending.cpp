// What is seen at the end, and what only a process of its own shows.
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"

#include <fmt/format.h>

#include <csignal>

namespace wherry::conformance {

namespace {

using connector::Errc;
using nlohmann::json;

asio::awaitable<void> ends_with_its_input(Host& host) {
  co_await host.online(1);
  co_await host.stop();
  expect(host.record.code.has_value(), "it had ended before its standard input did.");
  expect(*host.record.code != -SIGKILL,
         "with a session open, it still ran 5 s after its standard input ended, and was killed: end when standard "
         "input ends.");
  expect(*host.record.code >= 0, fmt::format("its end was a crash: signal {}.", -*host.record.code));
}

asio::awaitable<void> refuses_unknown_action(Host& host) {
  auto* child = co_await raw_session(host);
  json params;
  params["account"] = 1;
  params["action"]["type"] = "no_such_action_of_any_gateway";
  params["action"]["chat"] =
      "c:" + (host.description.contact ? host.description.contact->value : std::string("nobody"));
  params["action"]["key"] = host.new_key();
  const auto refused = co_await child->ask("perform", std::move(params));
  expect(!refused,
         "an action that nobody knows is answered as if it were done: answer it with the error `unsupported`.");
  expect(refused.error().code == Errc::unsupported,
         "an action that nobody knows is answered " + in_words(refused.error()) + ": the code must be `unsupported`.");
  co_await host.stop();
}

asio::awaitable<void> writes_the_protocol_only(Host& host) {
  if (host.record.mistakes.empty()) co_return;
  std::string all;
  for (const std::string& mistake : host.record.mistakes) all += (all.empty() ? "" : "; ") + mistake;
  throw Broken(all + ".");
}

constexpr Promise all_ending_promises[] = {
    {"it ends when its standard input ends, with a session open", 2, ends_with_its_input},
    {"an action that it does not know is answered unsupported", 7, refuses_unknown_action},
};

constexpr Promise all_closing_promises[] = {
    {"all that it wrote on standard output was of the protocol, and as the schema says", 12, writes_the_protocol_only},
};

}  // namespace

std::span<const Promise> ending_promises() { return all_ending_promises; }
std::span<const Promise> closing_promises() { return all_closing_promises; }

}  // namespace wherry::conformance
