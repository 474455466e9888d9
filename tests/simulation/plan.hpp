// What happens in one run, drawn from a seed before anything runs: who there is, and a list of steps, any of which can
// be left out (that is how a failure is shrunk).
#pragma once

#include "gateway/connector/contract.hpp"
#include "tests/simulation/draw.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wherry::simulation {

using Microseconds = std::int64_t;  // since the beginning of the run

enum class Act {
  register_user,  // with an iq; again: anew
  unregister_user,
  come_online,  // presence to the gateway, from one of the user's resources
  go_offline,
  send,        // a message to a contact; `number` names it
  send_again,  // the same stanza once more: id, origin-id and body
  correct,     // says of a message to that contact, or of one that is not known there, how it reads now
  retract,     // … that it is taken back
  react,       // … what they think of it; also of a contact's message
  subscribe,   // to a contact
  unsubscribe,
  answer_contact,    // subscribed to a contact that asked
  ask,               // an iq, of the gateway or a contact, which must be answered
  talk,              // a line to the gateway, which must be answered, too; it may begin a login
  receive,           // a message from a contact; `number` names it
  contact_edits,     // what they wrote, or what nobody has
  contact_retracts,  // … the same
  contact_reacts,    // … also to the user's messages
  report_nonsense,   // delivered: a message that nobody sent
  contact_presence,  // of `number` contacts, in one turn
  contact_asks,
  list_contacts,
  end_session,   // the network's connection of the user breaks
  need_login,    // the network no longer takes the user's credentials
  network_away,  // sessions and connections fail, for `number` ms
  restart,       // SIGTERM, and a new process
  kill,          // kill -9, and a new process
  cut_link,
  stall_server,       // it reads nothing for `number` ms
  refuse_link,        // nobody listens at its port for `number` ms
  slow_store,         // each transaction takes up to a second more, for `number` ms
  fail_statement,     // the store refuses the `number`th statement from now
  lose_store,         // it cannot be reached for `number` ms
  die_before_commit,  // the `number`th commit from now is the process's last act, and is not on disk
  die_after_commit,   // … and is on disk, and nobody learns it
  jump_clock,         // by `number` s, either way
};

struct Step {
  Microseconds at = 0;
  Act act = Act::send;
  int network = 0, user = 0, contact = 0;
  std::int64_t number = 0;
  int account = 0;  // which of the user's on that network
};

struct NetworkTraits {
  connector::Idempotency idempotency = connector::Idempotency::none;
  bool has_presence = false, has_contact_list = false, reports_delivery = true;
  bool names_messages = false;      // gives ids of its own, by which it reports
  bool refers = false;              // edits, retracts, and has reactions; its messages are named later
  std::int64_t most_parts = 1;      // into which it cuts a message, where it names messages
  bool follows_presence = false;    // sessions are up while the user is there
  std::int64_t deadline_s = 300;    // how long a send is tried
  bool is_child = false;            // its connector is a process, which may misbehave
  std::int64_t pipe_bytes = 65536;  // that a pipe to it holds
};

// The ids that an SMS centre gives to texts, and how its receipts repeat them.
enum class Ids {
  names,         // never again, and in no other notation
  decimal,       // numbers
  hex_answers,   // hexadecimal in the answer, decimal in the receipt
  hex_receipts,  // the reverse
  padded,        // a receipt's number has leading zeros
  by_recipient,  // counted anew for each recipient: several texts have the same
  by_text,       // all segments of a text have the same
};
// What makes a receipt one.
enum class ReceiptForm {
  text,        // SMPP 3.4 appendix B, and its bits in esm_class
  parameters,  // receipted_message_id and message_state
  both,
  unmarked,  // the text, without the bits
};
// What a provider's list says of what was sent.
enum class List {
  faithful,
  redacted,   // no texts, and numbers without their end
  rewritten,  // something is added to texts
  late,       // up to some seconds
};
// One carrier of the connector "sms".
struct CarrierTraits {
  bool is_http = false;
  // ---- Over HTTP: an account at a provider ----
  List list = List::faithful;
  std::int64_t clock_off_s = 0;  // of its clock
  // ---- Over SMPP: a centre ----
  bool two_binds = false;  // a transmitter and a receiver
  Ids ids = Ids::names;
  ReceiptForm receipts = ReceiptForm::text;
  bool reports_on_transmitter = false;  // receipts come over the link that sends
  bool swaps_addresses = false;         // of its receipts
  int concatenation = 0;                // of udh, udh16, sar
  std::int64_t window = 10;
};

