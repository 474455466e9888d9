// What the log says of a message's way.
#include "gateway/queues/trail.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/unit/queues/outbox_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Stage;

namespace {

OutboxLimits patient() {
  OutboxLimits limits;
  limits.retry = {std::chrono::hours(1), std::chrono::hours(1), 0};
  return limits;
}

// The events that a log has of one message, in order.
std::vector<std::string> stages(const std::string& log, const std::string& key) {
  std::vector<std::string> found;
  for (std::string_view line : base::split(log, '\n')) {
    const auto event = line.find("message.");
    if (event == std::string_view::npos || line.find(" id=" + key + " ") == std::string_view::npos) {
      if (event == std::string_view::npos || !line.ends_with(" id=" + key)) continue;
    }
    found.emplace_back(line.substr(event, line.find(' ', event) - event));
  }
  return found;
}

}  // namespace

TEST_CASE("Each stage of a message that is sent leaves a line under its key, without a body, an address or a number") {
  OutboxWorld f(patient());
  LogCapture log;
  f.send(1, "+14155550132", "wherefore art thou", "s1");
  f.until_committed();
  const std::string key = f.first_key();
  f.network.name_of_sent = "n-7";
  f.network.release();
  f.until([&] { return f.network.sent.size() == 1; });
  f.until_committed();
  f.report(1, "n-7", Stage::delivered);
  const std::string text = log.text();
  CHECK(stages(text, key) == std::vector<std::string>{"message.accepted", "message.sent", "message.reported"});
  CHECK(text.find("network_id=n-7") != std::string::npos);
  CHECK(text.find("stage=delivered") != std::string::npos);
  CHECK(text.find("stanza=s1") != std::string::npos);
  CHECK(text.find("to=" + log::masked("+14155550132")) != std::string::npos);
  CHECK(text.find("from=" + log::masked("somebody@example.net")) != std::string::npos);
  for (const char* personal : {"wherefore", "somebody", "4155550132"}) CHECK(text.find(personal) == std::string::npos);
}

TEST_CASE("A failure's line has its outcome, and the number in its sentence is masked") {
  OutboxWorld f(patient());
  LogCapture log;
  f.network.answer = connector::Error{connector::Errc::rejected, "+14155550132 takes no texts."};
  f.send(1, "+14155550132", "one");
  f.until_committed();
  const std::string key = f.first_key();
  f.network.release();
  f.until(
      [&] { return f.network.performing == 1 && !f.outbox->has(base::AccountId{1}, base::ContactId{"+14155550132"}); });
  f.until_committed();
  CHECK(stages(log.text(), key) == std::vector<std::string>{"message.accepted", "message.failed"});
  CHECK(log.text().find("outcome=rejected error=\"" + log::masked("+14155550132") + " takes no texts.\"") !=
        std::string::npos);
}

TEST_CASE("A message that is tried again later says so, and why") {
  OutboxWorld f(patient());
  LogCapture log;
  f.network.unreachable.insert("one");
  f.send(1, "+1", "one");
  f.until_committed();
  const std::string key = f.first_key();
  f.network.release();
  f.until([&] { return f.network.unreachable.empty(); });
  f.until_committed();
  CHECK(stages(log.text(), key) == std::vector<std::string>{"message.accepted", "message.delayed"});
  CHECK(log.text().find("outcome=unavailable error=away retry_ms=3600000") != std::string::npos);
}
