// remove: ends the registration, with everything that is kept for it.
#include "gateway/commands/commands.hpp"

#include "gateway/convert/refusals.hpp"
#include "gateway/transport/registration.hpp"

namespace wherry::commands {

namespace {

std::vector<Field> confirmation(const Call& call) {
  Field sure;
  sure.name = "sure";
  sure.label = "Remove your account at " + call.face().str() + " and all that is kept for it";
  sure.type = Field::Type::boolean;
  return {std::move(sure)};
}

asio::awaitable<Result<Output>> remove_account(Call call) {
  Output output;
  output.text = "Nothing was removed.";
  if (call.input.at("sure") != "1") co_return output;
  std::function<void()> nothing = [] {};
  const bool done = co_await transport::unregister(call.transport, call.account()->id(), std::move(nothing));
  if (!done) co_return Error{Errc::unavailable, convert::registration_not_removed().text};
  output.text = "Your account is removed. Nothing more is kept of it here.";
  co_return output;
}

}  // namespace

const Command remove{"remove", "end your registration", Who::registered, confirmation, remove_account};

}  // namespace wherry::commands
