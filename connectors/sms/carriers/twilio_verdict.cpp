#include "connectors/sms/carriers/twilio_verdict.hpp"

#include "connectors/sms/carriers/twilio_api.hpp"
#include "gateway/connector/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace wherry::sms::twilio {

namespace {

using connector::Errc;
using std::chrono::seconds;

constexpr seconds kMisconfigured{300};  // until a person may have mended it
constexpr seconds kMostWait{86400};

enum class Means {
  refused,    // this text
  no_number,  // the recipient's number is none, or none for texts
  operators,  // this text, and others like it, until the operator acts
  later,      // nothing was sent; the queue has no room
  broken,     // nothing was sent, and nothing will be until the operator acts
};
struct Known {
  int code;
  Means means;
  const char* text;
};

// Twilio, "Error and Warning Dictionary". Those of 30xxx mostly come with a status, the others with an answer.
constexpr Known kKnown[] = {
    {20003, Means::broken, "The SMS service does not accept the gateway's credentials."},
    {20005, Means::broken, "The gateway's account at the SMS service is not active."},
    {20404, Means::broken, "The SMS service does not know the gateway's account."},
    {20429, Means::later, "The SMS service is overloaded."},
    {21211, Means::no_number, "The number does not exist."},
    {21212, Means::operators, "The SMS service does not know your number."},
    {21217, Means::no_number, "The number does not exist."},
    {21265, Means::no_number, "A short code cannot be written to from here."},
    {21266, Means::refused, "You cannot write to your own number."},
    {21408, Means::operators, "The SMS service is not enabled for that country."},
    {21602, Means::refused, "The message is empty."},
    {21603, Means::operators, "The SMS service cannot send from your number."},
    {21606, Means::operators, "The SMS service cannot send from your number."},
    {21608, Means::operators, "The SMS service is on trial and writes to verified numbers only."},
    {21609, Means::broken, "The SMS service cannot use the gateway's public address."},
    {21610, Means::refused, "The recipient has opted out of texts from your number. Until they send START to it, nothing reaches them."},
    {21611, Means::later, "The SMS service's queue for your number is full."},
    {21612, Means::refused, "The SMS service cannot reach that number from yours."},
    {21614, Means::no_number, "The number cannot receive texts."},
    {21617, Means::refused, "The message is too long: at most 1,600 characters fit."},
    {21635, Means::no_number, "The number is a landline and cannot receive texts."},
    {21659, Means::operators, "The SMS service cannot send from your number."},
    {21660, Means::operators, "The SMS service cannot send from your number."},
    {21661, Means::operators, "The SMS service cannot send from your number."},
    {21701, Means::broken, "The SMS service does not know the gateway's messaging service."},
    {21703, Means::broken, "The messaging service has no numbers."},
    {30001, Means::later, "The SMS service's queue for your number is full."},
    {30002, Means::broken, "The gateway's account at the SMS service is suspended."},
    {30003, Means::refused, "The phone is switched off or out of reach, or does not take texts."},
    {30004, Means::refused, "The recipient's phone or network blocks the message."},
    {30005, Means::no_number, "The number does not exist or is not in service."},
    {30006, Means::no_number, "The number is a landline, or its network cannot be reached."},
    {30007, Means::refused, "The network filtered the message as unwanted."},
    {30008, Means::refused, "The network did not deliver the message and gave no reason."},
    {30032, Means::operators, "Your number is not verified for texts."},
    {30034, Means::operators, "Your number is not registered for texts to that country."},
    {30036, Means::refused, "The message could not be delivered in time."},
    {30410, Means::refused, "The recipient's network did not answer in time."},
    {63038, Means::later, "The SMS service's limit for today is reached."},
};

const Known* find(int code) {
  const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return k.code == code; });
  return found == std::end(kKnown) ? nullptr : found;
}

// {"code": 21211, "message": "…", "more_info": "…", "status": 400}
int code_of(const net::HttpResponse& response) {
  const auto parsed = connector::parse_json(response.body);
  if (!parsed || !parsed->is_object()) return 0;
  const auto found = parsed->find("code");
  return found != parsed->end() && found->is_number_integer() ? found->get<int>() : 0;
}

