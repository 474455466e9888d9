// A number is shown as people write it, with its country (ITU-T E.123 §2.5; ISO 3166-1).
#include "connectors/sms/text/profile.hpp"

#include <doctest/doctest.h>

namespace wherry::sms {

TEST_CASE("A number's profile is how it is written, and its country") {
  const auto profile = profile_of({Address::Type::international, "+14155550132"});
  CHECK(profile.name == "+1 415-555-0132");
  CHECK(profile.details ==
        std::map<std::string, std::string>{{"phone", "+1 415-555-0132"}, {"country", "United States"}});
  CHECK(profile_of({Address::Type::international, "+4915112345678"}).name == "+49 1511 2345678");
  CHECK(profile_of({Address::Type::international, "+4915112345678"}).details.at("country") == "Germany");
}

TEST_CASE("A short code and a name are what they are") {
  CHECK(profile_of({Address::Type::short_code, "72404"}).details ==
        std::map<std::string, std::string>{{"phone", "72404"}});
  CHECK(profile_of({Address::Type::alphanumeric, "ACME"}).name == "ACME");
  CHECK(profile_of({Address::Type::alphanumeric, "ACME"}).details.empty());
}

}  // namespace wherry::sms
