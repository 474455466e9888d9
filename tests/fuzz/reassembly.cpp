// Segments in any order, twice, late, with a restart between any two: the memory's own entries can always be restored.
#include "connectors/sms/text/reassembly.hpp"
#include "gateway/base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::sms;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  constexpr std::chrono::seconds patience(60);
  auto now = wherry::base::from_milliseconds(1'700'000'000'000);
  Reassembly reassembly(patience);
  std::map<std::string, std::string> stored;
  const auto store = [&](const std::vector<wherry::connector::Entry>& entries) {
    for (const auto& entry : entries) {
      if (entry.value.empty()) stored.erase(entry.key);
      else stored[entry.key] = entry.value;
    }
  };
  const auto deliver = [&](const Joined& joined) {
    HOLDS(wherry::base::is_utf8(joined.text));
    store(joined.forget);
  };
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    if (what < 16) {  // a restart
      reassembly = Reassembly(patience);
      for (const auto& [key, value] : stored) reassembly.restore({key, value}, now);
    } else if (what < 32) {
      now += std::chrono::seconds(input.byte());
      for (const Joined& joined : reassembly.expire(now)) deliver(joined);
    } else if (what < 40) {  // an entry that somebody spoilt
      reassembly.restore({std::string(input.take(input.byte())), std::string(input.take(input.byte()))}, now);
    } else {
      Piece piece;
      piece.group = "a|b|0|1|" + std::to_string(what & 3);
      piece.total = 1U + (what & 7U);
      piece.part = 1U + input.byte() % piece.total;
      piece.alphabet = static_cast<Alphabet>(input.byte() % 7);
      piece.octets = input.take(input.byte());
      piece.arrived = now;
      const auto added = reassembly.add(std::move(piece));
      store(added.store);
      if (added.overtaken) deliver(*added.overtaken);
      if (added.joined) deliver(*added.joined);
    }
  }
  return 0;
}
