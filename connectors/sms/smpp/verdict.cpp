#include "connectors/sms/smpp/verdict.hpp"

#include <fmt/format.h>

#include <utility>

namespace wherry::sms::smpp {

namespace {

// Words of the configuration, and the standard status that means the same.
constexpr std::pair<std::string_view, std::uint32_t> words[] = {
    {"later", 0x64}, {"throttled", 0x58}, {"refused", 0x65}, {"no_number", 0x0B}, {"misconfigured", 0x15}};

}  // namespace

std::vector<std::string> verdict_words() {
  std::vector<std::string> all;
  for (const auto& [word, like] : words) all.emplace_back(word);
  return all;
}

Verdict verdict_called(std::string_view word, Status status) {
  for (const auto& [known, like] : words) {
    if (known == word && word != "misconfigured") return judge(static_cast<Status>(like));
  }
  Verdict verdict = judge(static_cast<Status>(0x15));
  verdict.text = fmt::format("The SMS service is misconfigured ({}).", to_string(status));
  return verdict;
}

Verdict judge(Status status, const Verdicts& known) {
  const auto found = known.find(static_cast<std::uint32_t>(status));
  return found != known.end() ? found->second : judge(status);
}

Verdict judge(Status status) {
  using Kind = Verdict::Kind;
  using std::chrono::seconds;
  const auto later = [](int wait, int tries, const char* text) {
    return Verdict{Kind::later, seconds(wait), tries, false, false, text};
  };
  const auto refused = [](std::string text) {
    return Verdict{Kind::refused, seconds(0), 0, false, false, std::move(text)};
  };
  // A wrong setting of the link: waiting does not help, but the next message may be as well formed as this one, so the
  // link goes on, and messages wait while a person mends it.
  const auto misconfigured = [](Status s) {
    return Verdict{Kind::later, seconds(300), 0,
                   false,       true,         fmt::format("The SMS service is misconfigured ({}).", to_string(s))};
  };

  switch (static_cast<std::uint32_t>(status)) {  // SMPP 3.4 §5.1.3
    case 0x00: return {Kind::accepted, seconds(0), 0, false, false, {}};
    case 0x58: return {Kind::throttled, seconds(1), 20, false, false, "The SMS service is overloaded."};
    case 0x04: {
      Verdict verdict = later(2, 3, "The SMS service has lost its connection.");
      verdict.rebind = true;
      return verdict;
    }
    case 0x08: return later(30, 3, "The SMS service has an internal error.");
    case 0x14: return later(60, 0, "The recipient's queue at the SMS service is full.");
    case 0x45: return later(30, 3, "The SMS service could not take the message.");
    case 0x64: return later(30, 0, "The recipient's network cannot take messages now.");
    case 0xFF: return later(30, 2, "The SMS service refused the message without a reason.");
    case 0x102: return later(60, 0, "The SMS service is not available.");

    case 0x15:
    case 0x48:
    case 0x49:
    case 0x50:
    case 0x51:
    case 0x53: return misconfigured(status);

    case 0x0A: return refused("The network does not allow this sender.");
    case 0x0B: {
      Verdict verdict = refused("The number does not exist or cannot be reached.");
      verdict.refusal = base::Errc::not_found;
      return verdict;
    }
    case 0x01: return refused("The network does not take a message of this length.");
    case 0x65:
    case 0x66:
    case 0xFE: return refused("The recipient's network refused the message.");
    case 0x101:
    case 0x100:
    case 0x103: return refused("The network does not allow this message.");
    default: return refused(fmt::format("The network refused the message ({}).", to_string(status)));
  }
}

}  // namespace wherry::sms::smpp
