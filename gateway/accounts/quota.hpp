// How much work people may have under way at once. What somebody asks for beyond it is refused at once, so that it
// costs nobody else.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace wherry::accounts {

struct QuotaLimits {
  std::size_t of_user = 0;           // of each registered user
  std::size_t of_stranger = 0;       // of each address that is not registered
  std::size_t of_all_strangers = 0;  // of these together: anybody may have any number of addresses
};

class Quota {
 public:
  // The place of one piece of work, until this is destroyed. May outlive the Quota.
  class Place;

  explicit Quota(QuotaLimits limits);

  // `person`: the same text is the same person. Nothing where they, or all strangers together, have too much under way.
  std::optional<Place> take(const std::string& person, bool is_registered);

 private:
  struct Taken;

  QuotaLimits limits_;
  std::shared_ptr<Taken> taken_;
};

class Quota::Place {
 public:
  Place(std::shared_ptr<Taken> taken, std::string person, bool is_registered);
  Place(Place&&) noexcept = default;
  Place& operator=(Place&&) = delete;
  ~Place();

 private:
  std::shared_ptr<Taken> taken_;  // null: moved from
  std::string person_;
  bool is_registered_;
};

}  // namespace wherry::accounts
