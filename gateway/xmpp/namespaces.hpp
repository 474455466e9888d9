// One constant per namespace, with its specification.
#pragma once

namespace wherry::xmpp::ns {

inline constexpr const char* component = "jabber:component:accept";                  // XEP-0114
inline constexpr const char* streams = "http://etherx.jabber.org/streams";           // RFC 6120 §4.8
inline constexpr const char* stream_errors = "urn:ietf:params:xml:ns:xmpp-streams";  // RFC 6120 §4.9
inline constexpr const char* stanza_errors = "urn:ietf:params:xml:ns:xmpp-stanzas";  // RFC 6120 §8.3
inline constexpr const char* roster = "jabber:iq:roster";                            // RFC 6121 §2
inline constexpr const char* client = "jabber:client";                               // RFC 6121
inline constexpr const char* data_forms = "jabber:x:data";                           // XEP-0004
inline constexpr const char* disco_info = "http://jabber.org/protocol/disco#info";   // XEP-0030
inline constexpr const char* disco_items = "http://jabber.org/protocol/disco#items";
inline constexpr const char* registration = "jabber:iq:register";                    // XEP-0077
inline constexpr const char* commands = "http://jabber.org/protocol/commands";       // XEP-0050
inline constexpr const char* version = "jabber:iq:version";                          // XEP-0092
inline constexpr const char* gateway = "jabber:iq:gateway";                          // XEP-0100
inline constexpr const char* rosterx = "http://jabber.org/protocol/rosterx";         // XEP-0144
inline constexpr const char* escaping = "jid\\20escaping";                           // XEP-0106
inline constexpr const char* nick = "http://jabber.org/protocol/nick";               // XEP-0172
inline constexpr const char* receipts = "urn:xmpp:receipts";                         // XEP-0184
inline constexpr const char* ping = "urn:xmpp:ping";                                 // XEP-0199
inline constexpr const char* delay = "urn:xmpp:delay";                               // XEP-0203
inline constexpr const char* privilege = "urn:xmpp:privilege:2";                     // XEP-0356
inline constexpr const char* stanza_id = "urn:xmpp:sid:0";                           // XEP-0359
inline constexpr const char* media = "urn:xmpp:media-element";                       // XEP-0221
inline constexpr const char* reply = "urn:xmpp:reply:0";                             // XEP-0461
inline constexpr const char* fallback = "urn:xmpp:fallback:0";                       // XEP-0428
inline constexpr const char* chat_states = "http://jabber.org/protocol/chatstates";  // XEP-0085
inline constexpr const char* correction = "urn:xmpp:message-correct:0";              // XEP-0308
inline constexpr const char* retraction = "urn:xmpp:message-retract:1";              // XEP-0424
inline constexpr const char* reactions = "urn:xmpp:reactions:0";                     // XEP-0444
inline constexpr const char* hints = "urn:xmpp:hints";                               // XEP-0334
inline constexpr const char* chat_markers = "urn:xmpp:chat-markers:0";               // XEP-0333
inline constexpr const char* oob = "jabber:x:oob";                                   // XEP-0066
inline constexpr const char* file_sharing = "urn:xmpp:sfs:0";                        // XEP-0447
inline constexpr const char* file_metadata = "urn:xmpp:file:metadata:0";             // XEP-0446
inline constexpr const char* url_data = "http://jabber.org/protocol/url-data";       // XEP-0103
inline constexpr const char* hashes = "urn:xmpp:hashes:2";                           // XEP-0300
inline constexpr const char* quick_response = "urn:xmpp:tmp:quick-response";         // XEP-0439
inline constexpr const char* geoloc = "http://jabber.org/protocol/geoloc";           // XEP-0080
inline constexpr const char* vcard_temp = "vcard-temp";                              // XEP-0054
inline constexpr const char* vcard4 = "urn:ietf:params:xml:ns:vcard-4.0";            // XEP-0292, RFC 6351
inline constexpr const char* vcard_update = "vcard-temp:x:update";                   // XEP-0153
inline constexpr const char* pubsub = "http://jabber.org/protocol/pubsub";           // XEP-0060
inline constexpr const char* avatar_data = "urn:xmpp:avatar:data";                   // XEP-0084
inline constexpr const char* avatar_metadata = "urn:xmpp:avatar:metadata";
inline constexpr const char* caps = "http://jabber.org/protocol/caps";  // XEP-0115
inline constexpr const char* search = "jabber:iq:search";               // XEP-0055
inline constexpr const char* idle = "urn:xmpp:idle:1";                  // XEP-0319

}  // namespace wherry::xmpp::ns
