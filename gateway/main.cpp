// wherry: an XMPP gateway. Arguments → command; exit codes: 0 done, 1 failed, 2 configuration or arguments wrong, 75
// not now (cli/exit.hpp).
#include "gateway/cli/commands.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

// GnuTLS is here only because libcurl's LDAP and RTMP need it, which nobody asks for. Unless told not to, it prepares
// itself while it is loaded, at 0.8 MiB (GNUTLS_SKIP_GLOBAL_INIT in gnutls.h).
extern "C" int _gnutls_global_init_skip() { return 1; }

// Keys, passwords and messages are in memory, and a core dump would write them to a disk. (Not PR_SET_DUMPABLE, which
// takes /proc/self from our own user, and the debugger from the operator.)
static void forbid_core_dumps() {
  constexpr rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char** argv) {
  forbid_core_dumps();
  CLI::App cli{"Wherry, an XMPP gateway: text SMS contacts and other networks from any Jabber client."};
  cli.set_version_flag("--version", WHERRY_VERSION);
  cli.require_subcommand(1);
  std::string config = "/etc/wherry/wherry.toml", user;

  const auto with_config = [&](CLI::App* command) {
    command->add_option("-c,--config", config, "The configuration file")->capture_default_str();
    return command;
  };
  const auto with_user = [&](CLI::App* command) {
    command->add_option("user", user, "Whose: a Jabber address")->required();
    return with_config(command);
  };
  auto* run = with_config(cli.add_subcommand("run", "Run the gateway until it is told to stop"));
  auto* check = with_config(cli.add_subcommand("check", "Read the configuration and say what is wrong with it"));
  bool connects = false;
  check->add_flag(
      "--connect", connects,
      "Also try the store, the port, the XMPP servers and the ways to the networks (stop the gateway first)");
  auto* pages = cli.add_subcommand("config", "Print an example of a configuration, or the reference of all its keys");
  pages->require_subcommand(1);
  auto* example = pages->add_subcommand("example", "An example");
  auto* reference = pages->add_subcommand("reference", "Every key, as Markdown");
  auto* generate = cli.add_subcommand("generate-key", "Print a new key for store.key_file");
  auto* rotate = with_config(
      cli.add_subcommand("rotate-key", "Seal all credentials with the key file's first key (stop the gateway first)"));
  auto* conformance = cli.add_subcommand(
      "conformance",
      "Hold a connector that is a program of its own to what connectors/README.md promises: conformance --describe "
      "pigeon.toml --child python3 pigeon.py");
  std::string described;
  std::vector<std::string> child;
  conformance->add_option("--describe", described, "A file that says how to log in, whom to write to, what comes back")
      ->required();
  conformance->add_option("--child", child, "The program and its arguments; the last option")->required();
  conformance->prefix_command();  // the program's own options are not ours
  auto* exported =
      with_user(cli.add_subcommand("export", "Print what the store holds of a user, as JSON (stop the gateway first)"));
  auto* erased = with_user(
      cli.add_subcommand("erase", "Erase a user's accounts and everything kept for them (stop the gateway first)"));
  auto* masked = with_config(cli.add_subcommand(
      "mask", "Print users' addresses and numbers as the log shows them: mask romeo@example.org +14155550132"));
  std::vector<std::string> personal;
  masked->add_option("values", personal, "Addresses and numbers")->required();
  std::string transport, alias;
  std::vector<std::string> answers;
  auto* registered =
      with_user(cli.add_subcommand("register",
                                   "Register a user, for example with a number: register romeo@example.org "
                                   "phone=+14155550100 -t sms.example.org (stop the gateway first)"));
  registered->add_option("answers", answers, "What the registration form asks for, as name=value");
  registered->add_option("-t,--transport", transport, "The transport's domain")->required();
  registered->add_option("--alias", alias, "Names a further account of the user: its address is ~ALIAS@ the domain");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = cli.exit(e);
    return code == 0 ? 0 : 2;
  }
  if (*run) return wherry::cli::run_gateway(config);
  if (*check) return wherry::cli::check_config(config, connects ? wherry::cli::Connect::yes : wherry::cli::Connect::no);
  if (*example) return wherry::cli::print_example();
  if (*reference) return wherry::cli::print_reference();
  if (*generate) return wherry::cli::generate_key();
  if (*rotate) return wherry::cli::rotate_key(config);
  if (*masked) return wherry::cli::mask(config, personal);
  if (*registered) return wherry::cli::register_user(config, transport, user, alias, answers);
  if (*conformance) {
    const auto options = conformance->remaining();
    child.insert(child.end(), options.begin(), options.end());
    return wherry::cli::try_conformance(described, child);
  }
  if (*exported) return wherry::cli::export_user(config, user);
  if (*erased) return wherry::cli::erase_user(config, user);
  return 2;
}