Verdict taken_or_unknown(const net::HttpResponse& response) {
  Verdict v;
  const auto message = parse_message(response.body);
  if (!message) return v;
  if (to_stage(message->status) == connector::Stage::failed) {
    v.kind = Verdict::Kind::refused;
    v.text = explain(message->status, message->error_code);
    v.error_code = message->error_code;
    return v;
  }
  v.kind = Verdict::Kind::taken;
  v.sid = message->sid;
  return v;
}

Verdict of_known(const Known& known, seconds wait) {
  Verdict v;
  v.text = known.text;
  v.error_code = known.code;
  v.code = known.means == Means::no_number ? Errc::not_found : Errc::rejected;
  v.alert = known.means == Means::operators || known.means == Means::broken;
  v.kind = known.means == Means::later || known.means == Means::broken ? Verdict::Kind::later : Verdict::Kind::refused;
  if (known.means == Means::broken) wait = std::max(wait, kMisconfigured);
  else if (wait.count() == 0) wait = known.code == 63038 ? seconds(3600) : known.code == 20429 ? seconds(2) : seconds(60);
  if (v.kind == Verdict::Kind::later) v.wait = wait;
  return v;
}

}  // namespace

Verdict judge(const net::HttpResponse& response, base::Time now) {
  const int status = response.status;
  if (status >= 200 && status < 300) return taken_or_unknown(response);
  const seconds wait = retry_after(response, now);
  const int code = code_of(response);

  Verdict v;
  v.error_code = code;
  // An error of the server may come after the message was made, except where it says when to come back (RFC 9110
  // §15.6.4): then it took nothing.
  if (status >= 500 || status == 408) {
    if (status != 503 || wait.count() == 0) return v;
    v.kind = Verdict::Kind::later;
    v.text = "The SMS service is not available.";
    v.wait = wait;
    return v;
  }
  if (const Known* known = find(code)) return of_known(*known, wait);
  if (status == 429) {
    v.kind = Verdict::Kind::later;
    v.text = "The SMS service is overloaded.";
    v.wait = std::max(wait, seconds(2));
    return v;
  }
  // Neither the user nor the text is at fault. A redirect is not followed: the password would go along.
  if (status == 401 || status == 403 || status == 404 || status < 400) {
    v.kind = Verdict::Kind::later;
    v.alert = true;
    v.wait = std::max(wait, kMisconfigured);
    v.text = fmt::format("The SMS service is misconfigured (HTTP {}).", status);
    return v;
  }
  v.kind = Verdict::Kind::refused;
  v.text = fmt::format("The SMS service refused the message (error {}).", code != 0 ? code : status);
  return v;
}

connector::Error reading_failed(const net::HttpResponse& response, base::Time now) {
  const bool refused = response.status == 401 || response.status == 403;
  return {refused ? Errc::not_authorized : Errc::unavailable, fmt::format("it answers HTTP {} (error {})", response.status, code_of(response)),
          retry_after(response, now)};
}

std::optional<connector::Stage> to_stage(std::string_view status) {
  using connector::Stage;
  // partially_delivered is on its way to one of the others.
  for (const std::string_view word : {"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"}) {
    if (status == word) return Stage::accepted;
  }
  if (status == "delivered") return Stage::delivered;
  if (status == "read") return Stage::read;
  if (status == "undelivered" || status == "failed" || status == "canceled") return Stage::failed;
  return std::nullopt;
}

int rank(connector::Stage stage) {
  switch (stage) {
    case connector::Stage::accepted: return 0;
    case connector::Stage::failed: return 1;
    case connector::Stage::delivered: return 2;
    case connector::Stage::read: return 3;
  }
  return 0;
}

std::string explain(std::string_view status, int error_code) {
  if (const Known* known = find(error_code)) return known->text;
  if (status == "canceled") return "The message was cancelled at the SMS service.";
  if (error_code != 0) return fmt::format("The network did not deliver the message (error {}).", error_code);
  return "The network did not deliver the message.";
}

seconds retry_after(const net::HttpResponse& response, base::Time now) {
  const auto found = response.headers.find("retry-after");
  if (found == response.headers.end()) return seconds(0);
  const std::string& text = found->second;
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) {
    const auto date = parse_date(text);
    if (!date) return seconds(0);
    count = std::chrono::ceil<seconds>(*date - now).count();
  }
  return std::clamp(seconds(count), seconds(0), kMostWait);
}

}  // namespace wherry::sms::twilio
