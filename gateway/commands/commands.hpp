// The list of all commands. To add one: its file, its line here and in commands.cpp.
#pragma once

#include "gateway/commands/command.hpp"

#include <span>

namespace wherry::commands {

extern const Command help;
extern const Command enrol;  // "register", which is a word of the language
extern const Command status;
extern const Command list_accounts;
extern const Command log_out;
extern const Command log_in;
extern const Command preferences;
extern const Command text;
extern const Command search;
extern const Command block;
extern const Command unblock;
extern const Command remove;

// In the order in which they are shown.
std::span<const Command* const> all();
const Command* find(std::string_view name);

// The one whose name begins the line, and what stands behind it; null: none does.
struct Typed {
  const Command* command = nullptr;
  std::string rest;
};
Typed read_line(std::string_view line);

}  // namespace wherry::commands
