#include "connectors/sms/smpp/keys.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace wherry::sms::smpp {

namespace {

using connector::Key;
using connector::required;
using connector::Section;
using connector::Type;

constexpr Type ton = Type::whole(0, 7), npi = Type::whole(0, 31);  // SMPP 3.4 §5.2.5, §5.2.6, with what vendors add

constexpr Key link_keys[] = {
    {"host", Type::text(), required, "the SMS centre", "127.0.0.1"},
    {"port", Type::whole(1, 65535), "2775", "its port; 3550 with TLS", "2775"},
    {"system_id", Type::text(), required, "our account's name, at most 64 octets", "wherry"},
    {"password", Type::secret(), required, "and its password, at most 64 octets",
     "${CREDENTIALS_DIRECTORY}/smpp-password"},
    {"tls", Type::flag(), "false", "or a table with the keys of the next part"},
    {"local_address", Type::text(), "", "the IP address of this machine that connections come from"},
    {"bind", Type::one_of("transceiver transmitter_receiver"), "transceiver",
     "the second one is two connections that count as one link"},
    {"interface_version", Type::one_of("3.3 3.4 5.0"), "3.4", "what the bind claims; what is spoken is 3.4"},
    {"system_type", Type::text(), "", "of the bind, at most 12 characters"},
    {"address_range", Type::text(), "", "of the bind, at most 40 characters"},
    {"address_ton", ton, "0", "of the bind, beside address_range: type of number"},
    {"address_npi", npi, "0", "and numbering plan"},
    {"service_type", Type::text(), "", "of every segment, at most 5 characters"},
    {"alphabet", Type::one_of("gsm7 gsm7_packed latin1 ascii utf8"), "gsm7",
     "what the SMS centre takes data_coding 0 for. Ask the carrier: a wrong one shows as wrong letters on the phone"},
    {"concatenation", Type::one_of("udh udh16 sar payload"), "udh", "how the segments of a long text are marked"},
    {"most_segments", Type::whole(1, 255), "10", "of one text"},
    {"smart_encoding", Type::flag(), "false",
     "typographic quotes and dashes become plain ones where the text then takes fewer segments"},
    {"binary_is_text", Type::flag(), "false", "read data_coding 2 and 4 as text"},
    {"unknown_ton", Type::one_of("guess international national"), "guess",
     "what digits without a type of number are. Ask the carrier"},
    {"short_code_ton", ton, "0", "how short codes are written: type of number"},
    {"short_code_npi", npi, "1", "and numbering plan"},
    {"source_ton", ton, "1", "how whole numbers of ours are written: type of number"},
    {"source_npi", npi, "1", "and numbering plan"},
    {"destination_ton", ton, "1", "how whole numbers of others are written: type of number"},
    {"destination_npi", npi, "1", "and numbering plan"},
    {"plus", Type::flag(), "false", "whole numbers are written with a +"},
    {"esm_class", Type::whole(0, 255), "0",
     "the messaging mode: 0 the centre's own, 1 datagram, 2 forward, 3 store and forward"},
    {"data_coding", Type::whole(0, 255), "0", "what texts that are not UCS-2 are called, as 3 for latin1, or 240"},
    {"delivery_reports", Type::flag(), "true", "for every segment, folded into one state"},
    {"registered_delivery", Type::whole(1, 31), "1",
     "with delivery_reports: which are asked for (SMPP 3.4 §5.2.17), as 17 with those on the way"},
    {"parameters", Type::tables(), "", "optional parameters of every segment"},
    {"statuses", Type::tables(), "", "what the centre's own statuses mean"},
    {"window", Type::whole(1, 1000), "10", "segments that may be unanswered"},
    {"rate", Type::decimal(0, 10000), "0", "segments a second; 0: until the carrier says \"throttled\""},
    {"validity_hours", Type::whole(0, 24 * 30), "0", "after which the centre gives a text up; 0: its own"},
    {"enquire_link_seconds", Type::whole(0, 3600), "30", "between questions whether the link lives; 0: none"},
    {"enquire_link_limit_seconds", Type::whole(1, 600), "10", "no answer to that for so long: the link is dead"},
    {"response_limit_seconds", Type::whole(1, 600), "60", "no answer to a segment for so long: it is uncertain"},
    {"bind_limit_seconds", Type::whole(1, 600), "30", "no answer to the bind for so long: the link is tried anew"},
    {"part_patience_seconds", Type::whole(1, 86400), "1800",
     "then an unfinished long text is delivered as it is, and says so"},
    {"redelivery_window_seconds", Type::whole(0, 86400), "600",
     "in which a text that we may not have answered comes again"},
};

constexpr Key tls_keys[] = {
    {"ca_file", Type::file(), "", "the authorities that may sign the centre's certificate; otherwise the system's"},
    {"certificate_file", Type::file(), "", "our certificate, where the centre wants one"},
    {"key_file", Type::file(), "", "and its key"},
    {"server_name", Type::text(), "", "the name in the centre's certificate; otherwise host"},
    {"verify", Type::flag(), "true", "whether the centre's certificate is checked"},
};

constexpr Key parameter_keys[] = {
    {"tag", Type::whole(1, 0xFFFF), required, "the parameter's number, like 0x1400"},
    {"text", Type::text(), "", "its value, at most 256 octets; goes as it is, without a NUL"},
    {"hex", Type::text(), "", "or its value in hexadecimal digits"},
};

constexpr Key status_keys[] = {
    {"status", Type::whole(1, 0xFFFFFFFF), required, "the SMS centre's status, like 0x401"},
    {"means", Type::one_of("later throttled refused no_number misconfigured"), "refused", "what it says of the text"},
    {"text", Type::text(), "", "for the sender; otherwise as with the standard status of that meaning"},
};

constexpr Section all_sections[] = {
    {"carriers", "smpp", true, "An SMPP link", link_keys},
    {"carriers.tls", "smpp", false, "TLS to the SMS centre", tls_keys},
    {"carriers.parameters", "smpp", true, "An optional parameter of every segment; it has text or hex", parameter_keys},
    {"carriers.statuses", "smpp", true, "What a status of the centre's own means", status_keys},
};

}  // namespace

std::span<const Section> sections() { return all_sections; }

std::span<const Key> keys_of(std::string_view section) {
  const auto* found = std::find_if(std::begin(all_sections), std::end(all_sections),
                                   [&](const Section& s) { return s.name == section; });
  if (found == std::end(all_sections)) throw std::logic_error("there is no section " + std::string(section));
  return found->keys;
}

}  // namespace wherry::sms::smpp
