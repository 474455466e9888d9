#include "gateway/accounts/rosters.hpp"

#include "gateway/base/log.hpp"

#include <algorithm>

namespace wherry::accounts {

namespace ns = xmpp::ns;

namespace {

constexpr std::size_t most_domains = 1000;
constexpr std::chrono::seconds limit{30};

}  // namespace

void Rosters::grant(const std::string& domain, bool may_read_and_write) {
  if (!may_read_and_write) writable_.erase(domain);
  else if (writable_.size() < most_domains) writable_.insert(domain);
}

void Rosters::disconnected() {
  writable_.clear();
  proven_.clear();
}

asio::awaitable<bool> Rosters::put(xmpp::Jid user, RosterItem item) {
  const std::string domain(user.domain());
  const xmpp::Jid contact = item.jid;
  bool done = co_await set(user, std::move(item), "both");
  if (done && !proven_.contains(domain)) done = co_await is_subscribed(user, contact);
  if (done) {
    proven_.insert(domain);
  } else if (writable_.erase(domain) > 0) {
    log::info("roster.not_written", {{"server", domain}});
  }
  co_return done;
}

asio::awaitable<void> Rosters::remove(xmpp::Jid user, xmpp::Jid contact) {
  RosterItem item{std::move(contact), "", {}};
  co_await set(std::move(user), std::move(item), "remove");
}

// RFC 6121 §2.3.1: one item at a time; §4.3 of XEP-0356: to the user's bare address. `subscription` is the privilege's
// own: from a client it would be ignored (RFC 6121 §2.1.2.5).
asio::awaitable<bool> Rosters::set(xmpp::Jid user, RosterItem item, const char* subscription) {
  xmpp::Element iq("iq", ns::component);
  iq.set("type", "set").set("to", user.bare().str());
  xmpp::Element& entry = iq.add("query", ns::roster).add("item", ns::roster);
  entry.set("jid", item.jid.str()).set("subscription", subscription);
  if (!item.name.empty()) entry.set("name", item.name);
  for (const std::string& group : item.groups) entry.add_text_child("group", group);
  const auto answer = co_await requests_.ask(std::move(iq), limit);
  co_return answer && answer->type() == "result";
}

asio::awaitable<bool> Rosters::is_subscribed(xmpp::Jid user, xmpp::Jid contact) {
  xmpp::Element iq("iq", ns::component);
  iq.set("type", "get").set("to", user.bare().str());
  iq.add("query", ns::roster);
  const auto answer = co_await requests_.ask(std::move(iq), limit);
  const xmpp::Element* query = answer ? answer->element.child("query", ns::roster) : nullptr;
  co_return query&& std::any_of(query->children().begin(), query->children().end(), [&](const xmpp::Element& item) {
    return item.attribute("jid") == contact.str() && item.attribute("subscription") == "both";
  });
}

}  // namespace wherry::accounts
