#include "connectors/msn/convert/letters.hpp"

#include "connectors/msn/client/challenge.hpp"
#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/convert/percent.hpp"
#include "connectors/msn/convert/xml.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace wherry::msn {

namespace {

constexpr std::size_t most_notes = 1000, most_id_bytes = 200;
constexpr int most_year = 2200;  // base::Time counts nanoseconds, and ends in 2262
constexpr std::string_view rsi = "http://www.hotmail.msn.com/ws/2004/09/oim/rsi";
constexpr std::string_view ows = "http://messenger.msn.com/ws/2004/09/oim/";
constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};

std::optional<int> read_digits(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// "02:44:07.12"
std::optional<std::chrono::milliseconds> read_clock(std::string_view text) {
  const auto parts = base::split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  const std::string_view rest = parts.size() == 3 ? parts[2] : std::string_view("0");
  const auto hour = read_digits(parts[0]), minute = read_digits(parts[1]),
             second = read_digits(rest.substr(0, rest.find('.')));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  std::chrono::milliseconds time =
      std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  if (const auto point = rest.find('.'); point != rest.npos) {
    std::string digits(rest.substr(point + 1, 3));
    digits.resize(3, '0');
    time += std::chrono::milliseconds(read_digits(digits).value_or(0));
  }
  return time;
}

std::optional<base::Time> make_time(int year, int month, int day, std::chrono::milliseconds clock) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1990 || year > most_year) return std::nullopt;
  return base::Time(sys_days(date)) + clock;
}

// "2026-11-29T02:44:07.000Z", as the lists have it: in UTC.
std::optional<base::Time> parse_iso_date(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
  const auto year = read_digits(text.substr(0, 4)), month = read_digits(text.substr(5, 2)),
             day = read_digits(text.substr(8, 2));
  const auto clock = read_clock(text.substr(11, text.find_first_of("Z+", 11) - 11));
  if (!year || !month || !day || !clock) return std::nullopt;
  return make_time(*year, *month, *day, *clock);
}

// "-0800" → eight hours, to be added.
std::chrono::minutes read_zone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::chrono::minutes(0);
  const auto digits = read_digits(text.substr(1));
  if (!digits) return std::chrono::minutes(0);
  const std::chrono::minutes east = std::chrono::hours(*digits / 100) + std::chrono::minutes(*digits % 100);
  return text[0] == '-' ? east : -east;
}

std::string decode_body(const Payload& mail) {
  if (base::to_lower_ascii(mail.header("content-transfer-encoding")) == "base64") {
    std::string coded = mail.body;
    std::erase_if(coded, [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t'; });
    if (auto decoded = base::from_base64(coded)) return from_crlf(to_utf8(*decoded));
  }
  return from_crlf(to_utf8(mail.body));
}

// A mail that ends within its headers has not come whole.
bool has_body(std::string_view mail) { return mail.find("\n\n") != mail.npos || mail.find("\n\r\n") != mail.npos; }

// "Juliet <juliet@x.test>" (RFC 5322 §3.4)
std::string address_in(std::string_view from) {
  if (const auto open = from.rfind('<'); open != from.npos) {
    from.remove_prefix(open + 1);
    from = from.substr(0, from.find('>'));
  }
  return base::to_lower_ascii(base::trim(from));
}

std::string wrap(std::string_view header, std::string_view body) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
      "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">"
      "<soap:Header>{}</soap:Header><soap:Body>{}</soap:Body></soap:Envelope>",
      header, body);
}

// A ticket is "t=…&p=…", or one word that is the t.
std::string to_cookie(std::string_view ticket) {
  std::string_view t = ticket, p;
  if (t.starts_with("t=")) {
    t.remove_prefix(2);
    const auto end = t.find("&p=");
    if (end != t.npos) p = t.substr(end + 3);
    t = t.substr(0, end);
  }
  return fmt::format("<PassportCookie xmlns=\"{}\"><t>{}</t><p>{}</p></PassportCookie>", rsi, escape_xml(t),
                     escape_xml(p));
}

SoapCall to_rsi_call(const std::string& ticket, std::string_view name, std::string_view inside) {
  return {fmt::format("{}/{}", rsi, name),
          wrap(to_cookie(ticket), fmt::format("<{0} xmlns=\"{1}\">{2}</{0}>", name, rsi, inside))};
}

// RFC 2045 §6.8: lines of at most 76 letters.
std::string to_base64_lines(std::string_view text) {
  const std::string coded = base::to_base64(text);
  std::string lines;
  for (std::size_t i = 0; i < coded.size(); i += 76) lines += coded.substr(i, 76) + "\r\n";
  return lines;
}

}  // namespace

MailNotice parse_mail_data(std::string_view data) {
  MailNotice notice;
  notice.is_too_large = base::trim(data) == "too-large";
  for (auto found = find_element(data, "M"); found && notice.notes.size() < most_notes;
       found = find_element(data, "M")) {
    data.remove_prefix(static_cast<std::size_t>(found->data() + found->size() - data.data()));
    const std::string type = element_text(*found, "T");
    LetterNote note{element_text(*found, "I"), base::to_lower_ascii(element_text(*found, "E")),
                    parse_iso_date(element_text(*found, "RT"))};
    const bool is_letter = type.empty() || type == "11";
    if (is_letter && !note.id.empty() && note.id.size() <= most_id_bytes) notice.notes.push_back(std::move(note));
  }
  return notice;
}

