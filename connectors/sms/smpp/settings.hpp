// The settings of one SMPP link.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "connectors/sms/smpp/verdict.hpp"
#include "connectors/sms/smpp/wire/protocol.hpp"
#include "connectors/sms/smpp/wire/stream.hpp"
#include "connectors/sms/text/segments.hpp"
#include "gateway/connector/keys.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wherry::sms::smpp {

// What digits without a type of number are (ton 0): numbers with or without their country code, or whatever fits.
enum class UnknownTon { guess, international, national };

struct AddressRules {
  std::string region;                // for national numbers
  bool has_own_region = false;       // the configuration says so; else it follows `numbers`
  std::vector<std::string> numbers;  // ours: what the peer writes is compared with them first
  UnknownTon unknown_ton = UnknownTon::guess;
  std::uint8_t short_code_ton = 0, short_code_npi = 1;
  // How whole numbers are written: their type and plan (SMPP 3.4 §5.2.5, §5.2.6), and whether with a '+'.
  std::uint8_t source_ton = 1, source_npi = 1, destination_ton = 1, destination_npi = 1;
  bool plus = false;
};

// What every submit_sm has besides its text.
struct SubmitSetting {
  std::uint8_t esm_class = 0;            // §5.2.12, the messaging mode
  std::uint8_t data_coding = 0;          // §5.2.19, of the link's alphabet
  std::uint8_t registered_delivery = 1;  // §5.2.17
  std::vector<Tlv> parameters;           // §5.3 and vendors' own
};

struct Setting {
  std::string name;
  Endpoint endpoint;
  Bind bind;
  bool two_binds = false;  // transmitter and receiver, each on its connection, instead of one transceiver
  SplitOptions split;
  AddressRules addresses;
  SubmitSetting submit;
  Verdicts verdicts;  // on statuses that this SMS centre uses in its own way
  ProtocolLimits limits;
  std::size_t window = 10;  // unanswered submit_sm
  double rate = 0;          // segments a second; 0: no limit of ours
  bool delivery_reports = true;
  bool binary_is_text = false;  // read data_coding 2 and 4 as the link's alphabet
  std::string service_type;
  std::chrono::hours validity{0};               // 0: the SMS centre's own
  std::chrono::seconds part_patience{1800};     // for the rest of a long text
  std::chrono::seconds redelivery_window{600};  // in which a text that we may not have answered comes again
  std::chrono::seconds drain{5};                // at the end, for what is unanswered
};

// How numbers are read in the carrier's region; without one, in the country of its first number.
AddressRules address_rules(const CarrierSetting& source);
// From now on these numbers are ours; in the order of the configuration.
void serve(AddressRules& rules, std::vector<std::string> numbers);

// The keys of such a carrier, which the reader and the reference page have.
std::span<const connector::Section> sections();
// Of "carriers", or of a table below it: "carriers.tls".
std::span<const connector::Key> keys_of(std::string_view section);

base::Result<Setting> parse_setting(const CarrierSetting& source);

}  // namespace wherry::sms::smpp
