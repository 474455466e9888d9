#include "connectors/msn/client/command.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;

namespace {

std::vector<Command> all_of(Framer& framer) {
  std::vector<Command> commands;
  for (auto next = framer.next(); next && *next; next = framer.next()) commands.push_back(std::move(**next));
  return commands;
}

std::vector<Command> commands_in(std::string_view bytes) {
  Framer framer;
  framer.feed(bytes);
  return all_of(framer);
}

bool breaks(std::string_view bytes) {
  Framer framer;
  framer.feed(bytes);
  for (;;) {
    const auto next = framer.next();
    if (!next) return true;
    if (!*next) return false;
  }
}

}  // namespace

TEST_CASE("A line becomes a command whose empty arguments are kept") {
  const auto commands = commands_in("LST N=carol@example.com F=Carol 19 1 \r\n");
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].name == "LST");
  CHECK(commands[0].args == std::vector<std::string>{"N=carol@example.com", "F=Carol", "19", "1", ""});
}

TEST_CASE("A payload is counted in bytes, has no line end, and may have one within") {
  const auto commands = commands_in("UBX bob@x.test 5\r\na\r\nbcQNG 60\r\n");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0] == Command{"UBX", {"bob@x.test"}, "a\r\nbc"});
  CHECK(commands[1] == Command{"QNG", {"60"}});
}

TEST_CASE("A payload of no bytes is one, and the answer to UUX has none") {
  const auto commands = commands_in("UBX bob@x.test 0\r\nUUX 7 0\r\nQNG 60\r\n");
  REQUIRE(commands.size() == 3);
  CHECK(commands[0] == Command{"UBX", {"bob@x.test"}});
  CHECK(commands[1] == Command{"UUX", {"7", "0"}});
}

TEST_CASE("However a stream is torn, the same commands come of it") {
  const std::string stream = "MSG bob@x.test Bob 4\r\n\r\n\r\nNLN BSY bob@x.test Bob 0\r\n217 4\r\n";
  const auto whole = commands_in(stream);
  REQUIRE(whole.size() == 3);
  for (std::size_t size = 1; size < stream.size(); ++size) {
    Framer framer;
    std::vector<Command> torn;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      framer.feed(std::string_view(stream).substr(at, size));
      for (Command& command : all_of(framer)) torn.push_back(std::move(command));
    }
    CHECK(torn == whole);
  }
}

TEST_CASE("What is no MSNP is an error and not awaited for ever") {
  CHECK(breaks("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(breaks("nln BSY a b\r\n"));
  CHECK(breaks("MSG a b many\r\n"));
  CHECK(breaks("MSG a b -1\r\n"));
  CHECK(breaks("MSG a b 99999999999999999999999\r\n"));
  CHECK(breaks("MSG\r\n"));
  CHECK(breaks("\r\r\n"));
  CHECK_FALSE(breaks("MSG a b 10\r\nabc"));
}

TEST_CASE("Empty lines are passed over, however many there are") {
  const auto commands = commands_in("\r\n\nQNG 60\r\n" + std::string(100'000, '\n') + "\r\nUBX bob@x.test 2\r\n\r\n");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0] == Command{"QNG", {"60"}});
  CHECK(commands[1] == Command{"UBX", {"bob@x.test"}, "\r\n"});
}

TEST_CASE("A line and a payload have a limit, whether they are whole or not") {
  const std::string most = "NLN " + std::string(Framer::most_line_bytes - 5, 'a');
  CHECK_FALSE(breaks(most));
  CHECK_FALSE(breaks(most + "\r\n"));
  CHECK(breaks(most + "aaaa"));
  CHECK(breaks(most + "aaaa\r\n"));
  CHECK_FALSE(breaks("MSG a b " + std::to_string(Framer::most_payload_bytes) + "\r\n"));
  CHECK(breaks("MSG a b " + std::to_string(Framer::most_payload_bytes + 1) + "\r\n"));
}

TEST_CASE("No argument becomes a second word or a second command") {
  CHECK(encode("PRP", {"1", "MFN", "a b\r\nOUT"}) == "PRP 1 MFN a%20b%0D%0AOUT\r\n");
  CHECK(encode("PNG", {}) == "PNG\r\n");
  CHECK(encode("UUX", {"3"}, "<é/>") == "UUX 3 5\r\n<é/>");
}

TEST_CASE("Errors and numbers are read only where the whole word is one") {
  CHECK(Command{"217", {"4"}}.error() == 217);
  CHECK_FALSE(Command{"NLN", {"4"}}.error());
  CHECK(Command{"ACK", {"4"}}.transaction() == 4);
  CHECK_FALSE(Command{"ACK", {"4a"}}.transaction());
  CHECK_FALSE(Command{"ACK", {}}.transaction());
}
