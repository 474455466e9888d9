// RpcPeer by itself, at the lines that it writes and takes.
#include "gateway/child/rpc_peer.hpp"

#include "tests/support/played_process.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace wherry;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Peer {
  explicit Peer(std::size_t pipe_bytes = 1 << 20)
      : pipes(std::make_shared<tests::Pipes>(loop.get_executor(), pipe_bytes)) {}
  json written() { return json::parse(pipes->read().value()); }

  asio::io_context loop;
  std::shared_ptr<tests::Pipes> pipes;
  tests::PlayedProcess process{pipes, child::RpcPeer::most_line_bytes};
  child::RpcPeer peer{loop.get_executor()};
};

// The answer is due at once.
asio::awaitable<void> ask(child::RpcPeer& peer, std::string method, base::Result<json>& result) {
  std::string params = R"({"filler":"so that it is the longer one"})";
  result = co_await peer.call(std::move(method), std::move(params), 0s, child::RpcPeer::Limit::usual);
}

}  // namespace

TEST_CASE("An error that says when to try again says so to the process (schema: retry_after)") {
  Peer p;
  p.peer.attach(p.process);
  p.peer.answer(1, base::Error{base::Errc::unavailable, "later", 30s});
  CHECK(p.written()["error"]["data"] == json({{"code", "unavailable"}, {"retry_after", 30}}));
  p.peer.answer(2, base::Error{base::Errc::unavailable, "some time", {}});
  CHECK(p.written()["error"]["data"] == json({{"code", "unavailable"}}));
}

TEST_CASE(
    "A request whose time is over is taken back where the process has not seen a byte of it, and is uncertain where it "
    "has") {
  Peer p(40);
  p.peer.attach(p.process);
  const auto call = [&](std::string method) {
    base::Result<json> result = base::Error{base::Errc::rejected, ""};
    tests::run(p.loop, ask(p.peer, std::move(method), result));
    return result.error().code;
  };
  CHECK(call("first") == base::Errc::uncertain);  // it fills the pipe
  CHECK(call("second") == base::Errc::unavailable);
  CHECK(p.written()["method"] == "first");
  for (const int id : {1, 2}) {
    const json cancelled = p.written();
    CHECK(cancelled["method"] == "cancel");
    CHECK(cancelled["params"]["id"] == id);
  }
  CHECK(p.process.taken() == p.process.appended());
}
