#include "connectors/msn/client/challenge.hpp"

#include <doctest/doctest.h>

using namespace wherry::msn;

TEST_CASE("A challenge is answered as the known programs do") {
  CHECK(answer_challenge("22210219642164014968") == "85ecb0db8f32113df79ce0892b9a102c");
  CHECK(answer_challenge("13038318816579321232", {"PROD0101{0RM?UBW", "CFHUR$52U_{VIX5T"}) ==
        "5f6ae998b8fa70c37b62980f71a0e736");
  CHECK(answer_challenge("22210219642164014968", {"PROD0119GSJUC$18", "ILTXC!4IXB5FB*PX"}) ==
        "a400af809ac86fbdf6deec7286fc06b8");
}
