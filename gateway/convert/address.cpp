#include "gateway/convert/address.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/escape.hpp"

namespace wherry::convert {

base::Result<xmpp::Jid> to_jid(const base::ContactId& contact, const xmpp::Jid& domain) {
  if (contact.value.empty()) return base::Error{base::Errc::not_found, "A contact needs a name."};  // else it would be the gateway
  return xmpp::Jid::make(xmpp::escape_local(contact.value), domain.domain());
}

std::string typed_by(const xmpp::Jid& address) { return xmpp::unescape_local(address.local()); }

std::string tidy(std::string_view typed) {
  typed = base::trim(typed);
  for (const std::string_view scheme : {"xmpp:", "sms:", "tel:"}) {
    if (base::to_lower_ascii(typed.substr(0, scheme.size())) == scheme) {
      typed.remove_prefix(scheme.size());
      break;
    }
  }
  return std::string(base::trim(typed));
}

}  // namespace wherry::convert
