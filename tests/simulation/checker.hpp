// Whether a history keeps the gateway's promises: not lost, not doubled, not lied about. Pure.
#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/plan.hpp"

#include <string>
#include <vector>

namespace wherry::simulation {

enum class Rule {
  lost,           // what was accepted is with the network, or its sender was told
  farewell,       // also what came while wherry was stopping in good order
  doubled,        // a message that its sender sent once is with the network once
  resent,         // also where the client sends the same stanza again without having heard that it failed
  uncertain,      // that is said only of what the network was asked to send
  order_out,      // per chat
  receipt,        // only for what was delivered, to whom sent it
  unreceipted,    // what a carrier has told without a doubt, its sender hears
  impatient,      // a trouble that passes is no reason to give a text up
  garbled,        // what somebody reads is what was written, or says that something is missing; that only where it is
  unanswered,     // every iq that reached a link which lived on
  foreign,        // nobody gets what is another's
  misdirected,    // what is said of a message names that message on the other side; what is said of nobody's, none
  in_words,       // … and where both sides know it, that is not merely put in words
  incoming_lost,  // what the network may forget, the user gets
  asleep,         // whoever is registered gets what is written to them: their session comes up again
  incoming_doubled,  // … once, or again under the same stanza id after a link's or a process's end
  order_in,          // per chat
  queues,            // after quiet nothing waits
  tasks,             // … and of a stopped gateway no coroutine is left; it stops, and does not spin
  contract,          // of the connector interface
  memory,            // bounded
};

struct Breach {
  Rule rule;
  std::string text;
};

std::string to_string(Rule rule);

std::vector<Breach> check(const Plan& plan, const History& history);

}  // namespace wherry::simulation
