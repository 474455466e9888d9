#include "gateway/commands/commands.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/transport/registration.hpp"

#include <algorithm>

namespace wherry::commands {

namespace {

constexpr const Command* every[] = {&help, &enrol, &status, &list_accounts, &preferences, &text, &remove};

}  // namespace

std::span<const Command* const> all() { return every; }

const Command* find(std::string_view name) {
  const auto found = std::ranges::find_if(every, [&](const Command* command) { return command->name == name; });
  return found == std::end(every) ? nullptr : *found;
}

Typed read_line(std::string_view line) {
  const std::string_view typed = base::trim(line);
  const auto end = typed.find_first_of(" \t\r\n");
  std::string word = base::to_lower_ascii(typed.substr(0, end));
  if (!word.empty() && word.front() == '/') word.erase(0, 1);
  while (!word.empty() && (word.back() == '.' || word.back() == '!' || word.back() == '?')) word.pop_back();
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : base::trim(typed.substr(end));
  return {find(word), std::string(rest)};
}

std::optional<xmpp::StanzaError> refusal(const Command& command, const Call& call) {
  Transport& transport = call.transport;
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

}  // namespace wherry::commands
