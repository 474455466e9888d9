// register: begins a login, whose questions the face shows.
#include "gateway/commands/commands.hpp"

#include "gateway/convert/refusals.hpp"

namespace wherry::commands {

namespace {

asio::awaitable<Result<Output>> begin_login(Call call) {
  accounts::Login login{call.user.bare(), call.alias, call.lang, call.is_named};
  if (call.transport.dialogues().begin(std::move(login), std::move(call.presenter))) co_return Output();
  co_return Error{Errc::unavailable, convert::registration_must_wait().text};
}

}  // namespace

const Command enrol{"register", "log in to the network, or change your login", Who::who_may_register, no_fields,
                    begin_login};

}  // namespace wherry::commands
