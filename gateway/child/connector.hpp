// A connector that runs as a child process and speaks JSON-RPC 2.0 lines: any language, any licence, and its crash is
// its own. The protocol is schemas/connector-protocol.schema.json; connectors/README.md explains it.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/net/line_process.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace wherry::child {

using namespace connector;  // it is the contract's other face, and speaks its words

// How long the child may take.
struct ChildLimits {
  std::chrono::seconds hello{20};     // from its start to its description
  std::chrono::seconds perform{120};  // then the outcome is uncertain
  std::chrono::seconds answer{20};    // to parse_contact, query and capabilities
  std::chrono::seconds piece{120};    // of a file, and for its end: then it is given up
  std::chrono::seconds ping{30};      // between pings, and for the answer to one: a child that hangs is restarted
  std::chrono::seconds stop{5};       // to end after its standard input is closed
  base::BackoffPolicy link{};         // before it is asked to `run` again
};

// As net::LineProcess::start, which it is but for tests.
using StartProcess = std::function<Result<std::unique_ptr<net::LineProcess>>(
    asio::any_io_executor executor, std::vector<std::string> command, std::vector<std::string> environment,
    std::size_t most_line_bytes)>;

// Starts the child and returns once it has said what its network is. `configuration`:
//
//   {"command": ["python3", "echo.py"], "environment": {"NAME": "value"}, "configuration": {…handed to the child…}}
//
// The error's text begins with the offending key's path; the child's own complaint is put behind "configuration.".
// The connector's run() reads what the child says and restarts it: without run() nothing else is answered.
asio::awaitable<Result<std::unique_ptr<Connector>>> make_child_connector(nlohmann::json configuration,
                                                                         Services services, ChildLimits limits = {},
                                                                         StartProcess start = net::LineProcess::start);

}  // namespace wherry::child
