// Taken is not sent: where a network stays away, the chat of the contact who was written to says that the message
// waits, once for each account and absence. Silence would be taken for a delivery.
#include "gateway/features/features.hpp"

#include "gateway/base/within.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace wherry::features {

namespace {

constexpr std::chrono::seconds patience{5};  // most absences are over by then, the gateway's own start among them

constexpr std::size_t most_taken = 16;  // of one account

// That a user wrote to this contact, and last with what.
struct Taken {
  base::ContactId contact;
  xmpp::Jid address, sender;
};

// Of one account.
struct Notes {
  std::vector<Taken> taken;   // what may still wait
  std::uint64_t absence = 0;  // number of the network's present absence; 0: none has been noted
};

struct Absences {
  std::map<base::AccountId, Notes> of;
  std::uint64_t absences = 0;  // so far
};

std::string reason(const Transport& transport, const LiveAccount& account) {
  const std::string &network = transport.name(), gateway = transport.face_of(account.alias()).str();
  if (account.row.logged_out)
    return "you are logged out of " + network + ". It goes out when you have written “log in” to " + gateway + ".";
  if (account.state == LiveAccount::State::needs_login)
    return network + " no longer accepts your login. It goes out when you have registered with " + gateway + " again.";
  if (!account.is_wanted())
    return "you are not logged in to " + network + ". It goes out when you show " + gateway +
           " that you are available.";
  std::string text = network + " cannot be reached just now. It goes out as soon as that is possible.";
  if (!account.trouble.empty()) text.append(" ").append(account.trouble);
  return text;
}

void forget_sent(Transport& transport, base::AccountId id, Notes& notes) {
  std::erase_if(notes.taken, [&](const Taken& taken) { return !transport.outbox().has(id, taken.contact); });
}

// Where the network is still away, in the chat of what was written first and still waits.
asio::awaitable<void> tell(Transport& transport, std::shared_ptr<Absences> memory, base::AccountId id,
                           std::uint64_t absence) {
  co_await base::sleep(patience);
  const LiveAccount* account = transport.accounts().find(id);
  const auto found = memory->of.find(id);
  if (!account || found == memory->of.end() || found->second.absence != absence) co_return;
  Notes& notes = found->second;
  forget_sent(transport, id, notes);
  if (notes.taken.empty()) {
    notes.absence = 0;  // what waits later will say so
    co_return;
  }
  const Taken& first = notes.taken.front();
  xmpp::Element note = xmpp::make_stanza(xmpp::Kind::message, first.address, first.sender, "chat", "");
  note.add_text_child("body", "Your message waits here: " + reason(transport, *account));
  transport.send(note);
}

void begin_absence(Transport& transport, const std::shared_ptr<Absences>& memory, base::AccountId id) {
  Notes& notes = memory->of[id];
  if (notes.absence != 0) return;
  notes.absence = ++memory->absences;
  transport.tasks().spawn("message.waits", tell(transport, memory, id, notes.absence));
}

void message_taken(Transport& transport, const std::shared_ptr<Absences>& memory, const LiveAccount& account,
                   const base::ContactId& contact, const xmpp::Stanza& stanza) {
  Notes& notes = memory->of[account.id()];
  forget_sent(transport, account.id(), notes);
  const auto before = std::find_if(notes.taken.begin(), notes.taken.end(),
                                   [&](const Taken& taken) { return taken.contact == contact; });
  if (before != notes.taken.end()) before->sender = stanza.from;
  else if (notes.taken.size() < most_taken) notes.taken.push_back({contact, stanza.to.bare(), stanza.from});
  if (!account.is_online()) begin_absence(transport, memory, account.id());
}

// What was taken just before the network went waits, too. Who has gone themselves are not there to read it.
void account_changed(Transport& transport, const std::shared_ptr<Absences>& memory, const LiveAccount& account) {
  const auto found = memory->of.find(account.id());
  if (found == memory->of.end()) return;
  Notes& notes = found->second;
  forget_sent(transport, account.id(), notes);
  if (account.is_online()) notes.absence = 0;
  else if (!notes.taken.empty() && !account.is_seen_away()) begin_absence(transport, memory, account.id());
  if (notes.taken.empty() && notes.absence == 0) memory->of.erase(found);
}

}  // namespace

void install_waiting_note(Transport& transport) {
  const auto memory = std::make_shared<Absences>();
  transport.hooks().message_taken.add(
      [&transport, memory](const LiveAccount& account, const base::ContactId& contact, const xmpp::Stanza& stanza) {
        message_taken(transport, memory, account, contact, stanza);
      });
  transport.hooks().account_changed.add(
      [&transport, memory](const LiveAccount& account) { account_changed(transport, memory, account); });
  transport.hooks().account_removed.add([memory](base::AccountId account) { memory->of.erase(account); });
}

}  // namespace wherry::features
