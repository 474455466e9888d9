#include "tests/simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::simulation {

namespace {

struct Weight {
  Act act;
  int weight;
};
constexpr std::array weights = {
    Weight{Act::send, 300},
    Weight{Act::receive, 150},
    Weight{Act::contact_edits, 20},
    Weight{Act::contact_retracts, 10},
    Weight{Act::contact_reacts, 25},
    Weight{Act::send_again, 25},
    Weight{Act::correct, 40},
    Weight{Act::retract, 15},
    Weight{Act::react, 25},
    Weight{Act::come_online, 25},
    Weight{Act::go_offline, 20},
    Weight{Act::register_user, 8},
    Weight{Act::unregister_user, 12},
    Weight{Act::subscribe, 20},
    Weight{Act::unsubscribe, 8},
    Weight{Act::answer_contact, 6},
    Weight{Act::ask, 25},
    Weight{Act::talk, 15},
    Weight{Act::report_nonsense, 8},
    Weight{Act::contact_presence, 12},
    Weight{Act::contact_asks, 8},
    Weight{Act::list_contacts, 6},
    Weight{Act::end_session, 20},
    Weight{Act::need_login, 5},
    Weight{Act::network_away, 8},
    Weight{Act::restart, 12},
    Weight{Act::kill, 12},
    Weight{Act::cut_link, 12},
    Weight{Act::stall_server, 5},
    Weight{Act::refuse_link, 4},
    Weight{Act::slow_store, 10},
    Weight{Act::fail_statement, 8},
    Weight{Act::lose_store, 5},
    Weight{Act::die_before_commit, 8},
    Weight{Act::die_after_commit, 8},
    Weight{Act::jump_clock, 4},
};

// Faults that only some runs have, lest every run be nothing but faults.
bool belongs(Act act, const Draw& draw) {
  const bool is_everyday = act <= Act::list_contacts && act != Act::unregister_user;
  return is_everyday || draw.happens(400, "belongs", static_cast<std::uint64_t>(act));
}

Act draw_act(const Draw& draw, std::uint64_t i) {
  int total = 0;
  for (const Weight& w : weights) total += belongs(w.act, draw) ? w.weight : 0;
  auto at = draw.between(0, total - 1, "act", i);
  for (const Weight& w : weights) {
    if (!belongs(w.act, draw)) continue;
    at -= w.weight;
    if (at < 0) return w.act;
  }
  return Act::send;
}

std::int64_t draw_number(const Draw& draw, Act act, std::uint64_t i) {
  switch (act) {
    case Act::contact_presence: return draw.happens(50, "storm", i) ? 2000 : draw.between(1, 30, "number", i);
    case Act::network_away:
    case Act::refuse_link:
    case Act::stall_server:
    case Act::slow_store: return draw.between(50, 15'000, "number", i);
    case Act::lose_store:
      return draw.happens(150, "long", i) ? draw.between(61'000, 90'000, "number", i)
                                          : draw.between(10, 20'000, "number", i);
    case Act::fail_statement: return draw.between(1, 6, "number", i);
    case Act::die_before_commit:
    case Act::die_after_commit: return draw.between(1, 3, "number", i);
    case Act::jump_clock: return draw.between(-7200, 7200, "number", i);
    default: return static_cast<std::int64_t>(i);
  }
}

NetworkTraits draw_traits(const Draw& draw, std::uint64_t i) {
  NetworkTraits traits;
  const auto kind = draw.between(0, 3, "idempotency", i);
  traits.idempotency = kind == 0   ? connector::Idempotency::by_key
                       : kind == 1 ? connector::Idempotency::queryable
                                   : connector::Idempotency::none;
  traits.has_presence = draw.happens(500, "presence", i);
  traits.has_contact_list = draw.happens(300, "contact_list", i);
  traits.reports_delivery = draw.happens(800, "reports", i);
  traits.names_messages = draw.happens(500, "names", i);
  traits.follows_presence = draw.happens(300, "follows", i);
  traits.deadline_s = draw.happens(300, "short_deadline", i) ? draw.between(5, 30, "deadline", i) : 300;
  traits.is_child = draw.happens(400, "is_child", i);
  // A child cannot say so much of itself.
  traits.refers = !traits.is_child && draw.happens(600, "refers", i);
  if (traits.names_messages && draw.happens(400, "has_parts", i)) traits.most_parts = draw.between(2, 4, "parts", i);
  if (draw.happens(500, "small_pipe", i)) traits.pipe_bytes = draw.between(50, 400, "pipe", i);
  return traits;
}

void add_arrivals(Plan& plan, Microseconds first, Microseconds spread, const Draw& draw) {
  for (int network = 0; network < static_cast<int>(plan.networks.size()); ++network) {
    for (int user = 0; user < plan.users; ++user) {
      const auto i = static_cast<std::uint64_t>(network * 100 + user);
      // One after the other: a user's registrations wait for each other.
      for (int account = 0; account < accounts_of(plan, user); ++account) {
        const Microseconds at = first + 2 * account * spread;
        const auto each = i + static_cast<std::uint64_t>(account) * 10'000;
        plan.steps.push_back(
            {at + draw.between(0, spread, "registers", each), Act::register_user, network, user, 0, 0, account});
      }
      plan.steps.push_back(
          {first + spread + draw.between(0, spread, "comes", i), Act::come_online, network, user, 0, 0});
    }
  }
}

// The first letter of a text, which says what it is.
char letter_of(Act act) {
  switch (act) {
    case Act::correct: return 'e';
    case Act::retract: return 't';
    case Act::react: return 'r';
    case Act::contact_edits: return 'f';
    case Act::contact_retracts: return 'h';
    case Act::contact_reacts: return 'g';
    case Act::receive: return 'n';
    default: return 'm';
  }
}

std::string subject(const Step& step) { return account_name(step) + " at " + network_name(step.network); }

// A further account under an alias; rarely two.
int draw_accounts(const Draw& draw, std::uint64_t user) {
  if (!draw.happens(300, "has_accounts", user)) return 1;
  return draw.happens(150, "has_three_accounts", user) ? 3 : 2;
}

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  const Draw draw(seed);
  Plan plan;
  plan.seed = seed;
  const auto networks = draw.happens(250, "networks") ? 2 : 1;
  for (int i = 0; i < networks; ++i) plan.networks.push_back(draw_traits(draw, static_cast<std::uint64_t>(i)));
  plan.users = static_cast<int>(draw.between(1, 3, "users"));
  plan.contacts = static_cast<int>(draw.between(1, 4, "contacts"));
  for (int user = 0; user < plan.users; ++user)
    plan.accounts.push_back(draw_accounts(draw, static_cast<std::uint64_t>(user)));
  plan.server_keeps_messages = draw.happens(600, "keeps");
  plan.most_link_delay = draw.happens(300, "slow_link") ? 400'000 : 3'000;
  plan.most_store_delay = draw.happens(300, "slow_store") ? 400'000 : 3'000;
  plan.most_network_delay = draw.happens(300, "slow_network") ? 4'000'000 : 200'000;
  plan.bad_luck = draw.happens(500, "bad_luck") ? 400 : 50;
  add_arrivals(plan, 1'000'000, 500'000, draw);
  const auto count = static_cast<std::uint64_t>(draw.between(10, 70, "steps"));
  const Microseconds begins = 3'000'000, lasts = draw.happens(500, "short") ? 5'000'000 : 40'000'000;
  Microseconds burst = begins;
  for (std::uint64_t i = 1; i <= count; ++i) {
    // Half of the steps come together with the one before: within one turn, or a few milliseconds.
    const Microseconds at = draw.happens(500, "together", i) ? burst + draw.wait(20'000, "burst", i)
                                                             : begins + draw.between(0, lasts, "at", i);
    burst = at;
    const Act act = draw_act(draw, i);
    Step step{at,
              act,
              static_cast<int>(draw.between(0, networks - 1, "network", i)),
              static_cast<int>(draw.between(0, plan.users - 1, "user", i)),
              static_cast<int>(draw.between(0, plan.contacts - 1, "contact", i)),
              draw_number(draw, act, i)};
    step.account = static_cast<int>(draw.between(0, accounts_of(plan, step.user) - 1, "account", i));
    // A removal that the store refuses.
    if (act == Act::unregister_user && draw.happens(300, "refused", i)) {
      plan.steps.push_back({at, Act::fail_statement, step.network, step.user, 0, draw.between(1, 6, "refused_at", i)});
    }
    plan.steps.push_back(step);
    // Bursts are where queues show what they are.
    const auto more = act == Act::send && draw.happens(150, "many", i) ? draw.between(3, 20, "how_many", i) : 0;
    for (std::int64_t n = 1; n <= more; ++n) {
      step.number = static_cast<std::int64_t>(i) * 1000 + n;
      step.at += draw.happens(800, "at_once", i) ? 0 : 1000;
      plan.steps.push_back(step);
    }
  }
  std::stable_sort(plan.steps.begin(), plan.steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  plan.healed_at = std::max(begins + lasts, plan.steps.back().at) + 1'000'000;
  plan.ends_at = plan.healed_at + 900'000'000;
  plan.ages = draw.happens(30, "ages");
  return plan;
}

Plan short_plan(connector::Idempotency idempotency) {
  Plan plan;
  plan.seed = 1;
  plan.networks.emplace_back();
  plan.networks.front().idempotency = idempotency;
  plan.bad_luck = 0;
  plan.contacts = 2;
  plan.most_link_delay = plan.most_store_delay = 1'000;
  plan.most_network_delay = 50'000;
  plan.steps = {{100'000, Act::register_user, 0, 0, 0, 0}, {200'000, Act::come_online, 0, 0, 0, 0}};
  for (std::int64_t i = 1; i <= 4; ++i) {
    plan.steps.push_back({500'000 + i / 2 * 1'000, Act::send, 0, 0, static_cast<int>(i % 2), i});
    plan.steps.push_back({500'500 + i / 2 * 1'000, Act::receive, 0, 0, static_cast<int>(i % 2), i + 10});
  }
  plan.steps.push_back({900'000, Act::subscribe, 0, 0, 0, 20});
  plan.steps.push_back({1'000'000, Act::send, 0, 0, 0, 21});
  std::stable_sort(plan.steps.begin(), plan.steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  plan.healed_at = 3'000'000;
  plan.ends_at = plan.healed_at + 700'000'000;
  return plan;
}

Plan leaving_plan() {
  Plan plan = short_plan(connector::Idempotency::none);
  plan.steps = {{100'000, Act::register_user, 0, 0, 0, 0},
                {200'000, Act::come_online, 0, 0, 0, 0},
                {500'000, Act::send, 0, 0, 0, 1},
                {500'100, Act::send, 0, 0, 0, 2},
                {510'000, Act::unregister_user, 0, 0, 0, 0},
                {510'100, Act::send, 0, 0, 0, 3},
                {800'000, Act::receive, 0, 0, 0, 11},
                {900'000, Act::register_user, 0, 0, 0, 0},
                {1'000'000, Act::send, 0, 0, 0, 4},
                {1'100'000, Act::receive, 0, 0, 0, 12}};
  return plan;
}

int accounts_of(const Plan& plan, int user) {
  const auto index = static_cast<std::size_t>(user);
  return index < plan.accounts.size() ? plan.accounts[index] : 1;
}

bool is_account(const Plan& plan, const std::string& account) {
  for (int user = 0; user < plan.users; ++user) {
    for (int i = 0; i < accounts_of(plan, user); ++i) {
      if (account_name(user, i) == account) return true;
    }
  }
  return false;
}

bool never_comes(const Plan& plan, const std::string& network, const std::string& account) {
  return plan.ages && network == network_name(0) && owner_of(account) == user_name(0);
}

std::string user_name(int user) {
  constexpr std::array names = {"romeo", "juliet", "mercutio", "nurse"};
  return names.at(static_cast<std::size_t>(user));
}
std::string account_name(int user, int account) {
  constexpr std::array marks = {"", "~work", "~home"};
  return user_name(user) + marks.at(static_cast<std::size_t>(account));
}
std::string account_name(const Step& step) { return account_name(step.user, step.account); }
std::string owner_of(const std::string& account) { return account.substr(0, account.find('~')); }
std::string mark_of(const std::string& account) { return account.substr(owner_of(account).size()); }
std::string contact_name(int contact) {
  return is_user(contact) ? user_name(contact - first_user_contact) : fmt::format("c{}", contact + 1);
}
std::string network_name(int network) { return fmt::format("net{}", network + 1); }
std::string sent_text(const Step& step) {
  return fmt::format("{}{} of {}", letter_of(step.act), step.number, account_name(step));
}
std::string received_text(const Step& step) {
  return fmt::format("{}{} for {}", letter_of(step.act), step.number, account_name(step));
}
std::string stanza_of(const Step& step) {
  const char letter = step.act == Act::send ? 's' : letter_of(step.act);
  return fmt::format("{}{}-{}-{}", letter, step.number, account_name(step), network_name(step.network));
}
std::string text_of_stanza(std::string_view id) {
  const auto first = id.find('-'), last = id.rfind('-');
  const bool is_ours = !id.empty() && std::string_view("setr").find(id.front()) != std::string_view::npos;
  if (!is_ours || first == std::string_view::npos || first == last) return "";
  const char letter = id.front() == 's' ? 'm' : id.front();
  return fmt::format("{}{} of {}", letter, id.substr(1, first - 1), id.substr(first + 1, last - first - 1));
}

std::string describe(const Step& s) {
  const std::string who = subject(s), contact = contact_name(s.contact);
  switch (s.act) {
    case Act::register_user: return who + " registers";
    case Act::unregister_user: return who + " unregisters";
    case Act::come_online: return who + " comes online";
    case Act::go_offline: return who + " goes offline";
    case Act::send: return fmt::format("{} sends \"{}\" to {}", who, sent_text(s), contact);
    case Act::send_again: return who + " sends the newest message to " + contact + " once more, the same stanza";
    case Act::correct: return fmt::format("{} corrects a message to {}: \"{}\"", who, contact, sent_text(s));
    case Act::retract: return fmt::format("{} takes a message to {} back: \"{}\"", who, contact, sent_text(s));
    case Act::react: return fmt::format("{} reacts in the chat with {}: \"{}\"", who, contact, sent_text(s));
    case Act::subscribe: return who + " adds " + contact;
    case Act::unsubscribe: return who + " removes " + contact;
    case Act::answer_contact: return who + " accepts " + contact;
    case Act::ask: return who + " asks about the gateway, or about " + contact;
    case Act::talk: return who + " talks with the gateway";
    case Act::receive: return fmt::format("{} writes \"{}\" to {}", contact, received_text(s), who);
    case Act::contact_edits: return fmt::format("{} edits a message to {}: \"{}\"", contact, who, received_text(s));
    case Act::contact_retracts:
      return fmt::format("{} takes a message to {} back: \"{}\"", contact, who, received_text(s));
    case Act::contact_reacts:
      return fmt::format("{} reacts in the chat with {}: \"{}\"", contact, who, received_text(s));
    case Act::report_nonsense: return "the network of " + who + " reports on a message that nobody sent";
    case Act::contact_presence: return fmt::format("{} presences of contacts for {}", s.number, who);
    case Act::contact_asks: return contact + " asks to see " + who;
    case Act::list_contacts: return "the network lists the contacts of " + who;
    case Act::end_session: return "the network's connection of " + who + " breaks";
    case Act::need_login: return "the network wants a new login of " + who;
    case Act::network_away: return fmt::format("{} is away for {} ms", network_name(s.network), s.number);
    case Act::restart: return "wherry is restarted (SIGTERM)";
    case Act::kill: return "wherry is killed";
    case Act::cut_link: return "the link of " + network_name(s.network) + " is cut";
    case Act::stall_server:
      return fmt::format("the server reads nothing from {} for {} ms", network_name(s.network), s.number);
    case Act::refuse_link: return fmt::format("the server refuses {} for {} ms", network_name(s.network), s.number);
    case Act::slow_store: return fmt::format("the store is slow for {} ms", s.number);
    case Act::fail_statement: return fmt::format("the store refuses the {}. statement from now", s.number);
    case Act::lose_store: return fmt::format("the store is lost for {} ms", s.number);
    case Act::die_before_commit: return fmt::format("wherry dies just before the {}. commit from now", s.number);
    case Act::die_after_commit: return fmt::format("wherry dies just after the {}. commit from now", s.number);
    case Act::jump_clock: return fmt::format("the clock jumps by {} s", s.number);
  }
  return "?";
}

std::string describe(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.networks.size(); ++i) {
    const NetworkTraits& t = plan.networks[i];
    constexpr std::array kinds = {"by_key", "queryable", "none"};
    text += fmt::format("  {}: {}idempotency {}{}{}{}{}{}{}{}, deadline {} s\n", network_name(static_cast<int>(i)),
                        t.is_child ? fmt::format("a child behind pipes of {} bytes, ", t.pipe_bytes) : "",
                        kinds.at(static_cast<std::size_t>(t.idempotency)), t.has_presence ? ", presence" : "",
                        t.has_contact_list ? ", contact list" : "", t.reports_delivery ? ", reports" : "",
                        t.names_messages ? " by ids of its own" : "",
                        t.most_parts > 1 ? fmt::format(", in up to {} parts", t.most_parts) : "",
                        t.refers ? ", refers to messages" : "", t.follows_presence ? ", sessions follow presence" : "",
                        t.deadline_s);
  }
  text += fmt::format(
      "  the server {} messages for who is away; delays up to: link {} us, store {} us, network {} us; bad luck {} of "
      "1000\n",
      plan.server_keeps_messages ? "keeps" : "gives back", plan.most_link_delay, plan.most_store_delay,
      plan.most_network_delay, plan.bad_luck);
  for (int user = 0; user < plan.users; ++user) {
    const int last = accounts_of(plan, user) - 1;
    for (int account = 1; account <= last; ++account)
      text += fmt::format("  {} has an account {}, too\n", user_name(user), account_name(user, account));
  }
  for (const CarrierTraits& carrier : plan.carriers) text += "  a carrier: " + describe(carrier) + "\n";
  if (plan.oscar) text += "  " + describe(*plan.oscar) + "\n";
  if (plan.repeats_references) text += "  long texts have one reference and begin alike\n";
  if (plan.ages)
    text += fmt::format("  {} at {} never comes again, and at the end a month passes\n", user_name(0), network_name(0));
  if (plan.dies_at_turn) text += fmt::format("  wherry is killed at turn {} of its loop\n", plan.dies_at_turn);
  if (plan.session_ends_at_turn)
    text += fmt::format("  every session breaks at turn {} of the loop\n", plan.session_ends_at_turn);
  if (plan.store_fault_at)
    text += fmt::format("  at operation {} of the store: {}\n", plan.store_fault_at,
                        describe(Step{0, plan.store_fault, 0, 0, 0, 0}));
  for (const Step& step : plan.steps)
    text += fmt::format("  {:10.6f} {}\n", static_cast<double>(step.at) / 1e6, describe(step));
  return text;
}

}  // namespace wherry::simulation
