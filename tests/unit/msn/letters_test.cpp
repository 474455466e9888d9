#include "connectors/msn/convert/letters.hpp"
#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace std::chrono;

namespace {

base::Time at(year_month_day day, milliseconds clock) { return base::Time(sys_days(day)) + clock; }

const base::Time now = at(2026y / November / 29, 12h);

// As Escargot has them, whose dates have a zone that is wrong in summer.
std::string mail(const std::string& more, const std::string& body) {
  return "Received: from x by y;\r\n\t Sat, 18 Jul 2026 09:30:00 -0800\r\nFrom: =?utf-8?B?Sg==?= <juliet@x.test>\r\n" +
         more + "X-OIM-Run-Id: {run}\r\nX-OIM-Sequence-Num: 7\r\n\r\n" + body;
}
std::string answer(const std::string& text) {
  return "<s:Envelope><s:Body><GetMessageResponse xmlns=\"r\"><GetMessageResult>" + escape_xml(text) +
         "</GetMessageResult></GetMessageResponse></s:Body></s:Envelope>";
}

constexpr const char* base64 = "Content-Transfer-Encoding: base64\r\n";

}  // namespace

TEST_CASE("A notice names each letter with its writer, at a login with its time, too") {
  const auto notice = read_mail_notice(
      "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinitialmdatanotification; charset=UTF-8\r\n\r\n"
      "Mail-Data: <MD><E><I>0</I><IU>0</IU></E><Q><QTM>1</QTM></Q><M><T>11</T><S>6</S><RT>2026-07-18T17:30:05.250Z</RT>"
      "<E>Juliet@x.test</E><I>A1</I><F>f</F><N>n</N></M><M><T>11</T><E>nurse@x.test</E><I>A2</I></M>"
      "<M><T>3</T><E>mail@x.test</E><I>A3</I></M></MD>\r\n");
  REQUIRE(notice);
  CHECK_FALSE(notice->is_too_large);
  REQUIRE(notice->notes.size() == 2);
  CHECK(notice->notes[0] == LetterNote{"A1", "juliet@x.test", at(2026y / July / 18, 17h + 30min + 5s + 250ms)});
  CHECK(notice->notes[1] == LetterNote{"A2", "nurse@x.test", std::nullopt});
}

TEST_CASE("Nothing waits, too much waits, or the message is about something else") {
  const std::string head = "Content-Type: text/x-msmsgsoimnotification\r\n\r\n";
  CHECK(read_mail_notice(head + "Mail-Data: <MD><E><I>0</I></E></MD>")->notes.empty());
  CHECK(read_mail_notice(head + "Mail-Data: too-large")->is_too_large);
  CHECK(read_mail_notice(head)->notes.empty());
  CHECK_FALSE(read_mail_notice("Content-Type: text/x-msmsgsprofile\r\n\r\nMail-Data: too-large"));
  CHECK_FALSE(read_mail_notice(""));
}

TEST_CASE("However many letters a notice has, and however long their ids, few are remembered") {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "<M><I>" + std::to_string(i) + "</I></M>";
  CHECK(parse_mail_data(many).notes.size() == 1000);
  CHECK(parse_mail_data("<M/><M><I>1</I></M><M/>").notes.size() == 1);
  CHECK(parse_mail_data("<M><I>" + std::string(201, 'a') + "</I></M><M><I></I></M><M></M><M>").notes.empty());
}

TEST_CASE("A letter has its text, its time of arrival, and its place among those of one run") {
  const LetterNote note{"A1", "juliet@x.test", std::nullopt};
  const std::string text = base::to_base64("Zoë <&> ☃\r\nsecond");
  const auto letter = parse_letter(answer(mail("X-OriginalArrivalTime: 18 Jul 2026 16:30:05.1234 (UTC) "
                                               "FILETIME=[0:1]\r\nDate: 18 Jul 2026 09:30:05 -0800\r\n" +
                                                   std::string(base64),
                                               text.substr(0, 8) + "\r\n" + text.substr(8))),
                                   note, now);
  REQUIRE(letter);
  CHECK(letter->note == note);
  CHECK(letter->text == "Zoë <&> ☃\nsecond");
  CHECK(letter->run == "{run}");
  CHECK(letter->number == 7);
  CHECK(letter->written == at(2026y / July / 18, 16h + 30min + 5s + 123ms));
}

TEST_CASE("Where a letter has no time of arrival the notice's counts, then its date, then now; none is of the future") {
  LetterNote note{"A1", "juliet@x.test", at(2026y / July / 18, 1h)};
  const std::string dated = answer(mail("Date: Sat, 18 Jul 2026 09:30:05 -0800\r\n", "x"));
  CHECK(parse_letter(dated, note, now)->written == *note.written);
  note.written.reset();
  CHECK(parse_letter(dated, note, now)->written == at(2026y / July / 18, 17h + 30min + 5s));
  CHECK(parse_letter(answer(mail("", "x")), note, now)->written == now);
  CHECK(parse_letter(answer(mail("Date: 18 Jul 2030 09:30:05 +0100\r\n", "x")), note, now)->written == now);
}

TEST_CASE("A letter that is no base64, or no UTF-8, is read as it is; an answer without one is none") {
  const LetterNote note{"A1", "juliet@x.test", std::nullopt};
  CHECK(parse_letter(answer(mail(base64, "not base64!")), note, now)->text == "not base64!");
  CHECK(parse_letter(answer(mail("", "caf\xe9")), note, now)->text == "café");
  CHECK_FALSE(parse_letter("<Envelope><Fault/></Envelope>", note, now));
  CHECK_FALSE(parse_letter("", note, now));
  CHECK_FALSE(parse_letter(answer(""), note, now));
  CHECK_FALSE(parse_letter(answer("From: <juliet@x.test>\r\nContent-Transfer-Encoding: base64\r\n"), note, now));
  CHECK(parse_letter(answer(mail("", "")), note, now)->text.empty());
}