std::optional<MailNotice> read_mail_notice(std::string_view bytes) {
  const Payload payload = parse_payload(bytes);
  const std::string type = payload.content_type();
  if (type != "text/x-msmsgsoimnotification" && type != "text/x-msmsgsinitialmdatanotification") return std::nullopt;
  return parse_mail_data(parse_payload(payload.body).header("mail-data"));
}

bool was_before(const Letter& a, const Letter& b) {
  return std::tie(a.written, a.run, a.number, a.note.id) < std::tie(b.written, b.run, b.number, b.note.id);
}

std::optional<base::Time> parse_mail_date(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : base::split(text, ' ')) {
    if (!word.empty() && !word.ends_with(',')) words.push_back(word);
  }
  if (words.size() < 4) return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), base::to_lower_ascii(words[1]));
  const auto day = read_digits(words[0]), year = read_digits(words[2]);
  const auto clock = read_clock(words[3]);
  if (month == months.end() || !day || !year || !clock) return std::nullopt;
  const auto there = make_time(*year, static_cast<int>(month - months.begin()) + 1, *day, *clock);
  if (!there || words.size() == 4) return there;
  return *there + read_zone(words[4]);
}

// The date has a zone that servers get wrong in summer; the time of arrival is in UTC.
std::optional<Letter> parse_letter(std::string_view xml, const LetterNote& note, base::Time now) {
  const auto result = find_element(xml, "GetMessageResult");
  if (!result) return std::nullopt;
  const std::string text = unescape_xml(*result);
  if (!has_body(text)) return std::nullopt;
  const Payload mail = parse_payload(text);
  Letter letter;
  letter.note = note;
  if (letter.note.email.empty()) letter.note.email = address_in(mail.header("from"));
  letter.run = mail.header("x-oim-run-id");
  letter.number = static_cast<std::size_t>(read_digits(mail.header("x-oim-sequence-num")).value_or(0));
  letter.text = decode_body(mail);
  auto written = parse_mail_date(mail.header("x-originalarrivaltime"));
  if (!written) written = note.written;
  if (!written) written = parse_mail_date(mail.header("date"));
  letter.written = std::min(written.value_or(now), now);
  return letter;
}

SoapCall to_list_call(const std::string& ticket, std::string_view inside) {
  return to_rsi_call(ticket, "GetMetadata", inside);
}

SoapCall to_get_call(const std::string& ticket, const std::string& id) {
  return to_rsi_call(ticket, "GetMessage",
                     fmt::format("<messageId>{}</messageId><alsoMarkAsRead>false</alsoMarkAsRead>", escape_xml(id)));
}

SoapCall to_delete_call(const std::string& ticket, const std::string& id) {
  return to_rsi_call(ticket, "DeleteMessages",
                     fmt::format("<messageIds><messageId>{}</messageId></messageIds>", escape_xml(id)));
}

SoapCall to_store_call(const OutgoingLetter& letter) {
  const std::string mail = fmt::format(
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n"
      "X-OIM-Message-Type: OfflineMessage\r\nX-OIM-Run-Id: {}\r\nX-OIM-Sequence-Num: {}\r\n\r\n{}",
      letter.run, letter.number, to_base64_lines(letter.text));
  const std::string header = fmt::format(
      "<From memberName=\"{}\" friendlyName=\"=?utf-8?B?{}?=\" xml:lang=\"en-US\" proxy=\"MSNMSGR\" xmlns=\"{}\" "
      "msnpVer=\"MSNP12\" buildVer=\"7.5.0324\"/><To memberName=\"{}\" xmlns=\"{}\"/>"
      "<Ticket passport=\"{}\" appid=\"{}\" lockkey=\"{}\" xmlns=\"{}\"/>"
      "<Sequence xmlns=\"http://schemas.xmlsoap.org/ws/2003/03/rm\">"
      "<Identifier xmlns=\"http://schemas.xmlsoap.org/ws/2002/07/utility\">http://messenger.msn.com</Identifier>"
      "<MessageNumber>{}</MessageNumber></Sequence>",
      escape_xml(letter.from), base::to_base64(letter.name), ows, escape_xml(letter.to), ows, escape_xml(letter.ticket),
      escape_xml(msnp12_product.id), escape_xml(letter.lock_key), ows, letter.number);
  return {fmt::format("{}Store", ows),
          wrap(header, fmt::format("<MessageType xmlns=\"{0}\">text</MessageType><Content xmlns=\"{0}\">{1}</Content>",
                                   ows, escape_xml(mail)))};
}

bool Fault::is_about_missing() const {
  return code == "NotAllowed" && base::to_lower_ascii(words).find("not found") != std::string::npos;
}

std::optional<Fault> parse_fault(std::string_view xml) {
  const auto found = find_element(xml, "Fault");
  if (!found) return std::nullopt;
  Fault fault{element_text(*found, "faultcode"), element_text(*found, "LockKeyChallenge"),
              element_text(*found, "faultstring")};
  if (const auto colon = fault.code.find(':'); colon != std::string::npos) fault.code.erase(0, colon + 1);
  return fault;
}

}  // namespace wherry::msn
