// The child process that carries a simulated network: another program, with its own life. The gateway's connector for
// it is the real one (gateway/child), over pipes in memory. It keeps the protocol but where the plan has bad luck: then
// it answers late, never or twice, what it did not do or did, says nonsense, hangs, or dies.
#pragma once

#include "gateway/child/connector.hpp"
#include "tests/simulation/network.hpp"

#include <boost/asio/io_context.hpp>

namespace wherry::simulation {

namespace asio = boost::asio;

// Starts such a process, which lives on `loop`, whenever it is called.
child::StartProcess start_child(asio::io_context& loop, Network& network);

// So short that its limits are met.
inline constexpr child::ChildLimits child_limits{.hello = std::chrono::seconds(5),
                                                 .perform = std::chrono::seconds(15),
                                                 .answer = std::chrono::seconds(5),
                                                 .ping = std::chrono::seconds(10),
                                                 .stop = std::chrono::seconds(3)};

}  // namespace wherry::simulation
