// What a real server said, taken from the line: each file says which one, and when. Its frames go into the machines as
// they came; the machines' own numbers are those of the transcript, so its answers fit.
#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/client/session.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "tests/unit/oscar/session_server.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fstream>

using namespace wherry;
using namespace wherry::oscar;

namespace {

const Machine::Time transcript_time{std::chrono::seconds(1000)};

// Each connection's frames from the server: it begins with the server's greeting.
std::vector<std::vector<std::string>> connections(const std::string& name) {
  std::ifstream file(WHERRY_SOURCE_DIR "/tests/unit/oscar/transcripts/" + name + ".hex");
  REQUIRE(file);
  std::vector<std::vector<std::string>> all;
  for (std::string line; std::getline(file, line);) {
    const auto mark = line.find(" < ");
    if (line.starts_with('#') || mark == line.npos) continue;
    std::string frame = tests::octets(line.substr(mark + 3, line.find("  #") - (mark + 3)));
    const bool is_greeting = frame.at(1) == 1;
    if (all.empty() || is_greeting) all.emplace_back();
    all.back().push_back(std::move(frame));
  }
  return all;
}

LoginResult outcome(const std::vector<std::string>& frames, LoginRequest::Method method) {
  LoginRequest request;
  request.name = "293923609";
  request.password = base::Secret("secret01");
  request.method = method;
  Login login(std::move(request), transcript_time);
  for (const std::string& frame : frames) login.feed(frame, transcript_time);
  REQUIRE(login.ended());
  return login.result();
}

void check_ticket(const std::vector<std::string>& frames, LoginRequest::Method method) {
  const auto result = outcome(frames, method);
  REQUIRE(std::holds_alternative<Ticket>(result));
  const auto& ticket = std::get<Ticket>(result);
  CHECK(ticket.host == "127.0.0.1");
  CHECK(ticket.port == 5190);
  CHECK(ticket.cookie == std::string(256, '\xCC'));
}

// From the greeting to a text of the contact's: its octets.
TextPiece check_session(const std::vector<std::string>& frames, const std::string& contact) {
  OscarSession session(std::string(256, '\xCC'), 0, plain_name, SessionLimits{}, transcript_time);
  for (const std::string& frame : frames) session.feed(frame, transcript_time);
  CHECK_FALSE(session.ended());
  CHECK(session.has_whole_roster());
  const auto listed = session.roster().contact(contact);
  REQUIRE(listed);
  CHECK(listed->alias == "Bobby");
  CHECK(listed->groups == std::vector<std::string>{"Household"});
  bool is_ready = false, is_there = false;
  std::vector<IncomingMessage> messages;
  for (SessionEvent& event : session.take_events()) {
    is_ready = is_ready || std::holds_alternative<Ready>(event);
    auto* news = std::get_if<News>(&event);
    if (const auto* arrived = news ? std::get_if<Arrived>(news) : nullptr)
      is_there = is_there || arrived->users.at(0).name == contact;
    if (auto* message = news ? std::get_if<IncomingMessage>(news) : nullptr) messages.push_back(std::move(*message));
  }
  CHECK(is_ready);
  CHECK(is_there);
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].sender.name == contact);
  REQUIRE(messages[0].pieces.size() == 1);
  return messages[0].pieces[0];
}

TEST_CASE("open-oscar-server as ICQ, by challenge: the login, the list, who is there, and a text") {
  const auto all = connections("icq-open-oscar-server-md5");
  REQUIRE(all.size() == 3);
  check_ticket(all[0], LoginRequest::Method::md5);
  check_ticket(all[1], LoginRequest::Method::md5);
  const TextPiece text = check_session(all[2], "293923610");
  CHECK(text.charset == 2);
  CHECK(text.octets == tests::octets("043f 0440 0438 0432 0435 0442"));
}

TEST_CASE("open-oscar-server as ICQ, the old way") {
  const auto all = connections("icq-open-oscar-server-roasted");
  REQUIRE(all.size() == 3);
  check_ticket(all[0], LoginRequest::Method::roasted);
  const TextPiece text = check_session(all[2], "293923612");
  CHECK(text.octets == tests::octets("043f 0440 0438 0432 0435 0442"));
}

TEST_CASE("open-oscar-server as AIM") {
  const auto all = connections("aim-open-oscar-server-md5");
  REQUIRE(all.size() == 3);
  check_ticket(all[0], LoginRequest::Method::md5);
  const TextPiece text = check_session(all[2], "sn93923614");
  CHECK(text.octets == "hello &amp; welcome");
}

TEST_CASE("Whom open-oscar-server refuses, and why") {
  const auto all = connections("icq-open-oscar-server-refused");
  REQUIRE(all.size() == 5);
  using Method = LoginRequest::Method;
  const std::array<std::pair<Method, int>, 5> expected{
      {{Method::md5, 5}, {Method::md5, 1}, {Method::roasted, 5}, {Method::roasted, 8}, {Method::md5, 1}}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto result = outcome(all[i], expected[i].first);
    REQUIRE(std::holds_alternative<Refused>(result));
    CHECK(std::get<Refused>(result).code == expected[i].second);
    CHECK(std::get<Refused>(result).kind == Refusal::credentials);
  }
}

TEST_CASE("open-oscar-server tells what another program of the account does to the list") {
  const auto all = connections("icq-open-oscar-server-list-changes");
  REQUIRE(all.size() == 1);
  tests::SessionServer server;
  server.log_in();
  std::vector<std::string> seen;  // the contact, where something has changed
  for (const std::string& frame : all[0]) {
    server.session.feed(frame, server.now);
    const auto listed = server.session.roster().contact("293989305");
    const std::string now = listed ? listed->alias + " in " + listed->groups.at(0) : "nowhere";
    if (seen.empty() || seen.back() != now) seen.push_back(now);
  }
  CHECK(seen == std::vector<std::string>{"nowhere", "Bobby in Household", "Robert in Household", "nowhere",
                                         "Robert in Enemies", "nowhere"});
  CHECK_FALSE(server.session.ended());
}

}  // namespace
