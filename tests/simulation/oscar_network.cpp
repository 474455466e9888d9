#include "tests/simulation/oscar_network.hpp"

#include "connectors/oscar/connector.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "gateway/base/text.hpp"
#include "tests/simulation/addresses.hpp"
#include "tests/simulation/dial.hpp"
#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace wherry::simulation {

namespace {

constexpr Microseconds time_to_store = 150'000'000;  // whatever the store's troubles are
constexpr std::size_t cookie_size = 8;

std::string cookie_for(const std::string& tag) {
  std::string cookie;
  for (std::uint64_t hash = hash_of(tag); cookie.size() < cookie_size; hash >>= 8)
    cookie += static_cast<char>(hash & 0xFF);
  return cookie;
}

std::string entry_of(const std::string& user, const std::string& tag) { return user + " gets " + tag; }

}  // namespace

OscarNetwork::OscarNetwork(asio::io_context& loop, Recorder& recorder)
    : Network(0, recorder), loop_(loop), server_(loop, recorder, *this) {
  listen_for_dials(
      [this](const std::string& host, std::uint16_t port) { return is_away() ? -1 : server_.dial(host, port); });
}

std::unique_ptr<connector::Connector> OscarNetwork::make_connector(connector::Services services) {
  const OscarTraits& server_traits = *recorder().plan.oscar;
  const nlohmann::json configuration = {{"network", server_traits.is_aim ? "aim" : "icq"},
                                        {"host", server_.host()},
                                        {"logins_a_minute", draw().happens(700, "many_logins") ? 6000 : 10},
                                        {"acknowledges_stored", !server_traits.keeps_silently}};
  auto made = oscar::OscarConnector::make(configuration, services);
  if (!made) throw std::runtime_error(made.error().text);
  return watch(std::move(*made), *this);
}

std::string OscarNetwork::person_of(const connector::Account& account) const {
  const auto found = account.credentials.find("username");
  return found == account.credentials.end() ? user_of(account.user) : contact_at(recorder().plan, found->second);
}

bool OscarNetwork::is_known(const std::string& user) const { return is_account(recorder().plan, user); }

// ---- From contacts ----

std::string OscarNetwork::to_octets(const std::string& text, std::uint16_t* charset) const {
  const std::string written = recorder().plan.oscar->is_aim ? oscar::text_to_html(text) : text;
  const bool is_ascii = text.find("ж") == std::string::npos;
  const bool is_wide = !is_ascii || draw().happens(300, "is_wide", hash_of(text));
  *charset = is_wide ? 2 : 0;
  return is_wide ? oscar::to_utf16(written) : written;
}

void OscarNetwork::write(const Step& step) {
  OscarMessage message;
  message.from = contact_name(step.contact);
  message.to = account_name(step);
  const std::string tag = received_text(step);
  message.cookie = cookie_for(tag);
  message.octets = to_octets(body_of(recorder().plan, tag), &message.charset);
  expect(message, tag);
  server_.deliver(std::move(message));
}

void OscarNetwork::expect(const OscarMessage& message, const std::string& tag) {
  const Record record{now(), What::written, name(), message.to, message.from, base::to_hex(message.cookie), tag};
  recorder().add(record);
  written_[entry_of(message.to, tag)] = record;
}

std::string OscarNetwork::text_in(const OscarMessage& message) const {
  const std::string text = message.charset == 2 ? oscar::from_utf16(message.octets) : message.octets;
  return recorder().plan.oscar->is_aim ? oscar::html_to_text(text) : text;
}

void OscarNetwork::kept(const OscarMessage& message) {
  recorder().add(What::kept, name(), message.to, message.from, "", tag_in(text_in(message)));
}

// The recipient says so once it is stored.
void OscarNetwork::deleted(const OscarMessage& message) {
  const std::string tag = tag_in(text_in(message));
  recorder().add(What::published, name(), message.to, message.from, "", tag);
  written_.erase(entry_of(message.to, tag));
}

// No server gives it again. What a session has read is stored, unless the store or the process fails.
void OscarNetwork::left(const OscarMessage& message, bool is_read) {
  const std::string tag = tag_in(text_in(message)), entry = entry_of(message.to, tag);
  written_.erase(entry);
  if (!is_read)
    return recorder().add(What::note, name(), message.to, message.from, "", "\"" + tag + "\" may be lost on its way");
  recorder().add(What::note, name(), message.to, message.from, "", message.to + "'s session has read \"" + tag + "\"");
  const auto timer = std::make_shared<asio::steady_timer>(loop_, std::chrono::microseconds(time_to_store));
  timer->async_wait([this, timer, message, tag, entry, life = lives_](boost::system::error_code) {
    if (life == lives_ && !settled_.contains(entry))
      recorder().add(What::published, name(), message.to, message.from, "read", tag);
  });
}

