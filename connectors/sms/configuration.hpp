// What the connector is configured with: its numbers and its carriers.
#pragma once

#include "gateway/connector/settings.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace wherry::sms {

struct NumberConfiguration {
  std::string number;  // "+15550001" or a short code
  std::string carrier;
  std::vector<std::string> users;  // bare JIDs as the gateway writes them, or "@domain" for everybody there
  bool pool = false;               // may be chosen at registration, by one account
};
struct CarrierConfiguration {
  std::string name;
  std::string type;
  nlohmann::json settings;  // the object without name and type
  std::string path;         // "carriers[0]"
};
struct Configuration {
  std::string region;  // ISO 3166-1; empty: only numbers with their country code are understood
  std::vector<NumberConfiguration> numbers;
  std::vector<CarrierConfiguration> carriers;
};

// All mistakes at once, but for those within a carrier, which its kind reads.
base::Result<Configuration> parse_configuration(const nlohmann::json& json);

// The keys of the above.
std::span<const connector::Section> sections();

}  // namespace wherry::sms
