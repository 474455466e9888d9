#include "connectors/sms/carriers/make.hpp"

#include "connectors/sms/carriers/generic_http.hpp"
#include "connectors/sms/carriers/jasmin.hpp"
#include "connectors/sms/carriers/kannel.hpp"
#include "connectors/sms/carriers/signalwire.hpp"
#include "connectors/sms/carriers/smpp.hpp"
#include "connectors/sms/carriers/telnyx.hpp"
#include "connectors/sms/carriers/twilio.hpp"

#include <fmt/format.h>

namespace wherry::sms {

namespace {

struct Kind {
  std::string_view type;
  MakeCarrier make;
};

constexpr Kind carrier_kinds[] = {
    {"smpp", make_smpp},     {"http", make_generic_http},     {"jasmin", make_jasmin},
    {"kannel", make_kannel}, {"signalwire", make_signalwire}, {"telnyx", make_telnyx},
    {"twilio", make_twilio},
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

}  // namespace wherry::sms
