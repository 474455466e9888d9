// Puts long texts together from their segments, which come in any order, late and twice. Pure: what must survive a
// restart is given back as entries to store, and taken in again by restore().
#pragma once

#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
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
  std::string charset = {};  // where iconv must read it
  bool again = false;        // our answer to the same octets may be lost: see parts/redelivery.hpp
};

struct Joined {
  std::string id;  // the same after a restart, and for the same segments
  std::string group;
  std::string text;                      // with "[…]" where a segment is missing, and a last line that says so
  base::Time arrived;                    // its first segment
  std::vector<connector::Entry> forget;  // to be stored once the text is safe: the segments go, a marker comes
  // Nothing to deliver: only an old marker goes.
  bool is_nothing() const { return id.empty(); }
};

class Reassembly {
 public:
  // Of each so many at most: then the oldest unfinished text is given up, and the oldest finished one forgotten.
  static constexpr std::size_t most_unfinished = 20'000, most_finished = 20'000;

  // An unfinished text is given up `patience` after its first segment. A finished one is remembered as long, so that a
  // segment that comes again is known for what it is: it is the same only where our answer to the first may be lost,
  // else it begins another text. A text whose beginning equals that of an unfinished one under the same reference is
  // not told from it.
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
  // restore() for every entry stored, in their order. False: the entry cannot be read.
  bool restore(const connector::Entry& entry, base::Time now);

 private:
  struct Group {
    unsigned total = 1;
    std::int64_t generation = 0;  // when it began, in milliseconds: part of its entries' keys
    std::map<unsigned, Piece> pieces;
    std::map<unsigned, std::string> done;  // digests of what was delivered
    base::Time since;                      // of its patience: it began, or was finished
    bool is_done() const { return pieces.empty() && !done.empty(); }
    base::Time began() const { return base::from_milliseconds(generation); }
  };
  using Groups = std::map<std::string, Group>;
  using Ages = std::set<std::pair<base::Time, std::string>>;  // the oldest first

  static void begin_anew(Group& group);
  void begin(Groups::value_type& entry, base::Time now);
  bool is_whole(const std::string& name) const;
  Joined finish(const std::string& name, Group& group, base::Time now);
  void remember(const std::string& name, Group& group, base::Time now);
  Joined forget(const std::string& name);
  Joined give_late(const std::string& name, Group& group, const Piece& piece);
  void restore_marker(const std::string& name, const std::string& value, base::Time now);
  void restore_piece(const std::string& name, std::int64_t generation, const std::string& value);
  void follow_clock(base::Time now);

  std::chrono::seconds patience_;
  Groups groups_;
  Ages unfinished_, finished_;   // by Group::since
  std::set<std::string> whole_;  // that an earlier run left with all their segments
  // of texts that others under their names had overtaken in an earlier run
  std::vector<std::pair<std::string, Group>> remains_;
};

}  // namespace wherry::sms
