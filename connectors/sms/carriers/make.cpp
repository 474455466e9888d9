#include "connectors/sms/carriers/make.hpp"

#include "connectors/sms/carriers/generic_http.hpp"
#include "connectors/sms/carriers/jasmin.hpp"
#include "connectors/sms/carriers/kannel.hpp"
#include "connectors/sms/carriers/signalwire.hpp"
#include "connectors/sms/carriers/smpp.hpp"
#include "connectors/sms/carriers/telnyx.hpp"
#include "connectors/sms/carriers/twilio.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/smpp/settings.hpp"

#include <fmt/format.h>

namespace wherry::sms {

namespace {

struct Kind {
  std::string_view type;
  MakeCarrier make;
  std::span<const connector::Section> (*sections)();
};

constexpr Kind carrier_kinds[] = {
    {"smpp", make_smpp, smpp::sections},
    {"http", make_generic_http, generic_http_sections},
    {"jasmin", make_jasmin, jasmin_sections},
    {"kannel", make_kannel, kannel_sections},
    {"signalwire", make_signalwire, signalwire_sections},
    {"telnyx", make_telnyx, telnyx_sections},
    {"twilio", make_twilio, twilio_sections},
};

}  // namespace

connector::Result<std::unique_ptr<Carrier>> make_carrier(const std::string& type, CarrierSetting setting,
                                                         connector::Services services, CarrierEvents& events) {
  std::string known;
  for (const Kind& kind : carrier_kinds) {
    if (kind.type == type) return kind.make(std::move(setting), services, events);
    known += known.empty() ? "" : ", ";
    known += kind.type;
  }
  return base::Error{base::Errc::bad_input, fmt::format("{}.type: must be one of {}", setting.path, known)};
}

std::vector<connector::Section> carrier_sections() {
  const auto common = http::common_sections();
  std::vector<connector::Section> all;
  for (const Kind& kind : carrier_kinds) {
    if (kind.type == "http") all.insert(all.end(), common.begin(), common.end());
    const auto own = kind.sections();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

}  // namespace wherry::sms
