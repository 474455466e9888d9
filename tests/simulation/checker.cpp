#include "tests/simulation/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace wherry::simulation {

namespace {

constexpr std::int64_t grace = 30'000'000;         // for a stanza on a link that lives: to be committed or refused
constexpr std::int64_t store_grace = 130'000'000;  // … where the store has its troubles: it is given up after a minute
constexpr std::int64_t sending = 1;                // store::OutboxState
constexpr std::size_t most_heap = 48u << 20;
// Presence that answers somebody has four times the limit (xmpp/component.cpp); and what was read when it was reached
// is answered.
constexpr std::size_t most_unsent = 5 * link_bytes + (128u << 10);

// One outgoing message, however often its stanza was sent.
struct Sent {
  const Record* first = nullptr;
  std::vector<const Record*> stanzas, taken, failures;
  std::optional<std::int64_t> stored_at;
  bool is_sending = false;                    // on disk, and the network was not asked since
  std::vector<const Record*> killed_sending;  // kills that found it so
  bool performed = false, told_uncertain = false, told_no_link = false;
  std::set<std::string> reported;  // parts
  std::size_t parts = 1;
  const Record* acknowledged = nullptr;
  bool is_reported() const { return !reported.empty() && reported.size() >= parts; }
  // Whoever takes back once more takes nothing more back.
  bool is_retraction() const { return first && first->text.starts_with('t'); }
  bool receipted = false, got_receipt = false;
};

struct Incoming {
  std::optional<std::int64_t> published_at;
  const Record* written = nullptr;
  std::vector<const Record*> got;
  bool given_back = false, was_kept = false;
};

bool have_one_key(const std::vector<const Record*>& taken) {
  return std::all_of(taken.begin(), taken.end(), [&](const Record* r) { return r->id == taken.front()->id; });
}

// What the connector "sms" says of a text that may be sent a little later (connectors/sms/smpp/verdict.cpp). The
// simulated carriers put none off so often that it may be given up.
bool speaks_of_passing_trouble(const std::string& why) {
  constexpr std::array sentences = {"is overloaded",           "has lost its connection",    "has an internal error",
                                    "queue at the SMS",        "could not take the message", "without a reason",
                                    "cannot take messages now"};
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const char* sentence) { return why.find(sentence) != std::string::npos; });
}

class Checker {
 public:
  Checker(const Plan& plan, const History& history) : plan_(plan), history_(history) { collect(); }

  std::vector<Breach> check() {
    for (const auto& [text, sent] : sent_) check_sent(text, sent);
    for (const auto& [text, incoming] : incoming_) check_incoming(text, incoming);
    for (const auto& [text, sent] : sent_) check_named_out(text, sent);
    for (const auto& [text, incoming] : incoming_) check_named_in(text, incoming);
    check_order_out();
    check_order_in();
    check_answers();
    check_end();
    return std::move(breaches_);
  }