TEST_CASE("A letter whose notice names nobody is by whom its mail is from") {
  const LetterNote note{"A1", "", std::nullopt};
  CHECK(parse_letter(answer(mail("", "x")), note, now)->note.email == "juliet@x.test");
  CHECK(parse_letter(answer("From: Juliet@x.test\r\n\r\nx"), note, now)->note.email == "juliet@x.test");
  CHECK(parse_letter(answer("Subject: y\r\n\r\nx"), note, now)->note.email.empty());
}

TEST_CASE("Letters are in order by time, then by their number in one run") {
  Letter first, second;
  first.written = second.written = now;
  first.run = second.run = "r";
  first.number = 9;
  second.number = 10;
  CHECK(was_before(first, second));
  CHECK_FALSE(was_before(second, first));
  second.written -= 1s;
  CHECK(was_before(second, first));
}

TEST_CASE("Dates of mail (RFC 5322 §3.3)") {
  CHECK(parse_mail_date("Sun, 29 Nov 2026 02:44:07 +0130") == at(2026y / November / 29, 1h + 14min + 7s));
  CHECK(parse_mail_date("1 jan 2026 23:59") == at(2026y / January / 1, 23h + 59min));
  CHECK(parse_mail_date("1 Jan 2026 00:00:00 GMT") == at(2026y / January / 1, 0h));
  for (const char* wrong : {"", "yesterday", "32 Jan 2026 00:00:00", "1 Jam 2026 00:00:00", "1 Jan 2026 24:00:00",
                            "1 Jan 99999999999 0:0", "1 Jan 2026 0:0:0:0", "-1 Jan 2026 00:00:00",
                            "29 Feb 2026 00:00:00", "29 Nov 4026 02:44:07", "1 Jan 1066 00:00:00"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_mail_date(wrong));
  }
}

TEST_CASE("Calls have the ticket in its two halves, and nothing breaks out of its place") {
  CHECK(to_get_call("t=ab<c&p=d\"e", "A1").body.find("<t>ab&lt;c</t><p>d&quot;e</p>") != std::string::npos);
  CHECK(to_get_call("abc", "A1").body.find("<t>abc</t><p></p>") != std::string::npos);
  CHECK(to_get_call("abc", "A1").action == "http://www.hotmail.msn.com/ws/2004/09/oim/rsi/GetMessage");
  CHECK(to_delete_call("abc", "</messageId>").body.find("<messageId>&lt;/messageId&gt;</messageId>") !=
        std::string::npos);
  const SoapCall store =
      to_store_call({"r@x.test", "Romeo", "j\"@x.test", "t=1", "key", "{run}", 3, std::string(100, 'x')});
  CHECK(store.action == "http://messenger.msn.com/ws/2004/09/oim/Store");
  for (const char* part : {"memberName=\"j&quot;@x.test\"", "lockkey=\"key\"", "passport=\"t=1\"",
                           "=?utf-8?B?Um9tZW8=?=", "<MessageNumber>3</MessageNumber>", "X-OIM-Sequence-Num: 3\r\n",
                           "X-OIM-Run-Id: {run}\r\n"})
    CHECK_MESSAGE(store.body.find(part) != std::string::npos, part);
}

TEST_CASE("A fault says what is wrong, and what is to be answered") {
  const auto fault = parse_fault(
      "<soap:Envelope><soap:Body><soap:Fault><faultcode xmlns:q0=\"o\">q0:AuthenticationFailed</faultcode><detail>"
      "<LockKeyChallenge xmlns=\"o\">1850937852</LockKeyChallenge></detail></soap:Fault></soap:Body></soap:Envelope>");
  REQUIRE(fault);
  CHECK(fault->code == "AuthenticationFailed");
  CHECK(fault->challenge == "1850937852");
  CHECK(parse_fault("<Fault><faultcode>x</faultcode></Fault>")->code == "x");
  CHECK_FALSE(parse_fault("<StoreResponse/>"));
}

TEST_CASE("A fault that says that the letter is there no longer is told apart from others") {
  const auto fault_of = [](const std::string& code, const std::string& words) {
    return *parse_fault("<s:Fault><faultcode>" + code + "</faultcode><faultstring>" + words +
                        "</faultstring></s:Fault>");
  };
  CHECK(fault_of("s:NotAllowed", "The message was not found in the OIM folder").is_about_missing());
  CHECK_FALSE(fault_of("s:NotAllowed", "Schema validation error").is_about_missing());
  CHECK_FALSE(fault_of("q0:SystemUnavailable", "No server found").is_about_missing());
}

TEST_CASE("XML: elements are found by name, whatever surrounds them, and in time that grows with the text") {
  CHECK(find_element("<a:b c='d'>e</a:b>", "b") == "e");
  CHECK(find_element("<bb>1</bb><b/>", "b") == "");
  CHECK(find_element("<b>1<bb>2</bb></b>", "b") == "1<bb>2</bb>");
  CHECK_FALSE(find_element("<b>unfinished", "b"));
  CHECK_FALSE(find_element("<b", "b"));
  CHECK(element_text("<b>&lt;&#10;&#xE9;&#1;</b>", "b") == "<\n\u00e9&#1;");
  CHECK_FALSE(find_element(std::string(1'000'000, '<'), "b"));
  CHECK_FALSE(find_element("<b>" + std::string(1'000'000, '<'), "b"));
}
