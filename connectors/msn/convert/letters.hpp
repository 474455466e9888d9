// Letters: messages that wait on the server for somebody who was away (OIM, "offline instant messages"). What the
// server says of them, and the SOAP 1.1 calls by which they are fetched, deleted and left. Pure.
#pragma once

#include "gateway/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::msn {

// A letter as the server announces it.
struct LetterNote {
  std::string id;
  std::string email;                  // of who wrote it; in lower case
  std::optional<base::Time> written;  // said at a login only
  bool operator==(const LetterNote&) const = default;
};
struct MailNotice {
  std::vector<LetterNote> notes;
  bool is_too_large = false;  // there are more than a notice takes: the list is to be fetched
};

// The value of Mail-Data, in a notice or in the answer to GetMetadata: <MD>…</MD>, or "too-large".
MailNotice parse_mail_data(std::string_view data);
// A message of the server's own (MSG Hotmail) that is about letters; nothing: it is not.
std::optional<MailNotice> read_mail_notice(std::string_view payload);

struct Letter {
  LetterNote note;
  std::string run;         // of the program that wrote it: within one, letters are numbered
  std::size_t number = 0;  // X-OIM-Sequence-Num
  base::Time written;
  std::string text;
};
// The order in which they were written.
bool was_before(const Letter& a, const Letter& b);

// The answer to GetMessage, an RFC 5322 message in XML. Lenient; nothing where there is no message, or one that ends
// within its headers. `note`: its sender, where it names nobody, is who the message is from. `now`: when it was
// written, where nothing says so; no letter is from the future.
std::optional<Letter> parse_letter(std::string_view xml, const LetterNote& note, base::Time now);

// RFC 5322 §3.3, as in "Sun, 29 Nov 2026 02:44:07.12 -0800" or without the day's name, the fraction or the zone.
std::optional<base::Time> parse_mail_date(std::string_view text);

struct SoapCall {
  std::string action, body;
};
SoapCall to_list_call(const std::string& ticket, std::string_view inside);
SoapCall to_get_call(const std::string& ticket, const std::string& id);
SoapCall to_delete_call(const std::string& ticket, const std::string& id);

struct OutgoingLetter {
  std::string from, name, to;
  std::string ticket;
  std::string lock_key;  // the answer to the last challenge
  std::string run;       // a GUID, with braces
  std::size_t number = 1;
  std::string text;
};
SoapCall to_store_call(const OutgoingLetter& letter);

struct Fault {
  std::string code;       // without its prefix: "AuthenticationFailed"
  std::string challenge;  // to be answered in the next call's lock key, or ""
  std::string words;

  // The letter that was asked for is there no longer: another program has fetched and deleted it.
  bool is_about_missing() const;
};
std::optional<Fault> parse_fault(std::string_view xml);

}  // namespace wherry::msn
