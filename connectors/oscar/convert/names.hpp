// Who is who: numbers (UINs) and screen names.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/ids.hpp"

#include <string>
#include <string_view>

namespace wherry::oscar {

// The one spelling of a name's many: without spaces, in lower case. What is not UTF-8 stays so: it is nobody's name.
std::string plain_name(std::string_view name);
bool is_uin(std::string_view plain);  // digits only
// What a person typed, or an id, as an id.
base::Result<base::ContactId> parse_contact(std::string_view typed);

}  // namespace wherry::oscar
