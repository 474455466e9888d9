// What an SMS centre sends: cut or whole it is answered alike, and every message is read as something.
#include "connectors/sms/smpp/deliver.hpp"
#include "connectors/sms/smpp/wire/protocol.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::sms::smpp;

namespace {

constexpr Protocol::Time now{};

Protocol bound() {
  Protocol protocol(ProtocolLimits{}, now);
  const auto sequence = protocol.request(Command::bind_transceiver, encode_body(Bind{}), now);
  protocol.feed(encode(response_to(Command::bind_transceiver), Status::ok, sequence, encode_c_string("smsc")), now);
  (void)protocol.take_output();
  (void)protocol.take_events();
  return protocol;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::size_t step = input.byte() + std::size_t{1};
  Setting setting;
  setting.binary_is_text = (input.byte() & 1) != 0;

  Protocol whole = bound(), cut = bound();
  whole.request(Command::submit_sm, {}, now);
  cut.request(Command::submit_sm, {}, now);
  const std::string_view octets = input.rest();
  whole.feed(octets, now);
  for (std::size_t i = 0; i < octets.size(); i += step) cut.feed(octets.substr(i, step), now);
  const auto events = whole.take_events(), pieces = cut.take_events();
  HOLDS(events.size() == pieces.size());
  HOLDS(whole.ended() == cut.ended());
  for (const auto& event : events) {
    if (const auto* answered = std::get_if<Answered>(&event)) (void)decode_named_response(answered->body);
    const auto* asked = std::get_if<Asked>(&event);
    if (!asked) continue;
    const auto again = decode_short_message(asked->command, encode_body(asked->message, asked->command));
    HOLDS(again.status == Status::ok && again.message == asked->message);
    (void)read_message(asked->message, setting);
    (void)content_digest(asked->message);
  }
  return 0;
}
