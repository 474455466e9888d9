// Tells a text that comes again because our answer was lost from one that was sent again. SMPP gives a deliver_sm no
// id: after a break the peer repeats, under a new sequence number, what it holds for unanswered, and people do send
// "ok" twice.
//
// Every text gets a random id, kept beside a digest of sender, receiver and content. An arrival with a digest that is
// on record takes over that id, and is dropped by the inbox, only where the first arrival may have gone unanswered:
//   - it belongs to an earlier session, and was unanswered or answered less than 60 s before that session broke off, or
//   less than 5 s
//     where the peer has shown that it had read our answer (it may die before it has made a note of it);
//   - or to this one, but our answer took 5 s or more, for which a peer may have given up waiting;
//   - or we asked for it again (ESME_RX_T_APPN).
// Each arrival on record is matched once per session, so two equal texts before a break match two after it. After those
// 60 or 5 s of the session going on, an answered text is settled and forgotten; after an unbind that was confirmed, at
// once. The entries are stored before the text is published, so that a killed process knows them too. Pure.
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

 private:
  struct Entry {
    std::string digest;
    base::Time arrived;
    std::optional<base::Time> answered;
    std::uint64_t session = 0;
    bool refused = false, proved = false;
  };
  bool is_settled(const Entry& entry, base::Time now) const;
  bool may_come_again(const Entry& entry, base::Time now) const;
  void forget(std::map<std::string, Entry>::iterator entry);

  std::chrono::seconds window_;
  std::uint64_t session_ = 1;
  std::map<std::string, Entry> entries_;         // by id
  std::multimap<std::string, std::string> ids_;  // digest → ids, in order of arrival
  std::vector<std::string> forgotten_;
};

}  // namespace wherry::sms
