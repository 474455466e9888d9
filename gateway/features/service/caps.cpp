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
    if (transport_.network().capabilities_vary) return {};
    const auto can = account.capabilities(contact);
    for (const auto& [known, hash] : of_contacts_) {
      if (known == can) return hash;
    }
    if (of_contacts_.size() >= most_hashes) of_contacts_.erase(of_contacts_.begin());
    std::string hash = xmpp::caps_hash(transport::describe_contact(transport_, &account, contact, ""));
    of_contacts_.emplace_back(can, hash);
    return hash;
  }

  // By the address: an account's own face has its alias in its name.
  std::string of_face(const xmpp::Element& presence) {
    const std::string address(presence.attribute("from"));
    if (const auto known = of_faces_.find(address); known != of_faces_.end()) return known->second;
    if (of_faces_.size() >= most_hashes) of_faces_.clear();
    return of_faces_[address] = hash_of_face(address);
  }

 private:
  std::string hash_of_face(const std::string& address) const {
    const auto from = xmpp::Jid::vouched(address);
    const auto face =
        from ? convert::read(*from) : base::Result<convert::Address>(base::Error{base::Errc::bad_input, ""});
    if (!face) return {};
    return xmpp::caps_hash(transport::describe_face(transport_, *face, true));
  }

  Transport& transport_;
  std::vector<std::pair<std::optional<connector::Capabilities>, std::string>> of_contacts_;
  std::unordered_map<std::string, std::string> of_faces_;
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