// The server of the connector "oscar".
struct OscarTraits {
  bool is_aim = false;  // screen names in place of numbers
  bool has_icq_services =
      true;                     // by which kept messages stay until they are deleted; else it deletes what it gives out
  bool keeps_silently = false;  // says nothing when it keeps a message for who is away
  bool is_slow = false;         // its rates allow three messages at once, then one in five seconds
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<NetworkTraits> networks;
  int users = 1, contacts = 1;        // contacts: of each user
  std::vector<int> accounts;          // of each user, on every network: accounts_of()
  bool server_keeps_messages = true;  // for those who are away; else it gives them back
  Microseconds most_link_delay = 5'000, most_store_delay = 5'000, most_network_delay = 300'000;
  int bad_luck = 300;          // of a thousand performs, how many end otherwise than by success at once
  std::vector<Step> steps;     // in order of time
  Microseconds healed_at = 0;  // from here on nothing fails any more, and everybody is there
  Microseconds ends_at = 0;    // everything must be settled by then
  // the first user of the first network never comes again, and at the end a month passes
  bool ages = false;
  std::int64_t dies_at_turn = 0;          // the process is killed before that turn of its loop; 0: not so
  std::int64_t session_ends_at_turn = 0;  // … or every session breaks there
  // the operation of the store, counted from the start, that `store_fault` befalls; 0: none
  std::int64_t store_fault_at = 0;
  Act store_fault = Act::fail_statement;
  // Where there are any, the one network is the connector "sms", and these are its carriers. The users' numbers are
  // spread over them.
  std::vector<CarrierTraits> carriers;
  // Every contact's long texts have one reference and begin alike; each waits for the one before.
  bool repeats_references = false;
  std::optional<OscarTraits> oscar;  // the one network is the connector "oscar"
  bool is_over_sms() const { return !carriers.empty(); }
};

Plan draw_plan(std::uint64_t seed);
// The same users and faults, over the connector "sms" (sms_plan.cpp).
Plan draw_sms_plan(std::uint64_t seed);
// … and over the connector "oscar" (oscar_plan.cpp).
Plan draw_oscar_plan(std::uint64_t seed);
// A short exchange in both directions without any fault: what exhaustive runs vary.
Plan short_plan(connector::Idempotency idempotency);
// A user who leaves in the middle of it, and comes back.
Plan leaving_plan();

int accounts_of(const Plan& plan, int user);

// Whether somebody has this account; else it is what a user wrote where a question was open.
bool is_account(const Plan& plan, const std::string& account);

// Whether it is an account of the user who never comes again.
bool never_comes(const Plan& plan, const std::string& network, const std::string& account);

std::string user_name(int user);  // "romeo"
// Of an account, by which everything is told apart: "romeo" is the first one, "romeo~work" a further one, whose alias
// is "work".
std::string account_name(int user, int account);
std::string account_name(const Step& step);
std::string owner_of(const std::string& account);  // "romeo"
std::string mark_of(const std::string& account);   // as it stands in addresses: "" or "~work"
// "c1". Behind the contacts stand the users, by their first accounts, whom others may have on their lists.
std::string contact_name(int contact);
inline constexpr int first_user_contact = 100;
inline bool is_user(int contact) { return contact >= first_user_contact; }
std::string network_name(int network);        // "net1", whose domain is net1.test
std::string sent_text(const Step& step);      // of send: "m3 of romeo~work"; correct: "e3", retract: "t3", react: "r3"
std::string received_text(const Step& step);  // of receive: "n3 for romeo"; contact_edits: "f3", … "h3", "g3"
std::string stanza_of(const Step& step);      // the id of what a user sends: "s3-romeo-net1"; "e3-romeo-net1"
std::string text_of_stanza(std::string_view id);  // the reverse, or nothing
// Like a line of a scenario.
std::string describe(const Step& step);
std::string describe(const Plan& plan);
std::string describe(const CarrierTraits& traits);
std::string describe(const OscarTraits& traits);

}  // namespace wherry::simulation
