// Data forms (XEP-0004 v2.13.1), as far as a gateway shows and reads them.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/xmpp/element.hpp"

#include <map>
#include <string>
#include <vector>

namespace wherry::xmpp {

struct FormField {
  std::string var;
  std::string type;  // text-single, text-private, list-single, boolean, hidden, fixed, jid-single …
  std::string label;
  bool required = false;
  std::vector<std::string> values;
  std::vector<std::string> options;  // of list-single: value and label are the same
};
struct DataForm {
  std::string type;  // form, submit, cancel, result
  std::string title;
  std::string instructions;
  std::vector<FormField> fields;

  // The first value of that field, or "".
  std::string_view value(std::string_view var) const;
};

Element to_element(const DataForm& form);
// bad_input where `x` is no form, a field has no var (but type fixed), or there are more than 200 fields.
base::Result<DataForm> parse_form(const Element& x);

}  // namespace wherry::xmpp
