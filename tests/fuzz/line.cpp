// What a child connector writes, line by line; and that an event or action that was understood survives being written
// down, as the queues do.
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/values.hpp"
#include "gateway/connector/action_codec.hpp"
#include "gateway/connector/event_codec.hpp"
#include "gateway/connector/json_text.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/asio/io_context.hpp>

using namespace wherry::connector;
using namespace wherry::child;

namespace {

template <class Parse>
void survives(Parse parse, std::string_view text) {
  const auto value = parse(text);
  if (!value) {
    HOLDS(!value.error().text.empty());
    return;
  }
  const std::string written = to_text(*value);
  HOLDS(written.find('\n') == std::string::npos);
  const auto again = parse(std::string_view(written));
  HOLDS(again && to_text(*again) == written);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static boost::asio::io_context loop(1);
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  RpcPeer peer(loop.get_executor());
  if (const auto taken = peer.take(line); !taken) HOLDS(!taken.error().text.empty());
  survives([](std::string_view text) { return parse_event(text); }, line);
  survives([](std::string_view text) { return parse_action(text); }, line);
  if (const auto json = parse_json(line)) {
    (void)parse_greeting(*json);
    (void)parse_form(*json);
    (void)parse_credentials(*json);
    (void)parse_entries(*json);
    (void)parse_receipt(*json);
    (void)parse_contact_answer(*json);
  }
  std::string written;
  append_json_string(written, line);
  HOLDS(parse_json(written));
  return 0;
}
