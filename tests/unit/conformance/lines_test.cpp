// What a line of a child is found to have that it should not, and what a description must have.
#include "gateway/conformance/description.hpp"
#include "gateway/conformance/watched_process.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::conformance;
using nlohmann::json;

TEST_CASE("A line of the protocol has no mistake") {
  for (
      const char* line :
      {R"({"jsonrpc":"2.0","id":1,"result":{}})",
       R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"No.","data":{"code":"not_found"}}})",
       R"({"jsonrpc":"2.0","id":1,"method":"publish","params":{"account":1,"event":{"type":"account_changed","online":true}}})",
       R"({"jsonrpc":"2.0","id":1,"method":"publish","params":{"account":1,"event":{"type":"message_received","chat":"r:tea"}}})",
       R"({"jsonrpc":"2.0","id":1,"method":"store_write","params":{"entries":[{"key":"k","value":"v"}]}})",
       R"({"jsonrpc":"2.0","id":1,"method":"store_read","params":{"prefix":"","after":"","limit":1}})",
       R"({"jsonrpc":"2.0","method":"log","params":{"level":"info","text":"x"}})"}) {
    CAPTURE(line);
    CHECK(mistake_in(line).empty());
  }
}

TEST_CASE("A line that is not of the protocol is told by its beginning, or by the member that is wrong") {
  const std::pair<const char*, const char*> wrong[] = {
      {"Hello", "the line “Hello” is no JSON object"},
      {"[]", "the line “[]” is no JSON object"},
      {R"({"id":1,"result":{}})", "has no \"jsonrpc\": \"2.0\""},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"No."}})",
       "error.data.code: must be one of the codes"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"No.","data":{"code":"gone"}}})",
       "error.data.code: gone is none of the codes"},
      {R"({"jsonrpc":"2.0","id":1,"method":"dance","params":{}})", "`dance`: the gateway has no such method"},
      {R"({"jsonrpc":"2.0","id":1,"method":"publish","params":{"account":1,"event":{"type":"message_recieved"}}})",
       "`publish`: event."},
      {R"({"jsonrpc":"2.0","id":1,"method":"publish","params":{"account":"1","event":{}}})",
       "`publish`: account: must be a whole number"},
      {R"({"jsonrpc":"2.0","id":1,"method":"ask","params":{"login":1,"form":{"fields":[{}]}}})",
       "`ask`: form.fields[0].name"}};
  for (const auto& [line, words] : wrong) {
    CAPTURE(line);
    const std::string mistake = mistake_in(line);
    CHECK_MESSAGE(mistake.find(words) != mistake.npos, mistake);
  }
}

TEST_CASE("A long line is shown by its beginning, without control characters") {
  CHECK(excerpt("a\nb\x1b[31m") == "“a b [31m”");
  CHECK(excerpt(std::string(1000, 'x')) == "“" + std::string(120, 'x') + "…”");
}

TEST_CASE("A description needs an account, and no more") {
  const auto least = read_description(json::parse(R"({"account":[{"answers":{"nick":"Romeo"}}]})"));
  REQUIRE(least.has_value());
  CHECK(least->accounts.at(0).answers == connector::Answers{{"nick", "Romeo"}});
  CHECK_FALSE(least->accounts.at(0).user.empty());
  CHECK_FALSE(least->contact);
  CHECK_FALSE(least->wrong_answers);
}

TEST_CASE("All mistakes of a description are told, each by its key") {
  const auto read = read_description(json::parse(
      R"({"account":[{"answers":{"nick":1}}],"comes_back":["txt"],"refused":{"code":"gone"},"typed":[{"text":"x"}],"wait":1})"));
  REQUIRE_FALSE(read.has_value());
  for (const char* words :
       {"account[0].answers: must have a text", "comes_back: has words of", "refused.contact: is missing",
        "refused.code: must be one of the codes", "typed[0].id: is missing", "wait: there is no such key",
        "contact: is missing: the id of the contact that sends back"}) {
    CAPTURE(words);
    CHECK(read.error().text.find(words) != std::string::npos);
  }
}
