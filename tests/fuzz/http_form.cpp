// application/x-www-form-urlencoded: what was read is the same when it is written and read again.
#include "gateway/net/http_client.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::net;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto fields = parse_form(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!fields) return 0;
  const auto again = parse_form(to_form(*fields));
  HOLDS(again && *again == *fields);
  return 0;
}
