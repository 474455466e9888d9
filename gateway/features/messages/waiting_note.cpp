// Taken is not sent: where a network stays away, the chat of the contact who was written to says that the message
// waits, once for each account and absence. Silence would be taken for a delivery.
#include "gateway/features/features.hpp"

#include "gateway/base/within.hpp"

#include <map>
#include <memory>

namespace wherry::features {

namespace {

constexpr std::chrono::seconds patience{5};  // most absences are over by then, the gateway's own start among them

// Whose network was away when they last wrote, with the number of that absence.
class Absences {
 public:
  // Its number, or nothing where it has one.
  std::optional<std::uint64_t> begin(base::AccountId account) {
    const auto [entry, is_new] = number_.emplace(account, last_ + 1);
    if (!is_new) return std::nullopt;
    return ++last_;
  }
  void end(base::AccountId account) { number_.erase(account); }
  bool is(base::AccountId account, std::uint64_t number) const {
    const auto found = number_.find(account);
    return found != number_.end() && found->second == number;
  }

 private:
  std::map<base::AccountId, std::uint64_t> number_;
  std::uint64_t last_ = 0;
};

std::string reason(const Transport& transport, const LiveAccount& account) {
  const std::string &network = transport.name(), &gateway = transport.domain().str();
  if (account.state == LiveAccount::State::needs_login)
    return network + " no longer accepts your login. It goes out when you have registered with " + gateway + " again.";
  if (!account.is_wanted())
    return "you are not logged in to " + network + ". It goes out when you show " + gateway +
           " that you are available.";
  std::string text = network + " cannot be reached just now. It goes out as soon as that is possible.";
  if (!account.trouble.empty()) text.append(" ").append(account.trouble);
  return text;
}

asio::awaitable<void> tell(Transport& transport, base::AccountId id, std::uint64_t number, xmpp::Jid contact,
                           xmpp::Jid user, std::shared_ptr<Absences> absences) {
  co_await base::sleep(patience);
  const LiveAccount* account = transport.accounts().find(id);
  if (!account || !absences->is(id, number)) co_return;
  xmpp::Element note = xmpp::make_stanza(xmpp::Kind::message, contact, user, "chat", "");
  note.add_text_child("body", "Your message waits here: " + reason(transport, *account));
  transport.send(note);
}

}  // namespace

void install_waiting_note(Transport& transport) {
  const auto absences = std::make_shared<Absences>();
  transport.hooks().message_taken.add([&transport, absences](const LiveAccount& account, const xmpp::Stanza& stanza) {
    if (account.is_online()) return;
    const auto number = absences->begin(account.id());
    if (!number) return;
    auto task = tell(transport, account.id(), *number, stanza.to.bare(), stanza.from, absences);
    transport.tasks().spawn("message.waits", std::move(task));
  });
  transport.hooks().account_changed.add([absences](const LiveAccount& account) {
    if (account.is_online()) absences->end(account.id());
  });
  transport.hooks().account_removed.add([absences](base::AccountId account) { absences->end(account); });
}

}  // namespace wherry::features
