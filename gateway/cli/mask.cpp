// wherry mask: what the log writes for an address or a number.
#include "gateway/cli/commands.hpp"

#include "gateway/base/log.hpp"
#include "gateway/cli/exit.hpp"
#include "gateway/config/config.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/open_store.hpp"

#include <algorithm>
#include <iostream>

namespace wherry::cli {

namespace {

// The part that the log masks: of a contact's address its id on the network, of a user's the bare address.
std::string masked_part(const config::Config& config, const std::string& value) {
  const auto jid = xmpp::Jid::parse(value);
  if (!jid || jid->local().empty()) return value;
  const bool is_contact = std::ranges::any_of(config.transports, [&](const config::TransportEntry& entry) {
    return entry.transport.link.domain.domain() == jid->domain();
  });
  if (!is_contact) return jid->bare().str();
  const auto address = convert::read(*jid);
  return address && !address->id.empty() ? address->id : jid->bare().str();
}

}  // namespace

int mask(const std::filesystem::path& file, const std::vector<std::string>& values) {
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  if (!has_key(config->store)) {
    return complain(
        {base::Errc::bad_input, "store.key_file: " + config->store.key_file.string() +
                                    " is not there yet: the first start makes it. Nothing is masked so far."});
  }
  const auto sealer = read_sealer(config->store);
  if (!sealer) return complain(config::locate(*config, sealer.error()));
  log::set_mask_key(sealer->derive("log"));
  for (const std::string& value : values) std::cout << log::masked(masked_part(*config, value)) << " " << value << "\n";
  return exit_ok;
}

}  // namespace wherry::cli
