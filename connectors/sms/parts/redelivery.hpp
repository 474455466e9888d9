// Tells a text that comes again because our answer was lost from one that was sent again. SMPP gives a deliver_sm no
// id: after a break the peer repeats, under a new sequence number, what it holds for unanswered, and people do send
// "ok" twice.
//
// Every text gets a random id, kept beside a digest of sender, receiver and content. An arrival with a digest that is
// on record takes over that id, and is dropped by the inbox, only where the first arrival may have gone unanswered:
//   - it belongs to an earlier session, and was unanswered or answered less than 60 s before that session broke off, or
//   less than 5 s
//     where the peer has shown that it had read our answer (it may die before it has made a note of it);
//   - or to this one, but our answer took 5 s or more, for which a peer may have given up waiting; less than 60 s ago
//   where it has shown that it had the answer all the same;
//   - or we asked for it again (ESME_RX_T_APPN).
// Each arrival on record is matched once per session, so two equal texts before a break match two after it. After those
// 60 or 5 s of the session going on, an answered text is settled and forgotten; after an unbind that was confirmed, at
// once. The entries are stored with the text, in the commit of its publication, so that a killed process knows them
// too. What a text costs does not depend on how many came before it: those that may come again are found by what they
// say, and those that are settled by the time when they are. Pure.
#pragma once

#include "gateway/base/clock.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wherry::sms {

class Redeliveries {
 public:
  explicit Redeliveries(std::chrono::seconds window) : window_(window) {}

  struct Arrival {
    std::string id;
    bool again = false;  // on record already
  };
  Arrival arrived(const std::string& digest, base::Time now);
  void answered(const std::string& id, base::Time now);
  void proved(const std::string& id);     // the peer has our answer
  void refused(const std::string& id);    // with a temporary failure: it will come again
  void withdrawn(const std::string& id);  // with a permanent one: it will not

  // `confirmed`: the peer answered our unbind, and so has all our answers.
  void session_ended(base::Time now, bool confirmed);

  // Ids that need no memory any more, each told once.
  std::vector<std::string> take_forgotten(base::Time now);

  // of an earlier run: perhaps unanswered
  void restore(const std::string& id, const std::string& digest, base::Time at);

  // Entries looked at so far. For tests.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry;
  using Entries = std::map<std::string, Entry>;  // by id
  using ByTime = std::multimap<base::Time, Entries::iterator>;
  // By digest and in the order of arrival: those of which one may come again.
  using Expected = std::map<std::pair<std::string, std::uint64_t>, Entries::iterator>;
  struct Entry {
    std::string digest;
    base::Time arrived;
    std::optional<base::Time> answered;
    std::uint64_t session = 0, number = 0;  // `number`: in the order of arrival
    bool refused = false, proved = false;
    ByTime::iterator due{};
  };
  Entries::iterator begin(const std::string& id, const std::string& digest, base::Time arrived, std::uint64_t session);
  bool is_settled(const Entry& entry, base::Time now) const;
  bool may_come_again(const Entry& entry, base::Time now) const;
  base::Time forgotten_at(const Entry& entry) const;
  void expect(Entries::iterator entry);
  void set_due(Entries::iterator entry);
  void forget(Entries::iterator entry);

  std::chrono::seconds window_;
  std::uint64_t session_ = 1, numbers_ = 0, steps_ = 0;
  Entries entries_;
  ByTime due_;  // when each is forgotten
  Expected expected_;
  std::vector<std::string> forgotten_;
};

}  // namespace wherry::sms
