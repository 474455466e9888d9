// What a submit_sm_resp's status means for the message: the classes of retriable and permanent failures. Pure.
#pragma once

#include "connectors/sms/smpp/wire/pdu.hpp"
#include "gateway/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::smpp {

struct Verdict {
  enum class Kind {
    accepted,
    throttled,  // too fast: this segment again, first, after a pause of the whole link
    later,      // again after `wait`, at most `tries` times in all (0: as long as the message lives)
    refused,    // for good
  };
  Kind kind = Kind::refused;
  std::chrono::seconds wait{0};
  int tries = 0;
  bool rebind = false;                        // the peer does not hold us for bound
  bool alert = false;                         // the link's configuration is at fault: a person must act
  std::string text;                           // for the sender
  base::Errc refusal = base::Errc::rejected;  // where it is refused: what for
};

Verdict judge(Status status);

// What an operator knows of a status of an SMS centre's own (0x400 to 0x4FF in most), as words of the configuration.
std::vector<std::string> verdict_words();
Verdict verdict_called(std::string_view word, Status status);

using Verdicts = std::map<std::uint32_t, Verdict>;
Verdict judge(Status status, const Verdicts& known);

}  // namespace wherry::sms::smpp
