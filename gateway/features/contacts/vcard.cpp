// Who somebody is: vcard-temp (XEP-0054 v1.3.0), vCard 4 (XEP-0292 v0.12.0) and their picture (XEP-0153 v1.1.1,
// XEP-0084 v1.1.4). Asked of the network when a user asks; the picture's hash travels in presence.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/people/vcard.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/transport/described.hpp"
#include "gateway/transport/for_contact.hpp"

namespace wherry::features {

namespace {

constexpr const char* vcard4_node = "urn:xmpp:vcard4";
using SharedPicture = std::shared_ptr<const accounts::Picture>;

void send_payload(Transport& transport, const xmpp::Stanza& iq, xmpp::Element payload) {
  xmpp::Element result = xmpp::result_of(iq);
  result.add(std::move(payload));
  transport.send(result);
}

// The one item of a node (XEP-0060 §6.5.2).
xmpp::Element item_of(std::string_view node, std::string_view id, xmpp::Element payload) {
  xmpp::Element pubsub("pubsub", ns::pubsub);
  xmpp::Element& items = pubsub.add("items", ns::pubsub);
  items.set("node", node);
  xmpp::Element& item = items.add("item", ns::pubsub);
  item.set("id", id);
  item.add(std::move(payload));
  return pubsub;
}

// XEP-0084 §4.2.
xmpp::Element metadata_of(const accounts::Picture& picture) {
  xmpp::Element metadata("metadata", ns::avatar_metadata);
  xmpp::Element& info = metadata.add("info", ns::avatar_metadata);
  info.set("bytes", std::to_string(picture.octets.size())).set("id", picture.sha1).set("type", picture.media_type);
  return metadata;
}

xmpp::Element data_of(const accounts::Picture& picture) {
  xmpp::Element data("data", ns::avatar_data);
  data.set_text(base::to_base64(picture.octets));
  return data;
}

// Who asks what of whom, across the waits.
struct AboutContact {
  Transport& transport;
  xmpp::Stanza iq;
  base::AccountId account;
  base::ContactId contact;
};

// Whether presence says so: a card without it would take it away.
bool has_picture(Transport& transport, const AboutContact& question) {
  const LiveAccount* account = transport.accounts().find(question.account);
  const auto known = account ? account->contacts.find(question.contact) : decltype(account->contacts.end()){};
  return account && known != account->contacts.end() && !known->second.row.photo.empty();
}

base::Error picture_is_away() {
  return {base::Errc::unavailable, "The picture cannot be had from the network just now; please try again later."};
}

// What the network does not tell is left out: that somebody is there is known without it.
asio::awaitable<void> answer_card(AboutContact question, xmpp::Element (*write)(const convert::Card&),
                                  const char* node) {
  Transport& transport = question.transport;
  auto profile = co_await transport.people().profile(question.account, question.contact);
  if (!profile && profile.error().code != base::Errc::unsupported)
    co_return transport.reply_error(question.iq, profile.error());
  const SharedPicture picture = co_await transport.people().picture(question.account, question.contact);
  if (!picture && has_picture(transport, question)) co_return transport.reply_error(question.iq, picture_is_away());
  co_await transport.room_on_the_link();
  convert::Card card;
  if (profile) card.profile = std::move(*profile);
  const LiveAccount* account = transport.accounts().find(question.account);
  card.name = account ? account->name_of(question.contact) : question.contact.value;
  if (card.name == question.contact.value && !card.profile.name.empty()) card.name = card.profile.name;
  if (picture) card.photo_type = picture->media_type;
  if (picture) card.photo = picture->octets;
  xmpp::Element written = write(card);
  send_payload(transport, question.iq, node ? item_of(node, "current", std::move(written)) : std::move(written));
}

// `id`: of the item that is asked for; empty: any.
asio::awaitable<void> answer_picture(AboutContact question, std::string id, const char* node,
                                     xmpp::Element (*write)(const accounts::Picture&)) {
  const SharedPicture picture = co_await question.transport.people().picture(question.account, question.contact);
  if (!picture || (!id.empty() && id != picture->sha1))
    co_return question.transport.reply_error(question.iq, convert::no_such_node());
  co_await question.transport.room_on_the_link();
  send_payload(question.transport, question.iq, item_of(node, picture->sha1, write(*picture)));
}

asio::awaitable<void> while_held(asio::awaitable<void> work, std::shared_ptr<accounts::Quota::Place>) {
  co_await std::move(work);
}

// As for_contact, of a registered user who has room for one more question; `ask` begins the work.
void ask_about(Transport& transport, xmpp::Stanza iq, const Party& party,
               std::function<asio::awaitable<void>(AboutContact)> ask) {
  if (!party.account) return transport.reply_error(iq, convert::not_registered(transport.face_of(party.to.alias)));
  auto place = transport.people().place_for(iq.from);
  if (!place) return transport.reply_error(iq, convert::too_many_questions());
  const auto held = std::make_shared<accounts::Quota::Place>(std::move(*place));
  transport::for_contact(transport, std::move(iq), party,
                         [&transport, alias = party.to.alias, ask = std::move(ask), held](
                             const xmpp::Stanza& asked, const LiveAccount* account, const base::ContactId& contact) {
                           if (!account)
                             return transport.reply_error(asked, convert::not_registered(transport.face_of(alias)));
                           AboutContact question{transport, asked, account->id(), contact};
                           transport.answer_later("vcard", asked, while_held(ask(std::move(question)), held));
                         });
}

void contact_items(Transport& transport, xmpp::Stanza iq, const Party& party) {
  const xmpp::Element* items = iq.payload()->child("items", ns::pubsub);
  const std::string node(items ? items->attribute("node") : "");
  const xmpp::Element* item = items ? items->child("item", ns::pubsub) : nullptr;
  const std::string id(item ? item->attribute("id") : "");
  if (node == vcard4_node)
    return ask_about(transport, std::move(iq), party, [](AboutContact question) {
      return answer_card(std::move(question), convert::to_vcard4, vcard4_node);
    });
  if (node == ns::avatar_metadata)
    return ask_about(transport, std::move(iq), party, [id](AboutContact question) {
      return answer_picture(std::move(question), id, ns::avatar_metadata, metadata_of);
    });
  if (node == ns::avatar_data)
    return ask_about(transport, std::move(iq), party, [id](AboutContact question) {
      return answer_picture(std::move(question), id, ns::avatar_data, data_of);
    });
  transport.reply_error(iq, convert::no_such_node());
}

// The gateway's own.
void face_card(Transport& transport, const xmpp::Stanza& iq, const Party& party,
               xmpp::Element (*write)(const convert::Card&)) {
  convert::Card card;
  card.name = transport::name_of(transport, party.to.alias);
  card.profile.details["about"] = "The gateway to " + transport.name() + ". Write “help” to it.";
  send_payload(transport, iq, write(card));
}

// XEP-0153 §4: who has no picture that is known says so by an empty element.
void add_hash(const LiveAccount&, const accounts::LiveContact* contact, xmpp::Element& presence) {
  if (!contact) return;
  xmpp::Element& update = presence.add("x", ns::vcard_update);
  if (!contact->row.photo.empty() || contact->row.avatar.empty()) update.add_text_child("photo", contact->row.photo);
}

}  // namespace

void install_vcard(Transport& transport) {
  auto& router = transport.router();
  const std::pair<const char*, xmpp::Element (*)(const convert::Card&)> kinds[] = {
      {ns::vcard_temp, convert::to_vcard_temp}, {ns::vcard4, convert::to_vcard4}};
  for (const auto& [kind, write] : kinds) {
    for (const AddressForm face : faces)
      router.on_iq(face, Request::get, kind, [&transport, write](const xmpp::Stanza& iq, const Party& party) {
        face_card(transport, iq, party, write);
      });
    router.on_iq(AddressForm::contact, Request::get, kind, [&transport, write](xmpp::Stanza iq, const Party& party) {
      ask_about(transport, std::move(iq), party,
                [write](AboutContact question) { return answer_card(std::move(question), write, nullptr); });
    });
  }
  router.on_iq(AddressForm::contact, Request::get, ns::pubsub,
               [&transport](xmpp::Stanza iq, const Party& party) { contact_items(transport, std::move(iq), party); });
  transport.decorate_presence(add_hash);
}

}  // namespace wherry::features
