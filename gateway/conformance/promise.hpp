// One promise of connectors/README.md, and what can come of holding a child to it.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wherry {
namespace asio = boost::asio;
}

namespace wherry::conformance {

class Host;

// It does not hold. The text says what happened, and what to do.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The same: nothing came within the limit.
struct Silence final : Broken {
  using Broken::Broken;
};
// Whether it holds cannot be seen: why.
struct NotTried final : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Promise {
  std::string_view text;  // "hello is answered with version 2 …"
  int section = 0;        // of connectors/README.md
  // Returns where it holds; throws one of the above.
  asio::awaitable<void> (*check)(Host& host);
};

// Throws Broken where `holds` is false.
void expect(bool holds, const std::string& otherwise);

}  // namespace wherry::conformance
