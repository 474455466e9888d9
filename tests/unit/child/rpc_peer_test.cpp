// RpcPeer by itself, at the lines that it writes and takes.
#include "gateway/child/rpc_peer.hpp"

#include "tests/support/played_process.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace wherry;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Peer {
  json written() { return json::parse(pipes->read().value()); }

  asio::io_context loop;
  std::shared_ptr<tests::Pipes> pipes = std::make_shared<tests::Pipes>(loop.get_executor(), 1 << 20);
  tests::PlayedProcess process{pipes, child::RpcPeer::most_line_bytes};
  child::RpcPeer peer{loop.get_executor()};
};

}  // namespace

TEST_CASE("An error that says when to try again says so to the process (schema: retry_after)") {
  Peer p;
  p.peer.attach(p.process);
  p.peer.answer(1, base::Error{base::Errc::unavailable, "later", 30s});
  CHECK(p.written()["error"]["data"] == json({{"code", "unavailable"}, {"retry_after", 30}}));
  p.peer.answer(2, base::Error{base::Errc::unavailable, "some time", {}});
  CHECK(p.written()["error"]["data"] == json({{"code", "unavailable"}}));
}
