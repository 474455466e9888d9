#include "connectors/msn/mailbox.hpp"

#include "connectors/msn/client/challenge.hpp"
#include "connectors/msn/convert/lists.hpp"
#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::msn {

using base::Errc;
using base::Error;
using base::Result;
using connector::ContactId;
using connector::Event;
using connector::MessageId;

namespace {

constexpr std::size_t most_waiting = 1000, most_in_a_round = 50, most_answer_bytes = 256 << 10;
constexpr int most_failures = 5;
constexpr std::chrono::seconds soap_limit{20}, retry_pause{30};
constexpr const char* fetch_path = "/rsi/rsi.asmx";
constexpr const char* store_path = "/OimWS/oim.asmx";

// "{8C9A…-…}"
std::string make_run_id() {
  const std::string hex = base::random_hex(16);
  return fmt::format("{{{}-{}-{}-{}-{}}}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

bool is_missing(int status) { return status == 404 || status == 405 || status == 501; }

Error mail_trouble(std::string what) { return {Errc::unavailable, "The server of offline messages " + what, {}}; }

Event to_event(Letter letter) {
  MessageId id{"oim/" + letter.note.id};
  auto sender = parse_email(letter.note.email);
  if (!sender) {
    const std::string who = letter.note.email.empty() ? "Somebody" : letter.note.email;
    return connector::AccountNotice{
        std::move(id), fmt::format("{}, whom this gateway cannot show you, left you a message: {}", who, letter.text)};
  }
  connector::MessageReceived received;
  received.sender = ContactId{std::move(*sender)};
  received.chat = received.sender;
  received.id = std::move(id);
  received.content.text = std::move(letter.text);
  received.sent_at = letter.written;
  return received;
}

}  // namespace

Mailbox::Mailbox(Upstream& upstream, const base::Clock& clock, std::string email, std::string ticket,
                 connector::EventSink& events)
    : upstream_(upstream),
      clock_(clock),
      email_(std::move(email)),
      ticket_(std::move(ticket)),
      run_(make_run_id()),
      events_(events),
      changed_(upstream.executor) {}

asio::awaitable<Result<net::HttpResponse>> Mailbox::post(std::string path, SoapCall call, bool may_repeat) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = upstream_.settings.oim_url + path;
  request.headers.push_back("Content-Type: text/xml; charset=utf-8");
  request.headers.push_back("SOAPAction: \"" + call.action + "\"");
  request.body = std::move(call.body);
  request.limit = soap_limit;
  request.most_bytes = most_answer_bytes;
  request.ca_file = upstream_.settings.ca_file;
  request.may_repeat = may_repeat;
  return upstream_.http.send(std::move(request));
}

// ---- What waits for the user ----

void Mailbox::announce(MailNotice notice) {
  if (upstream_.settings.oim_url.empty()) return;
  is_list_wanted_ = is_list_wanted_ || notice.is_too_large;
  for (LetterNote& note : notice.notes) {
    if (waiting_.size() >= most_waiting && !waiting_.contains(note.id)) break;
    std::string id = note.id;
    waiting_[std::move(id)].note = std::move(note);
  }
  changed_.notify();
}

asio::awaitable<void> Mailbox::work() {
  for (;;) {
    while (waiting_.empty() && !is_list_wanted_) co_await changed_.wait();
    if (is_list_wanted_) co_await fetch_list();
    co_await bring_round();
    const bool has_failed = is_list_wanted_ || std::any_of(waiting_.begin(), waiting_.end(),
                                                           [](const auto& entry) { return entry.second.failures > 0; });
    if (!has_failed) continue;
    try {
      auto news = changed_.wait();
      co_await base::within(retry_pause, std::move(news));
    } catch (const base::TimedOut&) {}
  }
}

// COMPAT(Escargot 2025-02): takes an empty GetMetadata for no element at all; so it is asked with one within, too.
asio::awaitable<void> Mailbox::fetch_list() {
  for (const char* inside : {"", "<all/>"}) {
    SoapCall call = to_list_call(ticket_, inside);
    const auto answer = co_await post(fetch_path, std::move(call), true);
    if (!answer || answer->status != 200) continue;
    const auto list = find_element(answer->body, "GetMetadataResponse");
    if (!list) continue;
    is_list_wanted_ = false;
    MailNotice notice = parse_mail_data(list->find("<M>") == list->npos ? unescape_xml(*list) : std::string(*list));
    notice.is_too_large = false;
    co_return announce(std::move(notice));
  }
  if (++list_failures_ < most_failures) co_return;
  is_list_wanted_ = false;
  std::string id = "list";
  co_await give_up(std::move(id));
}

// The oldest ones, in their order, as far as they could be fetched.
asio::awaitable<void> Mailbox::bring_round() {
  std::vector<LetterNote> round;
  for (const auto& [id, waiting] : waiting_) round.push_back(waiting.note);
  std::stable_sort(round.begin(), round.end(), [](const auto& a, const auto& b) { return a.written < b.written; });
  round.resize(std::min(round.size(), most_in_a_round));
  std::vector<Letter> letters;
  for (const LetterNote& note : round) {
    LetterNote wanted = note;
    auto letter = co_await fetch(std::move(wanted));
    if (letter) {
      letters.push_back(std::move(*letter));
      continue;
    }
    log::info("msn.letter_not_fetched", {{"why", letter.error().text}});
    std::string id = note.id;
    if (letter.error().code == Errc::not_found) waiting_.erase(id);
    else if (++waiting_[id].failures >= most_failures) co_await give_up(std::move(id));
  }
  std::sort(letters.begin(), letters.end(), was_before);
  for (Letter& letter : letters) {
    std::string id = letter.note.id;
    const bool is_kept = co_await publish(std::move(letter));
    if (is_kept) co_await erase(std::move(id));
    else waiting_[id].failures = 1;  // the store is lost: no reason to give the letter up
  }
}

asio::awaitable<Result<Letter>> Mailbox::fetch(LetterNote note) {
  SoapCall call = to_get_call(ticket_, note.id);
  const auto answer = co_await post(fetch_path, std::move(call), true);
  if (!answer) co_return mail_trouble("cannot be reached: " + answer.error().text + ".");
  const auto fault = parse_fault(answer->body);
  if (fault && fault->is_about_missing()) co_return Error{Errc::not_found, "The letter is there no longer."};
  if (answer->status != 200) co_return mail_trouble(fmt::format("answers with HTTP {}.", answer->status));
  auto letter = parse_letter(answer->body, note, clock_.now());
  if (!letter) co_return mail_trouble("gives no message.");
  co_return std::move(*letter);
}

// Whether it may be deleted from the server.
asio::awaitable<bool> Mailbox::publish(Letter letter) {
  if (letter.text.empty()) co_return true;
  Event event = to_event(std::move(letter));
  try {
    co_await events_.publish(std::move(event));
    co_return true;
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
  } catch (const std::exception&) {}
  log::warn("msn.letter_not_kept", {});
  co_return false;
}

// One after the other: a server that misses one of several deletes none of them.
asio::awaitable<void> Mailbox::erase(std::string id) {
  SoapCall call = to_delete_call(ticket_, id);
  const auto answer = co_await post(fetch_path, std::move(call), true);
  if (!answer || answer->status != 200) log::info("msn.letter_not_deleted", {});
  waiting_.erase(id);  // else it comes again at the next login, and is known
}

// Told once of each letter, however often it is announced.
asio::awaitable<void> Mailbox::give_up(std::string id) {
  waiting_.erase(id);
  Event event = connector::AccountNotice{
      MessageId{"oim/notice/" + id},
      "Messages that were left for you while you were away wait on the MSN server, which does not give them to this "
      "gateway. An MSN program can read them."};
  co_await events_.publish(std::move(event));
}

// ---- What is left for others ----

asio::awaitable<Result<void>> Mailbox::leave(std::string to, std::string name, std::string text) {
  if (upstream_.settings.oim_url.empty() || !has_store_) co_return Error{Errc::unsupported, "No letters are kept."};
  OutgoingLetter letter{email_, std::move(name), to, ticket_, lock_key_, run_, ++last_number_, std::move(text)};
  for (int attempt = 0; attempt < 2; ++attempt) {
    SoapCall call = to_store_call(letter);
    const auto answer = co_await post(store_path, std::move(call), false);
    if (!answer) co_return Error{answer.error().code, "The server of offline messages does not answer.", {}};
    if (answer->status == 200) co_return base::ok();
    if (is_missing(answer->status)) {
      has_store_ = false;
      co_return Error{Errc::unsupported, "No letters are kept."};
    }
    const auto fault = parse_fault(answer->body);
    const std::string code = fault ? fault->code : std::string();
    if (code == "AuthenticationFailed" && !fault->challenge.empty()) {
      letter.lock_key = lock_key_ = answer_challenge(fault->challenge);
      continue;
    }
    if (code == "SenderThrottleLimitExceeded")
      co_return Error{Errc::unavailable, "MSN wants us to be slower.", std::chrono::seconds(60)};
    if (code == "SystemUnavailable")
      co_return Error{Errc::offline, fmt::format("{} is not there, and MSN keeps no messages for this account.", to)};
    co_return Error{Errc::rejected, fmt::format("{} is not there, and the MSN server does not keep the message.", to)};
  }
  co_return Error{Errc::rejected,
                  fmt::format("{} is not there, and the MSN server lets this account leave no messages.", to)};
}

}  // namespace wherry::msn
