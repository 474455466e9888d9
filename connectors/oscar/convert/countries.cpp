#include "connectors/oscar/convert/people.hpp"

#include <algorithm>
#include <array>

namespace wherry::oscar {

namespace {

struct Country {
  std::uint16_t number;
  std::string_view name;
};
constexpr std::array countries{
    Country{1, "United States"}, Country{7, "Russia"},       Country{20, "Egypt"},      Country{27, "South Africa"},
    Country{30, "Greece"},       Country{31, "Netherlands"}, Country{32, "Belgium"},    Country{33, "France"},
    Country{34, "Spain"},        Country{36, "Hungary"},     Country{39, "Italy"},      Country{40, "Romania"},
    Country{41, "Switzerland"},  Country{42, "Czechia"},     Country{43, "Austria"},    Country{44, "United Kingdom"},
    Country{45, "Denmark"},      Country{46, "Sweden"},      Country{47, "Norway"},     Country{48, "Poland"},
    Country{49, "Germany"},      Country{51, "Peru"},        Country{52, "Mexico"},     Country{53, "Cuba"},
    Country{54, "Argentina"},    Country{55, "Brazil"},      Country{56, "Chile"},      Country{57, "Colombia"},
    Country{58, "Venezuela"},    Country{60, "Malaysia"},    Country{61, "Australia"},  Country{62, "Indonesia"},
    Country{63, "Philippines"},  Country{64, "New Zealand"}, Country{65, "Singapore"},  Country{66, "Thailand"},
    Country{81, "Japan"},        Country{82, "South Korea"}, Country{84, "Vietnam"},    Country{86, "China"},
    Country{90, "Turkey"},       Country{91, "India"},       Country{92, "Pakistan"},   Country{98, "Iran"},
    Country{107, "Canada"},      Country{212, "Morocco"},    Country{213, "Algeria"},   Country{216, "Tunisia"},
    Country{351, "Portugal"},    Country{352, "Luxembourg"}, Country{353, "Ireland"},   Country{354, "Iceland"},
    Country{355, "Albania"},     Country{356, "Malta"},      Country{357, "Cyprus"},    Country{358, "Finland"},
    Country{359, "Bulgaria"},    Country{370, "Lithuania"},  Country{371, "Latvia"},    Country{372, "Estonia"},
    Country{373, "Moldova"},     Country{374, "Armenia"},    Country{375, "Belarus"},   Country{380, "Ukraine"},
    Country{385, "Croatia"},     Country{386, "Slovenia"},   Country{852, "Hong Kong"}, Country{886, "Taiwan"},
    Country{972, "Israel"},      Country{994, "Azerbaijan"}, Country{995, "Georgia"}};

}  // namespace

std::string_view country_of(std::uint16_t number) {
  const auto found = std::find_if(countries.begin(), countries.end(),
                                  [&](const Country& country) { return country.number == number; });
  return found == countries.end() ? std::string_view() : found->name;
}

}  // namespace wherry::oscar