 private:
  void collect() {
    std::map<std::string, std::string> text_of;  // by stanza id
    for (const Record& r : history_.records) {
      switch (r.what) {
        case What::sent: {
          Sent& sent = sent_[r.text];
          if (!sent.first) sent.first = &r;
          sent.stanzas.push_back(&r);
          text_of[r.id] = r.text;
          stanzas_[r.id] = r.text;
          break;
        }
        case What::stored: sent_[r.text].stored_at = r.at; [[fallthrough]];
        case What::marked: sent_[r.text].is_sending = r.number == sending; break;
        case What::performing:
          sent_[r.text].performed = true;
          sent_[r.text].is_sending = false;
          break;
        case What::taken: sent_[r.text].taken.push_back(&r); break;
        case What::acknowledged: sent_[r.text].acknowledged = &r; break;
        case What::reported:
          sent_[r.text].reported.insert(r.id);
          sent_[r.text].parts = static_cast<std::size_t>(r.number);
          break;
        case What::receipted: sent_[r.text].receipted = true; break;
        case What::garbled:
          breach(Rule::garbled, fmt::format("{} or {} reads \"{}\"", r.user, r.contact, r.text));
          break;
        case What::told_failed:
          if (!text_of.contains(r.id)) break;
          sent_[text_of[r.id]].failures.push_back(&r);
          sent_[text_of[r.id]].told_uncertain |= r.number == 1;
          if (speaks_of_passing_trouble(r.text))
            breach(Rule::impatient, fmt::format("\"{}\" was given up: {}", text_of[r.id], r.text));
          break;
        case What::got_receipt: check_receipt(r, text_of); break;
        case What::written: incoming_[r.text].written = &r; break;
        case What::published: incoming_[r.text].published_at = r.at; break;
        case What::kept: incoming_[r.text].was_kept = true; break;
        case What::got_message:
          incoming_[r.text].got.push_back(&r);
          stanzas_[r.id] = r.text;
          break;
        case What::gave_back: incoming_[r.text].given_back = true; break;
        case What::got_foreign: breach(Rule::foreign, fmt::format("{} got {}", r.user, r.text)); break;
        case What::breach: breach(Rule::contract, r.text); break;
        case What::killed:
          for (auto& [text, sent] : sent_) {
            if (sent.is_sending) sent.killed_sending.push_back(&r);
          }
          [[fallthrough]];
        case What::link_cut:
        case What::stopping:
        case What::started: ends_.push_back(&r); break;
        case What::store_fault: has_store_faults_ = true; break;
        case What::unregistering: unregistering_.push_back(&r); break;
        case What::got_answer:
          answered_.emplace(r.id, r.at);
          if (r.text.starts_with("error")) refused_.insert(r.id);
          break;
        default: break;
      }
    }
  }

  void breach(Rule rule, std::string text) { breaches_.push_back({rule, std::move(text)}); }

  // The link or the process ended between: what went over it may not have arrived.
  bool was_interrupted(const Record& from, std::int64_t until, bool ignores_farewells = false) const {
    bool is_stopping = false;
    return std::any_of(ends_.begin(), ends_.end(), [&](const Record* end) {
      if (end->what == What::stopping) is_stopping = true;
      if (end->what == What::started) is_stopping = false;
      if (!end->network.empty() && end->network != from.network) return false;
      if (ignores_farewells && (end->what == What::stopping || end->what == What::started || end->id == "farewell"))
        return false;
      return end->at >= from.at && end->at <= until;
    });
  }
  std::int64_t patience() const { return has_store_faults_ ? store_grace : grace; }

  std::int64_t answered_at(const std::string& id) const {
    const auto answer = answered_.find(id);
    return answer == answered_.end() ? std::numeric_limits<std::int64_t>::max() : answer->second;
  }
  bool has_unregistered(const std::string& network, const std::string& user, std::int64_t since,
                        std::int64_t until = std::numeric_limits<std::int64_t>::max()) const {
    return std::any_of(unregistering_.begin(), unregistering_.end(), [&](const Record* r) {
      const std::int64_t at = answered_at(r->id);
      return r->network == network && r->user == user && at >= since && at <= until && !refused_.contains(r->id);
    });
  }

