#include "gateway/commands/commands.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/transport/registration.hpp"

#include <algorithm>

namespace wherry::commands {

namespace {

constexpr const Command* every[] = {&help,        &enrol, &status, &list_accounts, &log_out, &log_in,
                                    &preferences, &text,  &search, &block,         &unblock, &remove};
constexpr std::string_view white_space = " \t\r\n";

bool is_white_space(char c) { return white_space.find(c) != std::string_view::npos; }

// What stands behind the name, where the line begins with it. “logout” is “log out”, too.
std::optional<std::string_view> behind(std::string_view line, std::string_view name) {
  for (const char c : name) {
    if (c == ' ') {
      while (!line.empty() && is_white_space(line.front())) line.remove_prefix(1);
      continue;
    }
    if (line.empty() || base::to_lower_ascii(line.substr(0, 1)).front() != c) return std::nullopt;
    line.remove_prefix(1);
  }
  while (!line.empty() && std::string_view(".!?").find(line.front()) != std::string_view::npos) line.remove_prefix(1);
  if (!line.empty() && !is_white_space(line.front())) return std::nullopt;
  return base::trim(line);
}

}  // namespace

std::span<const Command* const> all() { return every; }

const Command* find(std::string_view name) {
  const auto found = std::ranges::find_if(every, [&](const Command* command) { return command->name == name; });
  return found == std::end(every) ? nullptr : *found;
}

Typed read_line(std::string_view line) {
  line = base::trim(line);
  if (!line.empty() && line.front() == '/') line.remove_prefix(1);
  for (const Command* command : every) {
    if (const auto rest = behind(line, command->name)) return {command, std::string(*rest)};
  }
  return {};
}

std::optional<xmpp::StanzaError> refusal(const Command& command, const Call& call) {
  Transport& transport = call.transport;
  if (command.needs && !(transport.network().*command.needs))
    return xmpp::StanzaError{"cancel", "feature-not-implemented", transport.name() + " has nothing of that kind."};
  const accounts::LiveAccount* account = call.account();
  switch (command.who) {
    case Who::everybody:
      if (transport.config().registration.allows(call.user) || !transport.accounts().of(call.user).empty())
        return std::nullopt;
      return convert::may_not_register(transport.domain());
    case Who::who_may_register: return transport::refusal_to_register(transport, call.user, account);
    case Who::registered: break;
  }
  if (account && !account->is_removed()) return std::nullopt;
  if (const auto barred = transport::refusal_to_register(transport, call.user, account)) return barred;
  return convert::not_registered(call.face());
}

asio::awaitable<Result<base::ContactId>> typed_contact(Call call, std::string typed) {
  const base::AccountId id = call.account()->id();
  const auto place = call.transport.contacts().place_for(call.user, id);
  if (!place) co_return Error{Errc::unavailable, "You ask for too much at once; please try again in a moment."};
  co_return co_await call.transport.contacts().look_up(std::move(typed), id);
}

asio::awaitable<Result<Output>> run(const Command& command, Call call) {
  if (const auto refused = refusal(command, call)) co_return Error{Errc::rejected, refused->text};
  co_return co_await command.perform(std::move(call));
}

}  // namespace wherry::commands
