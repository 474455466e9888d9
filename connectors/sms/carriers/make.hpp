// The kinds of carrier. A new one is one line in make.cpp and its own files.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "connectors/sms/configuration.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::sms {

// What every carrier is made from. `settings`: its table of the configuration, without name and type; errors begin with
// `path`. `region`: the country that national numbers are read in, or empty. `numbers`: ours that it serves, in E.164
// or as short codes. `events` outlives the carrier.
struct CarrierSetting {
  std::string name;
  nlohmann::json settings;
  std::string path;
  std::string region;
  std::vector<std::string> numbers;
};

using MakeCarrier = connector::Result<std::unique_ptr<Carrier>> (*)(CarrierSetting setting,
                                                                    connector::Services services,
                                                                    CarrierEvents& events);

// bad_input for an unknown type, with the types there are.
connector::Result<std::unique_ptr<Carrier>> make_carrier(const std::string& type, CarrierSetting setting,
                                                         connector::Services services, CarrierEvents& events);

}  // namespace wherry::sms