  void check_sent(const std::string& text, const Sent& sent) {
    if (!sent.first) return;  // the server never had a link for it, or the record is another's
    const Record& first = *sent.first;
    const bool is_settled = !sent.taken.empty() || !sent.failures.empty();
    const bool arrived = std::any_of(sent.stanzas.begin(), sent.stanzas.end(),
                                     [&](const Record* r) { return !was_interrupted(*r, r->at + patience()); });
    const bool arrived_but_for_farewells = std::any_of(sent.stanzas.begin(), sent.stanzas.end(), [&](const Record* r) {
      return !was_interrupted(*r, r->at + patience(), true);
    });
    if (never_comes(plan_, first.network, first.user)) {
      // Whoever is never there hears of nothing.
    } else if (!is_settled && (sent.stored_at || arrived)) {
      breach(Rule::lost, fmt::format("\"{}\" was {}, and is neither with the network nor was its sender told", text,
                                     sent.stored_at ? "committed" : "sent over a link that lived on"));
    } else if (!is_settled && arrived_but_for_farewells) {
      breach(Rule::farewell, fmt::format("\"{}\" was sent while wherry ended its stream, and is gone", text));
    }
    if (sent.taken.size() > 1 && !(sent.is_retraction() && have_one_key(sent.taken))) {
      // Once more for each time that the sender heard of a failure and sent it anew. Of who has left nothing is
      // remembered.
      const bool was_sent_anew = sent.taken.size() <= std::min(sent.stanzas.size(), 1 + sent.failures.size()) ||
                                 has_unregistered(first.network, first.user, first.at);
      if (have_one_key(sent.taken) || sent.stanzas.size() == 1)
        breach(Rule::doubled, fmt::format("\"{}\" was taken {} times", text, sent.taken.size()));
      else if (!was_sent_anew)
        breach(Rule::resent,
               fmt::format("the client sent \"{}\" again, and it was taken {} times", text, sent.taken.size()));
    }
    if (sent.told_uncertain && !sent.performed && !was_killed_before_send(sent)) {
      breach(Rule::uncertain,
             fmt::format("{} is told that \"{}\" may have arrived, which the network was never asked to send",
                         first.user, text));
    }
    for (const Record* taken : sent.taken) {
      if (taken->user != first.user) breach(Rule::foreign, fmt::format("\"{}\" was sent by {}", text, taken->user));
    }
    const bool told_done_not = std::any_of(sent.failures.begin(), sent.failures.end(), [&](const Record* r) {
      return r->number == 0 && !sent.taken.empty() && r->text.find("was not sent") != std::string::npos;
    });
    if (told_done_not && sent.stanzas.size() == 1)
      breach(Rule::uncertain,
             fmt::format("{} is told that \"{}\" was not sent, which the network has", first.user, text));
    check_receipted(text, sent);
  }

  // A text of unknown outcome has no id by which it could be told; nor is there one in a store that was lost.
  void check_receipted(const std::string& text, const Sent& sent) {
    const Record& first = *sent.first;
    const bool asks_for_none = text.starts_with('r');  // a reaction that is a line
    if (asks_for_none || !sent.receipted || sent.got_receipt || sent.told_uncertain || sent.stanzas.size() > 1 ||
        has_store_faults_)
      return;
    if (has_unregistered(first.network, first.user, first.at) || never_comes(plan_, first.network, first.user)) return;
    breach(Rule::unreceipted, fmt::format("{} never heard that \"{}\" is delivered", first.user, text));
  }

  // A process that is killed between the commit that says "sending" and the send itself cannot be told from one that
  // was killed after it (DECISIONS.md 4): one message of each chat at each kill.
  bool was_killed_before_send(const Sent& sent) {
    return std::any_of(sent.killed_sending.begin(), sent.killed_sending.end(), [&](const Record* kill) {
      return excused_.insert({kill, sent.first->network + sent.first->user + sent.first->contact}).second;
    });
  }

  void check_receipt(const Record& r, const std::map<std::string, std::string>& text_of) {
    const auto text = text_of.find(r.id);
    if (text == text_of.end())
      return breach(Rule::receipt, fmt::format("{} got a receipt for {}, which nobody sent", r.user, r.id));
    Sent& sent = sent_[text->second];
    sent.got_receipt = true;
    if (!sent.is_reported())
      breach(Rule::receipt, fmt::format("{} got a receipt for \"{}\", which was not delivered", r.user, text->second));
    if (sent.first->contact != r.contact)
      breach(Rule::receipt, fmt::format("the receipt for \"{}\" came from {}", text->second, r.contact));
    std::set<std::string>& stanzas = receipts_[r.id];
    stanzas.insert(r.text);
    if (stanzas.size() > sent.stanzas.size())
      breach(Rule::receipt, fmt::format("{} got {} receipts for \"{}\"", r.user, stanzas.size(), text->second));
  }

