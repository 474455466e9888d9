// help: what one can write here.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

asio::awaitable<Result<Output>> show_help(Call call) {
  Output output;
  output.text = "This is the gateway to " + call.transport.name() + ".";
  if (call.alias.empty() && !call.is_named)
    output.text += " Where your program takes no " + call.face().str() + " as a contact, take " +
                   call.transport.face_of(convert::face_address("", true)).str() + ": it is the same.";
  output.text += " You can write here:";
  for (const Command* command : all()) {
    if (!refusal(*command, call)) output.rows.push_back({std::string(command->name), std::string(command->title)});
  }
  co_return output;
}

}  // namespace

const Command help{"help", "this list", Who::everybody, no_fields, show_help};

}  // namespace wherry::commands
