// Of a process that has no account yet.
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"
#include "gateway/conformance/words.hpp"

#include <fmt/format.h>

namespace wherry::conformance {

namespace {

using connector::Capabilities;
using connector::Errc;
using connector::Network;
using nlohmann::json;

constexpr std::chrono::seconds raw_end_grace{5};  // as the gateway's
constexpr const char* no_such_key = "no_such_key_of_any_connector";

asio::awaitable<void> answers_hello(Host& host) {
  co_await host.raw();
  auto greeting = child::parse_greeting(**host.hello_answer);
  expect(greeting.has_value(), greeting ? std::string() : "in the answer, " + greeting.error().text + ".");
  host.greeting = std::move(*greeting);
}

void expect_prompts(const Network& network) {
  for (const auto& [language, words] : network.contact_prompts) {
    const bool is_tag = language.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == language.npos &&
                        (language.size() == 2 || language.size() == 3);
    expect(is_tag, "network.contact_prompts: “" + language + "” is no language's subtag, like \"de\".");
    expect(!words.prompt.empty() && is_sentence(words.help),
           "network.contact_prompts." + language + " must have a prompt, and a help that is a sentence.");
  }
}

asio::awaitable<void> describes_network(Host& host) {
  const Network& network = host.greeting.network;
  expect(network.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == network.id.npos,
         "network.id is “" + network.id + "”: it must be one word of lower-case letters, digits and _.");
  expect(!network.contact_prompt.empty(), "network.contact_prompt is empty: say what one types to name a contact.");
  expect(is_sentence(network.contact_help),
         "network.contact_help is “" + network.contact_help + "”: it must be a sentence that says how.");
  expect_prompts(network);
  co_return;
}

asio::awaitable<void> declares_coherently(Host& host) {
  const Network& network = host.greeting.network;
  const Capabilities& can = host.greeting.capabilities;
  const bool refers = is_done(can.edit) || is_done(can.retract) || is_done(can.react) || is_done(can.read_marks);
  expect(!refers || network.refers_to_messages,
         "edit, retract, react or read_marks are done, and name messages: say network.refers_to_messages, too.");
  expect(!is_done(can.delivery_reports) || network.reports_delivery,
         "delivery_reports are done: say network.reports_delivery, too.");
  expect(can.reactions.empty() || is_done(can.react), "reactions are listed, but react says that there are none.");
  for (const std::string& type : can.file_types)
    expect(type.find('/') != type.npos, "file_types: “" + type + "” is no media type like image/png or image/*.");
  co_return;
}

asio::awaitable<void> answers_ping(Host& host) {
  auto* child = co_await host.raw();
  auto params = json::object();
  const auto answer = co_await child->ask("ping", std::move(params));
  expect(answer.has_value(), answer ? std::string() : "`ping` is answered " + in_words(answer.error()) + ".");
}

asio::awaitable<void> refuses_unknown_request(Host& host) {
  auto* child = co_await host.raw();
  auto params = json::object();
  const auto answer = co_await child->ask("no_such_request_of_any_gateway", std::move(params));
  expect(!answer,
         "a request that nobody knows is answered as if it were done: answer it with the error `unsupported`.");
  expect(answer.error().code == Errc::unsupported,
         "a request that nobody knows is answered " + in_words(answer.error()) + ": the code must be `unsupported`.");
  co_await answers_ping(host);
}

asio::awaitable<void> ends_unused(Host& host) {
  co_await host.raw();
  const bool by_itself = co_await host.end_raw(raw_end_grace);
  expect(by_itself, "5 s after its standard input ended it still ran, and was killed: end when standard input ends.");
}

asio::awaitable<void> refuses_unknown_key(Host& host) {
  const auto child = host.start_raw();
  auto params = host.hello();
  params["configuration"][no_such_key] = true;
  const auto answer = co_await child->ask("hello", std::move(params));
  co_await child->end(raw_end_grace);
  expect(!answer, fmt::format("the configuration's key {} is taken: check all keys, and refuse unknown ones, else a "
                              "misspelt key is not noticed.",
                              no_such_key));
  expect(answer.error().code == Errc::bad_input && answer.error().text.starts_with(no_such_key),
         fmt::format("the configuration's key {} is refused with {}: the code must be `bad_input`, and the text must "
                     "begin with the key's path.",
                     no_such_key, in_words(answer.error())));
}

constexpr Promise all_greeting_promises[] = {
    {"hello is answered, with version 2 of the protocol and a description that can be read", 12, answers_hello},
    {"the description has what people are shown", 3, describes_network},
    {"what the capabilities declare fits together", 3, declares_coherently},
    {"ping is answered", 12, answers_ping},
    {"a request that it does not know is answered unsupported, and does no harm", 12, refuses_unknown_request},
    {"it ends when its standard input ends, before anybody logged in", 2, ends_unused},
    {"a key of the configuration that it does not know is refused, by its path", 4, refuses_unknown_key},
};

}  // namespace

std::span<const Promise> greeting_promises() { return all_greeting_promises; }

}  // namespace wherry::conformance
