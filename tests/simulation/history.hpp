// What was seen of a run, at both ends of the gateway and at its store. The checker knows nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wherry::simulation {

enum class What {
  // ---- The users and their server ----
  sent,         // a message left for the gateway: id, text, contact; `number`: the link it went over; `about`: the id
                // of the stanza of which it says something
  asked,        // an iq: id
  not_sent,     // the link was down; the server told the sender
  told_failed,  // the sender got an error: id; `number` 1: uncertain
  got_receipt,  // for id
  got_message,  // text, from contact; id: of the stanza; `number` 1: it says that it is incomplete; `about`: the id of
                // the stanza that it names
  gave_back,    // the server returned what it just got: text
  got_answer,   // to an iq: id
  got_foreign,  // something that is not the user's: text says what
  registered,   // the gateway said so
  unregistering,  // the iq left
  // ---- The store ----
  stored,  // an outgoing message is committed: text; `number`: its state (store::OutboxState)
  marked,  // … its state has changed
  // ---- The network ----
  performing,    // asked to send: id is the key; text
  taken,         // it has the message now: id is the key; text, contact; `about`: the text of the message that it names
  taken_again,   // the same key, by which it knows that it has it
  acknowledged,  // perform() returns, and says that it is sent: text
  reported,      // as delivered: text; id: of the part, of which there are `number`
  receipted,     // it has told so of every part, in a way that cannot be misunderstood, and was answered: text
  garbled,       // somebody reads what nobody wrote: text
  written,    // a contact wrote: text, contact; `number` 1: a part of it gets lost on the way; `about`: the text of the
              // message in that chat of which it says something
  kept,       // the network keeps what a contact wrote until the user logs in: text
  published,  // publish() returned for it, and the network forgets it: text
  // ---- The process ----
  link_up,
  link_cut,  // `number`: which
  started,
  killed,
  stopping,
  stopped,
  store_fault,
  breach,  // of the contract with a connector: text
  note,    // for the reader only
};

// As the links of the simulation are configured: so small that it is met.
inline constexpr std::size_t link_bytes = 16 << 10;

struct Record {
  std::int64_t at = 0;  // microseconds
  What what = What::note;
  std::string network, user, contact, id, text;
  std::int64_t number = 0;
  std::string about = {};
};

struct History {
  std::vector<Record> records;
  // At the end, after everything was settled:
  std::vector<std::string> rows_left;  // of the queues
  std::vector<Record> mail_left;       // What::written, that the network still has
  bool work_left = false;              // a coroutine of the last process is still there
  bool spins = false;                  // turns without end while no time passed
  bool never_stopped = false;          // SIGTERM was not obeyed within minutes
  std::size_t most_bytes = 0;          // of heap, above what there was at the beginning
  std::size_t most_unsent = 0;         // bytes that waited in front of one link
};

std::string to_line(const Record& record);
std::string to_string(What what);
inline constexpr std::size_t kinds_of_records = static_cast<std::size_t>(What::note) + 1;
std::uint64_t hash_of(const History& history);

}  // namespace wherry::simulation
