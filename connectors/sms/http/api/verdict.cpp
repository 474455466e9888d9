#include "connectors/sms/http/api/verdict.hpp"

#include "connectors/sms/http/api/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wherry::sms::http {

namespace {

using connector::Errc;
using std::chrono::seconds;

constexpr seconds misconfigured_wait{300};  // until a person may have mended it
constexpr seconds longest_wait{86400};

const KnownError* find(KnownErrors known, int code) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const KnownError& k) { return k.code == code; });
  return found == known.end() ? nullptr : &*found;
}

Verdict of_known(const KnownError& known, seconds wait) {
  Verdict v;
  v.text = known.text;
  v.error = known.code;
  v.code = known.means == Means::no_number ? Errc::not_found : Errc::rejected;
  v.alert = known.means == Means::operators || known.means == Means::broken;
  v.kind = known.means == Means::later || known.means == Means::broken ? Verdict::Kind::later : Verdict::Kind::refused;
  if (known.means == Means::broken) wait = std::max(wait, misconfigured_wait);
  else if (wait.count() == 0) wait = known.wait;
  if (v.kind == Verdict::Kind::later) v.wait = wait;
  return v;
}

}  // namespace

Verdict judge_failure(const net::HttpResponse& response, int code, KnownErrors known, base::Time now) {
  const int status = response.status;
  const seconds wait = retry_after(response, now);
  Verdict v;
  v.error = code;
  // An error of the server may come after the message was made, except where it says when to come back (RFC 9110
  // §15.6.4): then it took nothing.
  if (status >= 500 || status == 408) {
    if (status != 503 || wait.count() == 0) return v;
    v.kind = Verdict::Kind::later;
    v.text = "The SMS service is not available.";
    v.wait = wait;
    return v;
  }
  if (const KnownError* k = find(known, code)) return of_known(*k, wait);
  if (status == 429) {
    v.kind = Verdict::Kind::later;
    v.text = "The SMS service is overloaded.";
    v.wait = std::max(wait, seconds(2));
    return v;
  }
  // Neither the user nor the text is at fault. A redirect is not followed: the password would go along.
  if (status == 401 || status == 402 || status == 403 || status == 404 || status < 400) {
    v.kind = Verdict::Kind::later;
    v.alert = true;
    v.wait = std::max(wait, misconfigured_wait);
    v.text = fmt::format("The SMS service is misconfigured (HTTP {}).", status);
    return v;
  }
  v.kind = Verdict::Kind::refused;
  v.text = fmt::format("The SMS service refused the message (error {}).", code != 0 ? code : status);
  return v;
}

connector::Error reading_failed(const net::HttpResponse& response, base::Time now) {
  const bool refused = response.status == 401 || response.status == 403;
  return {refused ? Errc::not_authorized : Errc::unavailable, fmt::format("it answers HTTP {}", response.status),
          retry_after(response, now)};
}

std::string explain(int code, KnownErrors known) {
  if (const KnownError* k = find(known, code)) return k->text;
  if (code != 0) return fmt::format("The network did not deliver the message (error {}).", code);
  return "The network did not deliver the message.";
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
  return std::clamp(seconds(count), seconds(0), longest_wait);
}

}  // namespace wherry::sms::http
