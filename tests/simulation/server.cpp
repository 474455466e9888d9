#include "tests/simulation/server.hpp"

#include "gateway/base/within.hpp"
#include "tests/simulation/addresses.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace wherry::simulation {

namespace ns = xmpp::ns;
using xmpp::Element;

namespace {

// Of the owner of an account.
std::string bare(const std::string& user) { return owner_of(user) + "@" + server_domain; }
std::string full(const std::string& user) { return bare(user) + "/phone"; }

// What stands before the domain: "c1~work" is contact "c1" of the account "work".
std::string local_of(const std::string& address) {
  const auto at = address.find('@');
  return at == std::string::npos ? "" : address.substr(0, at);
}

// What the gateway says of a message to whom its error may not have reached (XEP-0461).
constexpr std::string_view failure_note = "A message that you sent here on ";
constexpr std::string_view waiting_note = "Your message waits here: ";
// What it says of a message that is not known.
constexpr std::string_view retracted_note = "(An older message was taken back.)";

}  // namespace

asio::awaitable<asio::ip::tcp::socket> Server::dial(asio::any_io_executor executor) {
  const auto delay = recorder_.draw.wait(20'000, "dials", static_cast<std::uint64_t>(links_));
  if (delay > 0) co_await base::sleep(std::chrono::microseconds(delay));
  if (now() < refuses_until_ && !recorder_.is_healed())
    throw boost::system::system_error(asio::error::connection_refused);
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socketpair");
  if (link_) link_->cut();
  Link::Events events;
  events.opened = [this] { opened(); };
  events.received = [this](const Element& element) { received(element); };
  events.closed = [this](bool farewell) { closed(farewell); };
  link_ = std::make_shared<Link>(loop_, ends[0], ++links_, recorder_, std::move(events));
  link_->start();
  component_end_ = ends[1];
  asio::ip::tcp::socket socket(executor);
  socket.assign(asio::ip::tcp::v4(), ends[1]);
  co_return socket;
}

void Server::opened() { recorder_.add(What::link_up, name(), "", "", "", "", link_->number()); }

void Server::closed(bool farewell) {
  recorder_.add(What::link_cut, name(), "", "", farewell ? "farewell" : "", "", link_->number());
}

void Server::cut() {
  if (link_) link_->cut();
}
void Server::stall(Microseconds until) {
  if (link_) link_->stall_until(until);
}
void Server::process_died() {
  // As the kernel does it: what was written is still there to be read.
  if (link_ && component_end_ >= 0) ::shutdown(component_end_, SHUT_RDWR);
  component_end_ = -1;
}

void Server::send(Element element) {
  if (link_ && link_->is_open()) link_->send(element.to_xml(ns::component));
}

std::string Server::jid_of(const std::string& user, const std::string& contact) const {
  return address_of(recorder_.plan, contact) + mark_of(user) + "@" + domain();
}

// ---- What users do ----

std::string Server::login_of(const Step& step) const {
  const Plan& plan = recorder_.plan;
  const std::string user = account_name(step);
  if (plan.oscar)
    return fmt::format("<username>{}</username><password>{}</password>", address_of(plan, user),
                       recorder_.password_of(user));
  if (plan.is_over_sms()) return "<phone>" + user_number(step.user) + "</phone>";
  return "<nick>" + user + "</nick>";
}

void Server::act(const Step& step) {
  const std::string user = account_name(step), contact = contact_name(step.contact);
  const std::string contact_jid = jid_of(user, contact);
  switch (step.act) {
    case Act::register_user: {
      return ask(step, "set", "<query xmlns='jabber:iq:register'>" + login_of(step) + "</query>");
    }
    case Act::unregister_user:
      recorder_.add(What::unregistering, name(), user, "", fmt::format("i{}-{}-{}", asked_ + 1, user, name()));
      return ask(step, "set", "<query xmlns='jabber:iq:register'><remove/></query>");
    case Act::ask: {
      constexpr std::array<std::pair<bool, const char*>, 6> questions{
          {{false, "<query xmlns='jabber:iq:version'/>"},
           {false, "<query xmlns='jabber:iq:gateway'><prompt>somebody</prompt></query>"},
           {false, "<query xmlns='jabber:iq:search'><nick>somebody</nick></query>"},
           {true, "<vCard xmlns='vcard-temp'/>"},
           {true, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub>"},
           {true, "<query xmlns='http://jabber.org/protocol/disco#info'/>"}}};
      const auto last = static_cast<std::int64_t>(questions.size()) - 1;
      const auto drawn = recorder_.draw.between(0, last, "asks", static_cast<std::uint64_t>(step.at));
      const auto [is_of_contact, payload] = questions[static_cast<std::size_t>(drawn)];
      const bool is_set = std::string_view(payload).find("prompt") != std::string_view::npos ||
                          std::string_view(payload).find("search") != std::string_view::npos;
      return ask(step, is_set ? "set" : "get", payload, is_of_contact ? contact_jid : "");
    }
    case Act::talk: {
      constexpr std::array lines = {"register", "register", "help", "status", "accounts", "preferences", "cancel"};
      const auto last = static_cast<std::int64_t>(lines.size()) - 1;
      const auto drawn = recorder_.draw.between(0, last, "line", static_cast<std::uint64_t>(step.number));
      return talk(user, lines[static_cast<std::size_t>(drawn)]);
    }
    case Act::come_online: online_.insert(owner_of(user)); return show_presence(step, "");
    case Act::go_offline: online_.erase(owner_of(user)); return show_presence(step, "unavailable");
    case Act::send: return send_message(step, write(step));
    case Act::correct:
    case Act::retract:
    case Act::react: {
      const Written said = refer(step);
      send_message(step, said);
      if (recorder_.draw.happens(150, "says_it_twice", static_cast<std::uint64_t>(step.number)))
        send_message(step, said);
      return;
    }
    case Act::send_again: {
      const auto found = newest_.find(user + ">" + contact);
      if (found == newest_.end()) return;
      return send_message(step, Written(found->second));
    }
    case Act::subscribe: return send_presence(bare(user), contact_jid, "subscribe");
    case Act::unsubscribe: return send_presence(bare(user), contact_jid, "unsubscribe");
    case Act::answer_contact: return send_presence(bare(user), contact_jid, "subscribed");
    default: throw std::logic_error("no act of a user");
  }
}

Server::Written Server::write(const Step& step) const {
  const std::string user = account_name(step), contact = jid_of(user, contact_name(step.contact));
  Written written{stanza_of(step), sent_text(step), "", Element("message", ns::component)};
  written.stanza.set("from", full(user)).set("to", contact).set("type", "chat").set("id", written.id);
  written.stanza.add("origin-id", ns::stanza_id).set("id", written.id);
  if (step.act != Act::send && step.act != Act::correct) return written;
  // What one user writes to another comes as it is sent, so in one piece.
  const std::string body = is_user(step.contact) ? written.text : body_of(recorder_.plan, written.text);
  written.stanza.add_text_child("body", body);
  written.stanza.add("request", ns::receipts);
  return written;
}

Server::Written Server::refer(const Step& step) {
  Written written = write(step);
  written.about = named_by(step);
  if (step.act == Act::correct) {
    written.stanza.add("replace", ns::correction).set("id", written.about);
  } else if (step.act == Act::retract) {
    written.stanza.add("retract", ns::retraction).set("id", written.about);
  } else {
    Element& reactions = written.stanza.add("reactions", ns::reactions).set("id", written.about);
    reactions.add_text_child("reaction", written.text);
  }
  return written;
}

// Mostly a message of that chat, and mostly the newest; sometimes what is not known there.
std::string Server::named_by(const Step& step) const {
  const Draw& draw = recorder_.draw;
  const auto number = static_cast<std::uint64_t>(step.number);
  const std::string user = account_name(step);
  const bool is_astray = draw.happens(150, "names_astray", number);
  if (is_astray && draw.happens(300, "names_nobodys", number)) return fmt::format("s0-{}-{}", user, name());
  const bool is_theirs = step.act == Act::react && draw.happens(500, "names_theirs", number);
  std::vector<std::string> ids;
  for (const auto& [owner, messages] : is_theirs ? received_ : own_) {
    for (const Message& message : messages) {
      const bool is_here = owner == user && message.contact == contact_name(step.contact);
      if (is_here != is_astray) ids.push_back(message.id);
    }
  }
  if (ids.empty()) return fmt::format("s0-{}-{}", user, name());
  const bool is_newest = draw.happens(400, "names_newest", number);
  const auto last = static_cast<std::int64_t>(ids.size()) - 1;
  return ids[static_cast<std::size_t>(is_newest ? last : draw.between(0, last, "names", number))];
}

void Server::send_message(const Step& step, Written written) {
  const std::string user = account_name(step), contact = contact_name(step.contact);
  newest_.insert_or_assign(user + ">" + contact, written);
  if (!link_ || !link_->is_open())
    return recorder_.add(What::not_sent, name(), user, contact, written.id, written.text);
  if (written.about.empty()) own_[user].push_back({contact, written.id});
  recorder_.add(Record{0, What::sent, name(), user, contact, written.id, written.text, link_->number(), written.about});
  send(std::move(written.stanza));
}

// To every account's face, as a server does it that has them all in the roster.
void Server::show_presence(const Step& step, const std::string& type) {
  for (int account = 0; account < accounts_of(recorder_.plan, step.user); ++account) {
    const std::string user = account_name(step.user, account);
    send_presence(full(user), face_of(user), type);
  }
}

void Server::send_presence(const std::string& from, const std::string& to, const std::string& type) {
  Element presence("presence", ns::component);
  send(std::move(presence.set("from", from).set("to", to).set("type", type)));
}

void Server::ask(const Step& step, const std::string& type, const std::string& payload, const std::string& of) {
  const std::string user = account_name(step);
  const std::string id = fmt::format("i{}-{}-{}", ++asked_, user, name());
  if (!link_ || !link_->is_open()) return recorder_.add(What::not_sent, name(), user, "", id, "iq");
  recorder_.add(What::asked, name(), user, "", id, payload, link_->number());
  if (step.act == Act::register_user) registering_.insert(id);
  link_->send(fmt::format("<iq from='{}' to='{}' type='{}' id='{}'>{}</iq>", full(user),
                          of.empty() ? face_of(user) : of, type, id, payload));
}

void Server::talk(const std::string& user, const std::string& line) {
  const std::string id = fmt::format("y{}-{}-{}", ++asked_, user, name());
  if (!link_ || !link_->is_open()) return recorder_.add(What::not_sent, name(), user, "", id, line);
  recorder_.add(What::asked, name(), user, "", id, "\"" + line + "\"", link_->number());
  lines_[user].push_back(id);
  link_->send(fmt::format("<message from='{}' to='{}' type='chat' id='{}'><body>{}</body></message>", full(user),
                          face_of(user), id, line));
}

// ---- What comes for them ----

// Nothing: it is no question of a login.
std::string Server::answer_to(const std::string& user, const std::string& said) const {
  if (said.find("nick?") != std::string::npos) return user;
  if (!recorder_.plan.oscar) return "";
  if (said.find("Password?") != std::string::npos) return recorder_.password_of(user);
  const bool wants_name = said.find("ICQ number?") != std::string::npos || said.find("name?") != std::string::npos;
  return wants_name ? address_of(recorder_.plan, user) : "";
}

// The question of a login is answered, left open, or answered by the wish to stop.
void Server::hear(const std::string& user, const std::string& said) {
  recorder_.add(What::note, name(), user, "", "", user + " is told: " + said);
  for (const std::string& id : std::exchange(lines_[user], {})) recorder_.add(What::got_answer, name(), user, "", id);
  const std::string login = answer_to(user, said);
  if (login.empty()) return;
  const auto answer = recorder_.draw.between(0, 4, "answers_question", ++asked_);
  if (answer > 1) talk(user, login);
  if (answer == 1) talk(user, "cancel");
}

void Server::received(const Element& element) {
  const std::string to(element.attribute("to"));
  if (to.substr(0, to.find('/')) == server_domain) {  // the gateway's pings, and whatever else it asks the server
    Element answer("iq", ns::component);
    return send(std::move(answer.set("from", to)
                              .set("to", element.attribute("from"))
                              .set("id", element.attribute("id"))
                              .set("type", "result")));
  }
  // The account is the one whose address it comes from.
  const std::string from = local_of(std::string(element.attribute("from")));
  const std::string user = user_of(to) + mark_of(from);
  if (element.attribute("type") == "error") return take_error(user, element);
  if (element.name() == "message") return take_message(user, element);
  if (element.name() == "presence") return take_presence(user, element);
  take_iq(user, element);
}

void Server::note_foreign(const std::string& user, const std::string& what) {
  recorder_.add(What::got_foreign, name(), user, "", "", what);
}

void Server::tell_failed(const std::string& user, std::string_view id, const std::string& text, bool uncertain) {
  if (!is_of(user, id)) return note_foreign(user, "an error for " + std::string(id));
  recorder_.add(What::told_failed, name(), user, "", std::string(id), text, uncertain ? 1 : 0);
}

void Server::take_error(const std::string& user, const Element& element) {
  const std::string id(element.attribute("id"));
  const Element* error = element.child("error", ns::component);
  const std::string text(error ? error->child_text("text", ns::stanza_errors) : "");
  if (element.name() == "iq") {
    if (!is_of(user, id)) return note_foreign(user, "an answer for " + id);
    recorder_.add(What::got_answer, name(), user, "", id, "error: " + text);
  } else if (std::erase(lines_[user], id) > 0) {
    recorder_.add(What::got_answer, name(), user, "", id, "error: " + text);
  } else if (element.name() == "message") {
    // Errc::uncertain is the only one that ends so (xmpp::to_stanza_error).
    const bool uncertain =
        error && error->attribute("type") == "cancel" && error->child("remote-server-timeout", ns::stanza_errors);
    tell_failed(user, id, text, uncertain);
  }
}

void Server::take_message(const std::string& user, const Element& element) {
  const std::string from = local_of(std::string(element.attribute("from")));
  const std::string contact = contact_at(recorder_.plan, owner_of(from));
  const std::string id(element.attribute("id"));
  if (const Element* receipt = element.child("received", ns::receipts)) {
    const std::string about(receipt->attribute("id"));
    if (!is_of(user, about)) return note_foreign(user, "a receipt for " + about);
    return recorder_.add(What::got_receipt, name(), user, contact, about, id);
  }
  const auto [text, about, body] = said_in(user, element);
  // A receipt that its centre does not mark as one is a text where nothing of ours has its id (connectors/sms).
  if (recorder_.plan.is_over_sms() && body.starts_with("id:"))
    return recorder_.add(What::note, name(), user, contact, "", user + " gets \"" + body + "\"");
  if (contact.empty()) return hear(user, body);
  if (text.starts_with(waiting_note))
    return recorder_.add(What::note, name(), user, contact, "", user + " hears that a message waits");
  const bool is_note = text.starts_with(failure_note);
  const bool is_from_user = recorder_.crossing.contains(user + " gets " + text);
  if (!is_note && !is_from_user && !text.ends_with(" for " + user)) return note_foreign(user, "\"" + text + "\"");
  if (!recorder_.plan.server_keeps_messages && !online_.contains(owner_of(user))) {
    recorder_.add(What::gave_back, name(), user, contact, id, text);
    Element error("message", ns::component);
    error.set("from", bare(user)).set("to", element.attribute("from")).set("type", "error").set("id", id);
    error.add("error", ns::component).set("type", "cancel").add("service-unavailable", ns::stanza_errors);
    return send(std::move(error));
  }
  if (!is_note) {
    const Wholeness wholeness = wholeness_of(recorder_.plan, body);
    if (wholeness == Wholeness::garbled && !(is_from_user && body == text))
      recorder_.add(What::garbled, name(), user, contact, id, body);
    const int is_incomplete = wholeness == Wholeness::marked ? 1 : 0;
    if (text.starts_with('n')) received_[user].push_back({contact, id});  // what is said of another has no name
    return recorder_.add(Record{0, What::got_message, name(), user, contact, id, text, is_incomplete, about});
  }
  const Element* reply = element.child("reply", ns::reply);
  tell_failed(user, reply ? reply->attribute("id") : "", text, text.find("may not have been") != std::string::npos);
}

// What a message says, and of which stanza; a retraction has no text of its own.
Server::Said Server::said_in(const std::string& user, const Element& element) const {
  const auto retraction = recorder_.events.find(row_in(element.attribute("id")));
  const std::string taken_back = retraction == recorder_.events.end() ? "" : retraction->second + " for " + user;
  std::string_view body = element.child_text("body", ns::component);
  if (const Element* reactions = element.child("reactions", ns::reactions)) {
    std::string text(reactions->child_text("reaction", ns::reactions));
    return {text, std::string(reactions->attribute("id")), text};
  }
  if (const Element* retract = element.child("retract", ns::retraction))
    return {taken_back, std::string(retract->attribute("id")), taken_back};
  if (body == retracted_note) return {taken_back, "", taken_back};
  if (body.starts_with(correction_mark)) body.remove_prefix(correction_mark.size());
  const Element* replace = element.child("replace", ns::correction);
  return {tag_in(body), std::string(replace ? replace->attribute("id") : ""), std::string(body)};
}

void Server::take_presence(const std::string& user, const Element& element) {
  const std::string from(element.attribute("from"));
  const std::string_view type = element.attribute("type");
  if (type == "probe")
    return send_presence(online_.contains(owner_of(user)) ? full(user) : bare(user), from,
                         online_.contains(owner_of(user)) ? "" : "unavailable");
  if (type == "subscribe") send_presence(bare(user), from, "subscribed");
}

void Server::take_iq(const std::string& user, const Element& element) {
  const std::string id(element.attribute("id"));
  if (element.attribute("type") == "result") {
    if (!is_of(user, id)) return note_foreign(user, "an answer for " + id);
    recorder_.add(What::got_answer, name(), user, "", id);
    if (registering_.erase(id) > 0) recorder_.add(What::registered, name(), user, "", id);
    return;
  }
  Element answer("iq", ns::component);
  answer.set("from", element.attribute("to")).set("to", element.attribute("from")).set("id", id).set("type", "error");
  if (element.child("vCard", ns::vcard_temp) && recorder_.draw.happens(500, "has_vcard", ++asked_)) {
    answer.set("type", "result").add("vCard", ns::vcard_temp).add_text_child("FN", user);
    return send(std::move(answer));
  }
  answer.add("error", ns::component).set("type", "cancel").add("service-unavailable", ns::stanza_errors);
  send(std::move(answer));
}

}  // namespace wherry::simulation