  void check_incoming(const std::string& text, const Incoming& incoming) {
    if (!incoming.written) {
      for (const Record* got : incoming.got)
        breach(Rule::foreign, fmt::format("{} got \"{}\", which nobody wrote", got->user, text));
      return;
    }
    const Record& written = *incoming.written;
    // Parts of a text are taken before it is known whether somebody has the number.
    const bool is_nobodys = plan_.is_over_sms() && !is_registered(written.network, written.user);
    if (incoming.published_at && incoming.got.empty() && !never_comes(plan_, written.network, written.user) &&
        !is_nobodys && !has_unregistered(written.network, written.user, written.at)) {
      breach(Rule::incoming_lost, fmt::format("\"{}\" was acknowledged, and {} never got it", text, written.user));
    }
    const bool says_incomplete =
        std::any_of(incoming.got.begin(), incoming.got.end(), [](const Record* got) { return got->number == 1; });
    if (says_incomplete && written.number == 0)
      breach(Rule::garbled, fmt::format("\"{}\" is said to be incomplete, and all of it came", text));
    std::set<std::string> ids;
    for (const Record* got : incoming.got) ids.insert(got->id);
    // What the server gave back comes again as another row, so under another id.
    // Of who has left nothing is remembered.
    const bool is_anew = incoming.given_back || has_unregistered(written.network, written.user, written.at);
    if (ids.size() > 1 && !is_anew)
      breach(Rule::incoming_doubled, fmt::format("\"{}\" came under {} ids", text, ids.size()));
    for (std::size_t i = 1; i < incoming.got.size() && !incoming.given_back; ++i) {
      if (incoming.got[i]->id != incoming.got[i - 1]->id ||
          was_interrupted(*incoming.got[i - 1], incoming.got[i]->at) || follows_an_end(*incoming.got[i]))
        continue;
      breach(Rule::incoming_doubled, fmt::format("\"{}\" came twice over one link", text));
    }
  }
  bool follows_an_end(const Record& r) const {
    return std::any_of(ends_.begin(), ends_.end(), [&](const Record* end) { return end->at <= r.at; });
  }

  // ---- What is said of a message later ----

  // Of the message that a stanza's id names: in which chat it was written, by whom and to whom; null: there is none.
  const Record* written_as(const std::string& id) const {
    const auto text = stanzas_.find(id);
    return text == stanzas_.end() ? nullptr : written_as_text(text->second);
  }
  const Record* written_as_text(const std::string& text) const {
    const auto sent = sent_.find(text);
    if (sent != sent_.end() && sent->second.first) return sent->second.first;
    const auto incoming = incoming_.find(text);
    return incoming == incoming_.end() ? nullptr : incoming->second.written;
  }
  static bool is_one_chat(const Record& a, const Record& b) {
    return a.network == b.network && a.user == b.user && a.contact == b.contact;
  }
  // What is remembered of messages may be gone, or come too late.
  bool may_have_forgotten(const Record& target) const {
    return has_store_faults_ || has_unregistered(target.network, target.user, 0);
  }
  bool began_anew_since(std::int64_t at) const {
    return std::any_of(ends_.begin(), ends_.end(),
                       [&](const Record* end) { return end->at >= at && end->what == What::started; });
  }

  void check_named_out(const std::string& text, const Sent& sent) {
    if (!sent.first) return;
    const Record* const meant = written_as(sent.first->about);
    const bool is_meant_here = meant && is_one_chat(*meant, *sent.first);
    for (const Record* taken : sent.taken) {
      if (taken->about.empty()) continue;
      if (!is_meant_here || taken->about != meant->text)
        breach(Rule::misdirected, fmt::format("\"{}\" was meant for {}, and the network was told of {}", text,
                                              sent.first->about, taken->about));
    }
    if (!is_meant_here || sent.taken.empty() || !sent.taken.back()->about.empty() || may_have_forgotten(*meant)) return;
    if (refers(meant->network) && is_known_there(meant->text))
      breach(Rule::in_words, fmt::format("\"{}\" was told in words, and the network knows \"{}\"", text, meant->text));
  }
  // Taken without a doubt, or written by a contact.
  bool is_known_there(const std::string& text) const {
    const auto sent = sent_.find(text);
    if (sent == sent_.end() || !sent->second.first) return true;
    return !sent->second.taken.empty() && sent->second.failures.empty() && sent->second.stanzas.size() == 1;
  }

