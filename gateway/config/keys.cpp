#include "gateway/config/keys.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace wherry::config {

namespace {

using connector::Key;
using connector::required;
using connector::Section;
using connector::Type;

constexpr Key top_keys[] = {
    {"connectors_folder", Type::text(), "", "where the connectors are; otherwise where they were installed, or built"},
    {"migrations_folder", Type::text(), "", "where the store's migrations are; otherwise as above"},
    {"store", Type::table(), "", "where everything is kept"},
    {"http", Type::table(), "", "for webhooks; behind a reverse proxy that does TLS"},
    {"files", Type::table(), "", "files that networks bring, for people to open"},
    {"service", Type::table(), "", "what users' programs are told of who runs this"},
    {"log", Type::table(), "", "what is logged, on standard error"},
    {"transport", Type::tables(), required, "one network under one domain; there may be several"},
};

constexpr Key store_keys[] = {
    {"url", Type::text(), "sqlite:wherry.db", "a file, or \"postgresql://wherry@localhost/wherry\"",
     "sqlite:/var/lib/wherry/wherry.db"},
    {"key_file", Type::file(), "",
     "holds the key that seals credentials; beside a SQLite file it is made at the first start, for PostgreSQL make "
     "one "
     "with `wherry generate-key`",
     "/var/lib/wherry/key"},
    {"reports_days", Type::whole(1, 365), "14", "so long the network may report on a message that was sent", "14"},
    {"repeats_days", Type::whole(1, 365), "7", "so long what the network brings a second time is known for it", "7"},
    {"undelivered_days", Type::whole(1, 3650), "30", "so long a message waits for a user who does not come", "30"},
};

constexpr Key http_keys[] = {
    {"listen", Type::text(), "127.0.0.1:0", "an IP address and a port; 0 is any that is free", "127.0.0.1:8080"},
    {"public_url", Type::text(), "", "the address under which this is reached from outside; webhooks need it",
     "https://sms.example.org"},
};

constexpr Key files_keys[] = {
    {"folder", Type::text(), "",
     "where they are kept; otherwise the folder \"files\" beside a SQLite store, and for PostgreSQL none are",
     "/var/lib/wherry/files"},
    {"most_megabytes", Type::whole(1, 2000), "20", "of one file", "20"},
    {"megabytes_per_account", Type::whole(1, 1'000'000), "500", "then its oldest files give way", "500"},
    {"days", Type::whole(1, 3650), "30", "so long a file is kept", "30"},
};

constexpr Key service_keys[] = {
    {"contacts", Type::texts(), "", "addresses at which you are reached, as URIs", "[\"xmpp:you@example.org\"]"},
    {"terms", Type::text(), "", "where your terms can be read", "https://example.org/terms"},
};

constexpr Key log_keys[] = {
    {"level", Type::one_of("debug info warn error"), "info", "what is less than this is left out", "info"},
    {"format", Type::one_of("text json"), "text", "how a line is written", "text"},
};

constexpr Key transport_keys[] = {
    {"domain", Type::text(), required, "the component's domain, like sms.example.org", "sms.example.org"},
    {"name", Type::text(), "", "shown to people; otherwise the network's own", "Text messages"},
    {"connector", Type::text(), "", "the network's, by name; or child", "{connector}"},
    {"child", Type::texts(), "",
     "the command of a connector that is a program, like [\"python3\", \"/path/to/it.py\"]; a file's path may be "
     "relative "
     "to this file's folder"},
    {"policy", Type::one_of("always_on follow_presence"), "always_on",
     "when a user's session is up: always, or while the user is there", "always_on"},
    {"give_up_after_seconds", Type::whole(1, 30 * 24 * 3600), "86400",
     "then the sender of a message that could not be sent is told", "86400"},
    {"most_waiting_per_user", Type::whole(1, 1'000'000), "5000", "messages of one user that are not sent yet", "5000"},
    {"server", Type::table(), "", "the XMPP server"},
    {"register", Type::table(), "", "who may register"},
    {"configuration", Type::table(), "", "the connector's own part"},
};

constexpr Key server_keys[] = {
    {"host", Type::text(), "127.0.0.1", "where the server listens for components", "127.0.0.1"},
    {"port", Type::whole(1, 65535), "5347", "the server's component port", "5347"},
    {"domain", Type::text(), "", "the server's own; otherwise the component's without its first label", "example.org"},
    {"secret", Type::secret(), required, "the component's secret, as in the server's configuration",
     "${CREDENTIALS_DIRECTORY}/component-secret"},
    {"idle_seconds", Type::whole(1, 3600), "30", "nothing received for so long: ask whether the link lives", "30"},
    {"ping_seconds", Type::whole(1, 600), "20", "no answer for so long: it is dead", "20"},
};

constexpr Key register_keys[] = {
    {"domains", Type::texts(), "", "every user of these; otherwise of server.domain", "[\"example.org\"]"},
    {"jids", Type::texts(), "", "and these users", "[\"friend@elsewhere.example\"]"},
};

constexpr Section all_sections[] = {
    {"", {}, false, "Of the whole gateway", top_keys},
    {"store", {}, false, "Where everything is kept", store_keys},
    {"http", {}, false, "For webhooks; behind a reverse proxy that does TLS", http_keys},
    {"files", {}, false, "Files that networks bring, for people to open; they need http.public_url", files_keys},
    {"service", {}, false, "What users' programs are told of who runs this", service_keys},
    {"log", {}, false, "What is logged, on standard error", log_keys},
    {"transport", {}, true, "One network under one domain; there may be several", transport_keys},
    {"transport.server", {}, false, "The XMPP server", server_keys},
    {"transport.register", {}, false, "Who may register", register_keys},
};

constexpr Variable all_variables[] = {
    {"WHERRY_CONNECTORS", "in place of connectors_folder"},
    {"WHERRY_MIGRATIONS", "in place of migrations_folder"},
    {"WHERRY_KEY", "the key itself, in place of store.key_file"},
    {"CREDENTIALS_DIRECTORY",
     "set by systemd: where its credentials are. One named wherry-key is taken in place of store.key_file; others are "
     "named as \"${CREDENTIALS_DIRECTORY}/component-secret\""},
};

}  // namespace

std::span<const Section> sections() { return all_sections; }

std::span<const Key> keys_of(std::string_view section) {
  const auto* found = std::find_if(std::begin(all_sections), std::end(all_sections),
                                   [&](const Section& s) { return s.name == section; });
  if (found == std::end(all_sections)) throw std::logic_error("there is no section " + std::string(section));
  return found->keys;
}

std::span<const Variable> variables() { return all_variables; }

}  // namespace wherry::config
