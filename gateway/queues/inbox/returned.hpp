// What a user's server gives back, and when it is tried again (DECISIONS.md 22, 29). Pure: it decides, the inbox acts.
//
//   taken     the newest messages that our server has taken, whole: their user's server may still give them back
//   waiting   what came back: ids of rows that only the store has, until they are sent anew
//   tried     when the user comes, unless it came back so often while they were there; and by itself when it is as old
//   again
//             as when it came back, by a clock that only goes forward
// Not promised: that a message is remembered which was taken long ago. A flood for one user shortens that time for all.
//
// Times are milliseconds of a clock that only goes forward, unless it is said otherwise.
#pragma once

#include "gateway/convert/delivery.hpp"

#include <boost/circular_buffer.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace wherry::queues {

// A message, or word of a failure, on its way to a user.
struct Incoming {
  std::int64_t id = 0;  // its row's
  base::AccountId account;
  std::int64_t created = 0;  // since 1970, for its row; also of what is sent anew
  std::int64_t born = 0;     // the same moment by the clock that only goes forward (Returned::born)
  convert::Delivery delivery;
  int refusals = 0;        // how often, in this run, it came back while its user was there
  bool came_back = false;  // its row is the affair of Returned now
};

// About.
std::size_t bytes_in_memory(const convert::Delivery& delivery);

class Returned {
 public:
  static constexpr std::size_t most_taken = 1000, most_taken_bytes = 512 << 10;
  static constexpr std::int64_t least_wait = 30 * 60 * 1000, most_wait = 24 * 60 * 60 * 1000;
  static constexpr int most_refusals = 3;

  struct Waiting {
    std::int64_t id = 0;
    std::int64_t born = 0;
    std::int64_t due = 0;  // when it is tried without the user's coming
    int refusals = 0;
  };

  Returned() : taken_(most_taken) {}

  // When that was made which is so old by the time of day, as its row says. That may be wrong by years: `most_wait` of
  // it counts at most.
  static std::int64_t born(std::int64_t now, std::int64_t age);

  // What the user is to read, whenever they come; a receipt that its device no longer waits for is nothing to keep.
  static bool is_for_reading(const convert::Delivery& delivery);

  // Our server has taken it. In the order of their ids; what is not for reading is not kept.
  void put_taken(Incoming message);
  // Null: it is not remembered, or it is not that account's. Valid until the next put_taken().
  Incoming* find_taken(base::AccountId account, std::int64_t id);

  // It came back at this time, and is the row `id` now.
  void wait(const Incoming& message, std::int64_t id, std::int64_t now);
  // As it was: it could not be sent anew.
  void wait(base::AccountId account, Waiting row) { waiting_[account].push_back(row); }

  // What is to be sent anew when its user comes, or because its time has come: taken out, in the order of their ids.
  std::vector<Waiting> take_for_coming(base::AccountId account);
  std::vector<Waiting> take_due(base::AccountId account, std::int64_t now);
  std::vector<base::AccountId> accounts() const;  // for which something waits

 private:
  template <class Wanted>
  std::vector<Waiting> take_if(base::AccountId account, Wanted wanted);

  std::unordered_map<base::AccountId, std::vector<Waiting>> waiting_;
  boost::circular_buffer<Incoming> taken_;
  std::size_t taken_bytes_ = 0;
};

}  // namespace wherry::queues