  void check_named_in(const std::string& text, const Incoming& incoming) {
    if (!incoming.written) return;
    const Record& written = *incoming.written;
    const Record* const meant = written.about.empty() ? nullptr : written_as_text(written.about);
    for (const Record* got : incoming.got) {
      if (got->about.empty()) continue;
      const auto named = stanzas_.find(got->about);
      const bool is_right = meant && named != stanzas_.end() && named->second == meant->text;
      // What the server gave back has another stanza than the one that was meant.
      if (!is_right && !(meant && incoming_[meant->text].given_back))
        breach(Rule::misdirected, fmt::format("\"{}\" is about \"{}\", and {} is told of {}", text, written.about,
                                              written.user, got->about));
    }
    if (!meant || incoming.got.empty() || !incoming.got.front()->about.empty() || may_have_forgotten(*meant)) return;
    if (refers(written.network) && is_known_here(*meant, written))
      breach(Rule::in_words,
             fmt::format("\"{}\" is told in words, and {} knows \"{}\"", text, written.user, meant->text));
  }
  bool refers(const std::string& network) const {
    for (std::size_t i = 0; i < plan_.networks.size(); ++i) {
      if (network_name(static_cast<int>(i)) == network) return plan_.networks[i].refers;
    }
    return false;
  }
  // When a contact said so of it. Where the network's answer to the send comes later, it may be too late.
  bool is_known_here(const Record& target, const Record& said) const {
    const auto sent = sent_.find(target.text);
    if (sent == sent_.end() || !sent->second.first) return true;
    const Record* const acknowledged = sent->second.acknowledged;
    return acknowledged && acknowledged < &said && sent->second.failures.empty() && sent->second.stanzas.size() == 1 &&
           !began_anew_since(acknowledged->at);
  }

  void check_order_out() {
    std::map<std::string, const Record*> newest;  // of each chat: the stanza of the message that was taken last
    for (const Record& r : history_.records) {
      if (r.what != What::taken) continue;
      const Sent& sent = sent_[r.text];
      // What is uncertain may come late: nobody waits for it.
      if (!sent.first || sent.taken.front() != &r || sent.stanzas.size() > 1 || sent.told_uncertain) continue;
      // Nor does the next registration wait for what was with the network when the former one ended.
      if (has_unregistered(r.network, r.user, sent.first->at, r.at)) continue;
      const Record*& before = newest[r.network + r.user + r.contact];
      if (before && before > sent.first)
        breach(Rule::order_out, fmt::format("\"{}\" was taken before \"{}\"", before->text, r.text));
      if (!before || before < sent.first) before = sent.first;
    }
  }

  void check_order_in() {
    if (plan_.is_over_sms()) return;  // the telephone network keeps none
    std::map<std::string, const Record*> newest;
    for (const Record& r : history_.records) {
      if (r.what != What::got_message) continue;
      const Incoming& incoming = incoming_[r.text];
      if (!incoming.written || incoming.got.front() != &r || incoming.given_back) continue;
      // An OSCAR server gives what it has kept when it is asked, and meanwhile what is new.
      const Record*& before = newest[r.network + r.user + r.contact + (incoming.was_kept ? " kept" : "")];
      if (before && before > incoming.written)
        breach(Rule::order_in, fmt::format("\"{}\" came before \"{}\"", before->text, r.text));
      if (!before || before < incoming.written) before = incoming.written;
    }
  }