void OscarNetwork::published(const std::string& user, const connector::Event& event, bool is_stored) {
  if (const auto* progress = std::get_if<connector::MessageProgressed>(&event)) {
    const std::string cookie = progress->id.value.substr(progress->id.value.find(':') + 1);
    const auto found = sent_.find(cookie);
    if (!is_stored || found == sent_.end() || progress->stage != connector::Stage::delivered) return;
    std::set<std::string>& cookies = delivered_[found->second.tag];
    cookies.insert(cookie);
    if (cookies.size() == found->second.parts)
      recorder().add(What::receipted, name(), user, found->second.contact, "", found->second.tag);
    return;
  }
  const auto* message = std::get_if<connector::MessageReceived>(&event);
  if (!message) return;
  const std::string tag = tag_in(message->content.text), contact = base::to_string(message->chat).substr(2);
  settled_.insert(entry_of(user, tag));
  if (is_stored)
    recorder().add(What::published, name(), user, contact_at(recorder().plan, contact), message->id.value, tag);
  else recorder().add(What::note, name(), user, "", "", "\"" + tag + "\" cannot be stored");
}

void OscarNetwork::note_mail_left(std::vector<Record>& left) const {
  for (const OscarMessage& message : server_.waiting()) {
    const auto found = written_.find(entry_of(message.to, tag_in(text_in(message))));
    if (found != written_.end() && !needs_login_.contains(message.to)) left.push_back(found->second);
  }
}

// ---- To contacts ----

void OscarNetwork::performing(const std::string& user, const connector::Action& action) {
  const auto* message = std::get_if<connector::SendMessage>(&action);
  if (!message) return;
  const std::string tag = tag_in(message->content.text);
  keys_[tag] = message->key;
  const std::string contact = contact_at(recorder().plan, base::to_string(message->chat).substr(2));
  recorder().add(What::performing, name(), user, contact, message->key, tag);
}

// What is said to be on the list, or not, is so at the server.
void OscarNetwork::performed(const std::string& user, const connector::Action& action) {
  const auto* add = std::get_if<connector::AddContact>(&action);
  const auto* remove = std::get_if<connector::RemoveContact>(&action);
  if (!add && !remove) return;
  const std::string contact = contact_at(recorder().plan, add ? add->contact.value : remove->contact.value);
  if (server_.has_listed(user, contact) == (add != nullptr)) return;
  recorder().add(
      What::breach, name(), user, contact, "",
      fmt::format("{} is {} the list, as is said, and at the server it is not so", contact, add ? "on" : "off"));
}

// In pieces where it is long: the last one has the tag.
void OscarNetwork::taken(const OscarMessage& message) {
  const std::string piece = text_in(message), entry = message.from + " to " + message.to;
  const bool is_crossing = is_known(message.to);
  const bool is_alone = is_crossing || keys_.contains(piece);  // a text that is its tag
  Open& open = open_[entry];
  if (is_alone || piece.starts_with("1 of ")) open = Open();
  open.body += (open.body.empty() ? "" : " ") + piece;
  open.cookies.push_back(base::to_hex(message.cookie));
  if (is_crossing) pass_on(message, piece);
  if (!is_alone && !piece.ends_with(">")) return;
  const Open whole = std::exchange(open, Open());
  const std::string tag = tag_in(whole.body);
  if (!is_alone && wholeness_of(recorder().plan, whole.body) != Wholeness::whole)
    recorder().add(What::garbled, name(), message.from, message.to, "", whole.body);
  for (const std::string& cookie : whole.cookies)
    sent_[cookie] = Sent{message.from, message.to, tag, whole.cookies.size()};
  recorder().add(What::taken, name(), message.from, message.to, keys_[tag], tag);
  for (const std::string& cookie : whole.cookies) {
    if (early_.erase(cookie) > 0) report(cookie);
  }
}

void OscarNetwork::pass_on(const OscarMessage& message, const std::string& tag) {
  recorder().crossing.insert(entry_of(message.to, tag));
  expect(message, tag);
  server_.deliver(message);
}

// Whose part it is, is known once all parts are there.
void OscarNetwork::confirmed(const OscarMessage& message) {
  const std::string cookie = base::to_hex(message.cookie);
  if (sent_.contains(cookie)) report(cookie);
  else early_.insert(cookie);
}

void OscarNetwork::report(const std::string& cookie) {
  const Sent& sent = sent_.at(cookie);
  recorder().add(What::reported, name(), sent.user, sent.contact, cookie, sent.tag,
                 static_cast<std::int64_t>(sent.parts));
}

// ---- What else happens ----

void OscarNetwork::report_nonsense(const Step& step) {
  const std::string cookie = cookie_for(fmt::format("nobody-{}", next_number()));
  const std::string of = address_of(recorder().plan, contact_name(step.contact));
  server_.say_news(account_name(step), oscar::family::messages, 0x0B,
                   oscar::Writer().raw(cookie).u16(1).text8(of).u16(3).octets());
}

void OscarNetwork::change_presence(const Step& step) {
  for (std::int64_t i = 0; i < step.number; ++i)
    server_.show(account_name(step), contact_name(static_cast<int>(i % recorder().plan.contacts)), i % 2 == 0);
}

void OscarNetwork::ask(const Step& step) { server_.ask(account_name(step), contact_name(step.contact)); }
void OscarNetwork::list(const Step& step) { server_.change_list(account_name(step), next_number()); }

void OscarNetwork::break_all() { server_.break_all(); }

// Another password, which a session that there is does not mind.
void OscarNetwork::want_login(const std::string& user) {
  ++recorder().passwords[user];
  needs_login_.insert(user);
  server_.break_session(user);
}

void OscarNetwork::process_died() {
  ++lives_;
  server_.process_died();
}

}  // namespace wherry::simulation
