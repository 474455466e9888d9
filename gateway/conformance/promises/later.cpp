// What is said of a message after it was sent: each is done where the capabilities declare it, and refused where not.
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::conformance {

namespace {

using connector::Action;
using connector::Capabilities;
using connector::MessageId;
using connector::Support;
using connector::Target;

asio::awaitable<void> tells_of_the_chat(Host& host) {
  if (!host.greeting.capabilities_vary) throw NotTried("`capabilities_vary` is not declared: those of `hello` hold");
  nlohmann::json params;
  params["account"] = 1;
  params["chat"] = base::to_string(connector::ChatId(contact_of(host)));
  auto* child = co_await raw_session(host);
  const auto answer = co_await child->ask("capabilities", std::move(params));
  if (!answer) throw Broken("`capabilities` is answered " + in_words(answer.error()) + ".");
  auto read = child::parse_capabilities(*answer);
  expect(read.has_value(), read ? std::string() : "in the answer to `capabilities`, " + read.error().text + ".");
  host.capabilities_of_chat = std::move(*read);
}

const Capabilities& capabilities_of_chat(const Host& host) {
  contact_of(host);
  if (!host.greeting.capabilities_vary) return host.greeting.capabilities;
  if (!host.capabilities_of_chat) throw NotTried("the chat's capabilities could not be read");
  return *host.capabilities_of_chat;
}

// Performs it, and says whether it is one that is done. `name` is that of the capability.
asio::awaitable<bool> perform_as_declared(Host& host, Support support, Action action, std::string name) {
  const auto result = co_await perform(host, 1, std::move(action));
  if (is_done(support)) {
    if (!result) {
      throw Broken(
          fmt::format("it is answered {}, though the capabilities declare that `{}` is done: do it, or declare "
                      "`refuse`.",
                      in_words(result.error()), name));
    }
    co_return true;
  }
  expect(!result || support == Support::drop,
         fmt::format(
             "it is answered as done, though the capabilities do not declare that `{0}` is done: declare `{0}`, or "
             "answer `unsupported`.",
             name));
  if (!result) expect_refusal(result.error(), "it");
  co_return false;
}

// One of the user's own that can be named, sent just now.
asio::awaitable<Target> new_target(Host& host) {
  const Sent sent = co_await send_text(host, 1);
  Target target;
  target.ids = sent.ids;
  target.from_me = true;
  if (target.ids.empty()) target.ids.push_back(MessageId{sent.action.key});
  co_return target;
}

template <class T>
asio::awaitable<void> wait_more(Host& host, std::string_view what, std::size_t before) {
  if (!host.description.comes_back.contains(what)) co_return;
  const Events& events = host.events(1);
  std::function<bool()> has_come = [&events, before] { return events.all<T>().size() > before; };
  std::string otherwise = fmt::format(
      "it is answered as done, and does not come back within {} s, as \"{}\" in "
      "`comes_back` says that it does.",
      host.description.wait.count(), what);
  co_await host.until(std::move(has_come), std::move(otherwise));
}

asio::awaitable<void> edits(Host& host) {
  const Capabilities can = capabilities_of_chat(host);
  connector::EditMessage edit;
  edit.chat = contact_of(host);
  edit.target = co_await new_target(host);
  edit.key = host.new_key();
  edit.content.text = edit.key + " again";
  const std::size_t before = host.events(1).all<connector::MessageEdited>().size();
  Action action = std::move(edit);
  const bool was_done = co_await perform_as_declared(host, can.edit, std::move(action), "edit");
  if (was_done) co_await wait_more<connector::MessageEdited>(host, "edit", before);
}

asio::awaitable<void> retracts(Host& host) {
  const Capabilities can = capabilities_of_chat(host);
  connector::RetractMessage retract;
  retract.chat = contact_of(host);
  retract.target = co_await new_target(host);
  retract.key = host.new_key();
  const std::size_t before = host.events(1).all<connector::MessageRetracted>().size();
  Action action = std::move(retract);
  const bool was_done = co_await perform_as_declared(host, can.retract, std::move(action), "retract");
  if (was_done) co_await wait_more<connector::MessageRetracted>(host, "retract", before);
}

asio::awaitable<void> reacts(Host& host) {
  const Capabilities can = capabilities_of_chat(host);
  connector::React react;
  react.chat = contact_of(host);
  react.target = co_await new_target(host);
  react.key = host.new_key();
  react.reactions.push_back(can.reactions.empty() ? "👍" : can.reactions.front());
  const std::size_t before = host.events(1).all<connector::Reacted>().size();
  connector::React none = react;
  Action action = std::move(react);
  const bool was_done = co_await perform_as_declared(host, can.react, std::move(action), "react");
  if (!was_done) co_return;
  co_await wait_more<connector::Reacted>(host, "react", before);
  none.key = host.new_key();
  none.reactions.clear();
  Action taken_back = std::move(none);
  co_await perform_as_declared(host, can.react, std::move(taken_back), "react");
}

asio::awaitable<void> marks_read(Host& host) {
  const Capabilities can = capabilities_of_chat(host);
  connector::MarkRead mark;
  mark.chat = contact_of(host);
  if (is_done(can.read_marks)) {
    require_back(host, "text");
    const Sent sent = co_await send_text(host, 1);
    const auto theirs = co_await wait_back(host, 1, sent.text());
    mark.target.ids.push_back(theirs.id);
  } else {
    mark.target = co_await new_target(host);
  }
  const std::size_t before = host.events(1).all<connector::MessageRead>().size();
  Action action = std::move(mark);
  const bool was_done = co_await perform_as_declared(host, can.read_marks, std::move(action), "read_marks");
  if (was_done) co_await wait_more<connector::MessageRead>(host, "read", before);
}

asio::awaitable<void> sets_typing(Host& host) {
  const Capabilities can = capabilities_of_chat(host);
  constexpr bool beginning_and_end[] = {true, false};
  for (const bool is_typing : beginning_and_end) {
    connector::SetTyping typing;
    typing.chat = contact_of(host);
    typing.typing = is_typing;
    const std::size_t before = host.events(1).all<connector::TypingChanged>().size();
    Action action = std::move(typing);
    const bool was_done = co_await perform_as_declared(host, can.typing, std::move(action), "typing");
    if (was_done) co_await wait_more<connector::TypingChanged>(host, "typing", before);
  }
}

constexpr Promise all_later_promises[] = {
    {"where capabilities vary, those of a chat are told", 3, tells_of_the_chat},
    {"an edit is done where that is declared, and else refused", 7, edits},
    {"a retraction is done where that is declared, and else refused", 7, retracts},
    {"a reaction is done where that is declared, and else refused", 7, reacts},
    {"a mark that something is read is done where that is declared, and else refused", 7, marks_read},
    {"typing is shown where that is declared, and else refused", 7, sets_typing},
};

}  // namespace

std::span<const Promise> later_promises() { return all_later_promises; }

}  // namespace wherry::conformance