  void check_answers() {
    std::map<std::string, int> answers;
    for (const Record& r : history_.records) {
      if (r.what == What::got_answer) ++answers[r.id];
    }
    for (const Record& r : history_.records) {
      if (r.what != What::asked) continue;
      if (answers[r.id] > 1) breach(Rule::unanswered, fmt::format("{} was answered {} times", r.id, answers[r.id]));
      if (answers[r.id] == 0 && !was_interrupted(r, r.at + store_grace))
        breach(Rule::unanswered, fmt::format("{} of {} got no answer: {}", r.id, r.user, r.text));
    }
  }

  // As the gateway's own answers have it, in the order of what was asked: an answer may come when the user has asked
  // the contrary.
  bool is_registered(const std::string& network, const std::string& user) const {
    std::set<std::string_view> registering;
    for (const Record& r : history_.records) {
      if (r.what == What::registered) registering.insert(r.id);
    }
    bool registered = false;
    for (const Record& r : history_.records) {
      if (r.network != network || r.user != user) continue;
      if (r.what == What::asked && registering.contains(r.id)) registered = true;
      // The network may have taken the new login, which the gateway could not store: its user is to register again.
      const bool registers = r.what == What::asked && r.text.find("jabber:iq:register") != std::string::npos &&
                             r.text.find("<remove/>") == std::string::npos;
      if (registers && refused_.contains(r.id)) registered = false;
      if (r.what == What::unregistering && !refused_.contains(r.id)) registered = false;
    }
    return registered;
  }

  void check_end() {
    for (const Record& mail : history_.mail_left) {
      const bool came = !incoming_[mail.text].got.empty();  // it was found in a list
      if (!came && is_registered(mail.network, mail.user) && !never_comes(plan_, mail.network, mail.user))
        breach(Rule::asleep,
               fmt::format("{} is registered, and \"{}\" still waits at the network", mail.user, mail.text));
    }
    for (const std::string& row : history_.rows_left) breach(Rule::queues, "left: " + row);
    if (history_.work_left) breach(Rule::tasks, "the gateway has stopped, and a coroutine of it is still there");
    if (history_.never_stopped) breach(Rule::tasks, "SIGTERM does not end the gateway");
    if (history_.spins) breach(Rule::tasks, "the gateway spins");
    if (history_.most_unsent > most_unsent)
      breach(Rule::memory, fmt::format("{} KiB waited in front of a link", history_.most_unsent >> 10));
    if (history_.most_bytes > most_heap) breach(Rule::memory, fmt::format("{} MiB of heap", history_.most_bytes >> 20));
  }

  const Plan& plan_;
  const History& history_;
  std::map<std::string, Sent> sent_;  // by text, which is a message's own
  std::map<std::string, Incoming> incoming_;
  std::map<std::string, std::string> stanzas_;  // the text of each that a user has sent or got, by id
  std::map<std::string, std::set<std::string>> receipts_;
  std::vector<const Record*> ends_, unregistering_;
  std::set<std::pair<const Record*, std::string>> excused_;  // kills, and chats
  std::map<std::string, std::int64_t> answered_;             // iqs, and when
  std::set<std::string> refused_;                            // iqs that were answered with an error
  bool has_store_faults_ = false;
  std::vector<Breach> breaches_;
};

}  // namespace

std::string to_string(Rule rule) {
  constexpr std::array<const char*, 22> names = {
      "lost",        "farewell",    "doubled",       "resent",  "uncertain",        "order_out",
      "receipt",     "unreceipted", "impatient",     "garbled", "unanswered",       "foreign",
      "misdirected", "in_words",    "incoming_lost", "asleep",  "incoming_doubled", "order_in",
      "queues",      "tasks",       "contract",      "memory"};
  return names.at(static_cast<std::size_t>(rule));
}

std::vector<Breach> check(const Plan& plan, const History& history) { return Checker(plan, history).check(); }

}  // namespace wherry::simulation
