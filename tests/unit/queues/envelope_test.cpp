// Keys: what a network deduplicates by and reports by, over runs and restored backups.
#include "gateway/queues/envelope.hpp"

#include <doctest/doctest.h>

using wherry::queues::Keys;

TEST_CASE("A key names store, run and row, is the same in every later run, and is read back") {
  const Keys first("5707e", {{"aaaa", 10}});
  CHECK(first.of(12) == "5707e-aaaa-12");
  const Keys later("5707e", {{"aaaa", 10}, {"bbbb", 100}});
  CHECK(later.of(12) == "5707e-aaaa-12");
  CHECK(later.of(100) == "5707e-bbbb-100");
  CHECK(later.row_of("5707e-aaaa-12") == 12);
  CHECK(later.row_of("5707e-bbbb-100") == 100);
  CHECK(later.row_of("5707e-bbbb-100-2") == 100);  // a further part of one message
  CHECK(later.of(3) == "5707e-3");                 // of a store's first versions
  CHECK(later.row_of("5707e-3") == 3);
  CHECK(later.row_of("5707e-3-2") == 3);
}

TEST_CASE("What this store did not give out, or gave out before it was restored from a backup, is no key of it") {
  const Keys restored("5707e", {{"aaaa", 10}, {"cccc", 100}});  // a run "bbbb" from 100 on is forgotten
  for (const char* key :
       {"5707e-bbbb-100", "5707e-aaaa-100", "5707e-cccc-12", "5707e-12", "5707f-aaaa-12", "5707e", "5707e-",
        "5707e--12", "5707e-aaaa-", "5707e-aaaa-12x", "5707e-aaaa-+12", "", "5707eaaaa12"}) {
    CAPTURE(key);
    CHECK(!restored.row_of(key));
  }
}
