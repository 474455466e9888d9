// Puts long texts together from their segments, which come in any order, late and twice. Pure: what must survive a restart
// is given back as entries to store, and taken in again by restore().
#pragma once

#include "connectors/sms/encoding.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wherry::sms {

// One segment as it came. It stays undecoded: a careless sender cuts through a surrogate pair or an ESC sequence.
struct Piece {
  std::string group;  // sender, receiver, reference, total: the same for all segments of a text; without '/'
  unsigned total = 1, part = 1;
  Alphabet alphabet = Alphabet::gsm7;
  Shifts shifts;
  std::string octets;
  base::Time arrived;
};

struct Joined {
  std::string id;    // the same after a restart, and for the same segments
  std::string group;
  std::string text;  // with "[…]" where a segment is missing, and a last line that says so
  base::Time arrived;  // its first segment
  std::vector<connector::Entry> forget;  // to be stored once the text is safe: the segments go, a marker comes
  // Nothing to deliver: only an old marker goes.
  bool is_nothing() const { return id.empty(); }
};

class Reassembly {
 public:
  // An unfinished text is given up `patience` after its first segment. A finished one is remembered as long, so that a
  // segment that comes again is known for what it is.
  explicit Reassembly(std::chrono::seconds patience) : patience_(patience) {}

  enum class Outcome {
    waiting,   // for the others
    repeated,  // had been there: nothing to do
    complete,  // `joined` is the whole text
    late,      // of a text that was given up: `joined` is this segment alone
  };
  struct Added {
    Outcome outcome = Outcome::waiting;
    std::vector<connector::Entry> store;  // before the segment is acknowledged
    std::optional<Joined> joined;
    std::optional<Joined> overtaken;  // the remains of another text under the same reference, which begins anew
  };
  Added add(Piece piece);

  // Texts given up by now, with what there is of them; and those that were complete when an earlier run ended.
  std::vector<Joined> expire(base::Time now);

  // A text that was given out counts as delivered. Where its delivery or a store failed, begin again: a new object, and
  // restore() for every entry stored.
  void restore(const connector::Entry& entry, base::Time now);

 private:
  struct Group {
    unsigned total = 1;
    std::int64_t generation = 0;           // when it began, in milliseconds: part of its entries' keys
    std::map<unsigned, Piece> pieces;
    std::map<unsigned, std::string> done;  // digests of what was delivered
    base::Time finished_at;
    bool is_done() const { return pieces.empty() && !done.empty(); }
    base::Time began() const { return base::from_milliseconds(generation); }
  };
  static void begin_anew(Group& group);
  Joined finish(const std::string& name, Group& group, base::Time now);
  std::optional<Joined> give_up_oldest(const std::string& but, base::Time now);
  Joined give_late(const std::string& name, Group& group, const Piece& piece);

  std::chrono::seconds patience_;
  std::map<std::string, Group> groups_;
};

}  // namespace wherry::sms
