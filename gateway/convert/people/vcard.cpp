#include "gateway/convert/people/vcard.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/namespaces.hpp"

namespace wherry::convert {

namespace ns = xmpp::ns;
using xmpp::Element;

namespace {

constexpr std::size_t most_detail_bytes = 4000;

std::string_view detail(const Card& card, const char* name) {
  const auto found = card.profile.details.find(name);
  return found == card.profile.details.end() ? std::string_view() : base::utf8_prefix(found->second, most_detail_bytes);
}

std::string_view nick_of(const Card& card) {
  const std::string_view nick = detail(card, "nick");
  return nick.empty() ? std::string_view(card.profile.name) : nick;
}

void add_text(Element& parent, const char* name, std::string_view text) {
  if (!text.empty()) parent.add_text_child(name, text);
}

// <name><type>text</type></name>, as RFC 6351 writes a property.
void add_property(Element& card, const char* name, const char* type, std::string_view text) {
  if (!text.empty()) card.add(name, ns::vcard4).add_text_child(type, text);
}

}  // namespace

Element to_vcard_temp(const Card& card) {
  Element vcard("vCard", ns::vcard_temp);
  add_text(vcard, "FN", card.name);
  Element name("N", ns::vcard_temp);
  add_text(name, "FAMILY", detail(card, "last_name"));
  add_text(name, "GIVEN", detail(card, "first_name"));
  if (!name.children().empty()) vcard.add(std::move(name));
  add_text(vcard, "NICKNAME", nick_of(card));
  if (!card.photo.empty()) {
    Element& photo = vcard.add("PHOTO", ns::vcard_temp);
    photo.add_text_child("TYPE", card.photo_type);
    photo.add_text_child("BINVAL", base::to_base64(card.photo));
  }
  add_text(vcard, "BDAY", detail(card, "birthday"));
  Element address("ADR", ns::vcard_temp);
  add_text(address, "LOCALITY", detail(card, "city"));
  add_text(address, "CTRY", detail(card, "country"));
  if (!address.children().empty()) vcard.add(std::move(address));
  if (const auto phone = detail(card, "phone"); !phone.empty())
    vcard.add("TEL", ns::vcard_temp).add_text_child("NUMBER", phone);
  if (const auto email = detail(card, "email"); !email.empty()) {
    Element& entry = vcard.add("EMAIL", ns::vcard_temp);
    entry.add("INTERNET", ns::vcard_temp);
    entry.add_text_child("USERID", email);
  }
  if (const auto organisation = detail(card, "organisation"); !organisation.empty())
    vcard.add("ORG", ns::vcard_temp).add_text_child("ORGNAME", organisation);
  add_text(vcard, "URL", detail(card, "homepage"));
  add_text(vcard, "DESC", detail(card, "about"));
  return vcard;
}

Element to_vcard4(const Card& card) {
  Element vcard("vcard", ns::vcard4);
  add_property(vcard, "fn", "text", card.name);
  Element name("n", ns::vcard4);
  add_text(name, "surname", detail(card, "last_name"));
  add_text(name, "given", detail(card, "first_name"));
  if (!name.children().empty()) vcard.add(std::move(name));
  add_property(vcard, "nickname", "text", nick_of(card));
  if (!card.photo.empty())
    add_property(vcard, "photo", "uri",
                 std::string("data:").append(card.photo_type).append(";base64,") + base::to_base64(card.photo));
  add_property(vcard, "bday", "date", detail(card, "birthday"));
  Element address("adr", ns::vcard4);
  add_text(address, "locality", detail(card, "city"));
  add_text(address, "country", detail(card, "country"));
  if (!address.children().empty()) vcard.add(std::move(address));
  add_property(vcard, "tel", "text", detail(card, "phone"));
  add_property(vcard, "email", "text", detail(card, "email"));
  add_property(vcard, "org", "text", detail(card, "organisation"));
  add_property(vcard, "url", "uri", detail(card, "homepage"));
  add_property(vcard, "note", "text", detail(card, "about"));
  return vcard;
}

}  // namespace wherry::convert
