// What networks tell of people, in the contract's words. Pure.
#pragma once

#include "connectors/oscar/client/services/icq.hpp"
#include "gateway/connector/contract.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::oscar {

// With the details phone, email, birthday, gender, homepage, city, country, about, first_name, last_name and nick, as
// far as they are known.
connector::Profile to_profile(const IcqDetails& details, const std::string& code_page);
connector::ListedContact to_listed(const FoundUser& user, const std::string& code_page);

// What to ask ICQ's services for what a person typed: all answers count. None where it is nothing to search for.
std::vector<std::string> to_searches(std::string_view words, const std::string& code_page);

// English, by ICQ's own numbers (most are those of telephones); empty: it is not known here.
std::string_view country_of(std::uint16_t number);

}  // namespace wherry::oscar
