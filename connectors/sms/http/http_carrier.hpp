// A carrier over an HTTP provider: the engine that all of them share. Texts are written down before their request
// (ledger), sent once (sender, reconciliation, listing), their fates brought home (reports, webhook), and what no
// webhook told is looked for (catch_up). What differs is the Provider's.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

#include <memory>

namespace wherry::sms::http {

// bad_input where another carrier has its webhook_path.
connector::Result<std::unique_ptr<Carrier>> make_http_carrier(std::unique_ptr<Provider> provider,
                                                              connector::Services services, CarrierEvents& events);

}  // namespace wherry::sms::http
