// XEP-0115 (v1.6.0): the hash of what a contact, or the gateway, can do, in its presence. The answer to the question
// that it leads to is disco's.
#include "gateway/features/features.hpp"

#include "gateway/transport/described.hpp"
#include "gateway/xmpp/caps.hpp"

#include <memory>

namespace wherry::features {

namespace {

constexpr std::size_t most_hashes = 64;

// Few things differ from contact to contact, so a storm of presences costs no storm of hashes.
class Hashes {
 public:
  explicit Hashes(Transport& transport) : transport_(transport) {}

  std::string of_contact(const LiveAccount& account, const base::ContactId& contact) {
    const auto can = account.capabilities(contact);
    for (const auto& [known, hash] : of_contacts_) {
      if (known == can) return hash;
    }
    if (of_contacts_.size() >= most_hashes) of_contacts_.erase(of_contacts_.begin());
    std::string hash = xmpp::caps_hash(transport::describe_contact(transport_, &account, contact, ""));
    of_contacts_.emplace_back(can, hash);
    return hash;
  }

  std::string of_face(const xmpp::Element& presence) {
    const auto from = xmpp::Jid::vouched(std::string(presence.attribute("from")));
    const auto face =
        from ? convert::read(*from) : base::Result<convert::Address>(base::Error{base::Errc::bad_input, ""});
    if (!face) return {};
    return xmpp::caps_hash(transport::describe_face(transport_, *face, true));
  }

 private:
  Transport& transport_;
  std::vector<std::pair<std::optional<connector::Capabilities>, std::string>> of_contacts_;
};

}  // namespace

void install_caps(Transport& transport) {
  const auto hashes = std::make_shared<Hashes>(transport);
  transport.decorate_presence([hashes](const LiveAccount& account, const accounts::LiveContact* contact,
                                       xmpp::Element& presence) {
    const std::string hash = contact ? hashes->of_contact(account, contact->row.contact) : hashes->of_face(presence);
    if (!hash.empty()) xmpp::add_caps(presence, hash);
  });
}

}  // namespace wherry::features
