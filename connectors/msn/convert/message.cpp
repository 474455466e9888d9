#include "connectors/msn/convert/message.hpp"

#include "connectors/msn/convert/percent.hpp"
#include "gateway/base/text.hpp"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace wherry::msn {

namespace {

constexpr std::string_view text_headers =
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=UTF-8\r\n"
    "X-MMS-IM-Format: FN=Segoe%20UI; EF=; CO=0; CS=0; PF=0\r\n"
    "\r\n";
constexpr const char* file_offer = "offers you a file or a call";
constexpr std::string_view cut_mark = " […]";
constexpr std::size_t most_unfinished = 4, most_chunks = 64, most_chunked_bytes = 64 << 10;

std::string to_crlf(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') continue;
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) lines += '\r';
    lines += text[i];
  }
  return lines;
}

// The borders of grapheme clusters (UAX #29), as offsets in bytes, in order; ends with the text's end.
std::vector<std::size_t> grapheme_ends(const std::string& text) {
  UErrorCode error = U_ZERO_ERROR;
  std::vector<std::size_t> ends;
  const std::unique_ptr<icu::BreakIterator> clusters(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  UText* source = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &error);
  if (U_SUCCESS(error)) {
    clusters->setText(source, error);
    for (auto end = clusters->next(); U_SUCCESS(error) && end != icu::BreakIterator::DONE; end = clusters->next())
      ends.push_back(static_cast<std::size_t>(end));
  }
  utext_close(source);
  if (ends.empty() || ends.back() != text.size()) ends.push_back(text.size());
  return ends;
}

std::vector<std::string> cut_text(const std::string& text, std::size_t room) {
  const auto ends = grapheme_ends(text);
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (text.size() - start > room) {
    const auto beyond = std::upper_bound(ends.begin(), ends.end(), start + room);
    std::size_t end = beyond == ends.begin() ? 0 : *std::prev(beyond);
    // One sequence that is longer than a message: cut between its characters.
    if (end <= start) end = start + base::utf8_prefix(std::string_view(text).substr(start), room).size();
    parts.push_back(text.substr(start, end - start));
    start = end;
  }
  parts.push_back(text.substr(start));
  return parts;
}

// The payload's beginning: within the limit, and without the letter that is torn at its end.
std::string mark_as_cut(std::string payload) {
  payload.resize(std::min(payload.size(), most_chunked_bytes));
  std::size_t last = payload.empty() ? 0 : payload.size() - 1;
  while (last > 0 && (static_cast<unsigned char>(payload[last]) & 0xC0) == 0x80) --last;
  if (!base::is_utf8(std::string_view(payload).substr(last))) payload.resize(last);
  return payload.append(cut_mark);
}

std::size_t read_size(const std::string& text) {
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

// "ID: 1" → 1; "ID: 4" has "Data: …".
Spoken read_datacast(const std::string& body) {
  const Payload cast = parse_payload(body);
  if (cast.header("id") == "1") return {Spoken::Kind::nudge};
  const std::string data = to_utf8(cast.header("data"));
  if (cast.header("id") == "4" && !data.empty()) return {Spoken::Kind::text, "/me " + data};
  if (cast.header("id") == "2") return {Spoken::Kind::uncarried, "sends you a wink"};
  if (cast.header("id") == "3") return {Spoken::Kind::uncarried, "sends you a voice clip"};
  return {Spoken::Kind::nothing};
}

// MSN 5 and before; ACCEPT and CANCEL follow.
Spoken read_invitation(const std::string& body) {
  if (parse_payload(body).header("invitation-command") != "INVITE") return {Spoken::Kind::nothing};
  return {Spoken::Kind::uncarried, file_offer};
}

// MSN 6 and later: behind 48 bytes of a header stands an MSNSLP request, whose EUF-GUID says what is offered. A picture
// or a smiley is asked for in the same way, by programs alone.
Spoken read_peer_request(const std::string& body) {
  if (body.find("INVITE MSNMSGR:") == body.npos) return {Spoken::Kind::nothing};
  for (const char* guid : {"5D3E02AB-6190-11D3-BBBB-00C04F795683",     // a file
                           "4BD96FC0-AB17-4425-A14A-439185962DC8",     // a camera, shown
                           "1C9AA97E-9C05-4583-A3BD-908A196F1E92"}) {  // a camera, asked for
    if (body.find(guid) != body.npos) return {Spoken::Kind::uncarried, file_offer};
  }
  return {Spoken::Kind::nothing};
}

}  // namespace

std::string Payload::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::string Payload::content_type() const {
  const std::string value = header("content-type");
  return base::to_lower_ascii(base::trim(std::string_view(value).substr(0, value.find(';'))));
}

Payload parse_payload(std::string_view bytes) {
  Payload payload;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    payload.headers[base::to_lower_ascii(base::trim(line.substr(0, colon)))] =
        std::string(base::trim(line.substr(colon + 1)));
  }
  payload.body = bytes;
  return payload;
}

std::string from_crlf(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') lines += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n') lines += '\n';  // old Macintosh programs
  }
  return lines;
}

std::vector<std::string> to_text_parts(std::string_view text) {
  return cut_text(to_crlf(text), most_message_bytes - text_headers.size());
}

std::string to_text_payload(const std::string& part) { return std::string(text_headers) + part; }

std::string to_typing_payload(const std::string& email) {
  return "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: " + email + "\r\n\r\n\r\n";
}

std::string to_nudge_payload() {
  return "MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n";
}

Spoken read_payload(std::string_view bytes) {
  const Payload payload = parse_payload(bytes);
  const std::string type = payload.content_type();
  if (type == "text/plain")
    return {Spoken::Kind::text, from_crlf(to_utf8(payload.body)), to_utf8(payload.header("p4-context"))};
  if (type == "text/x-msmsgscontrol")
    return {payload.headers.contains("typinguser") ? Spoken::Kind::typing : Spoken::Kind::nothing};
  if (type == "text/x-msnmsgr-datacast") return read_datacast(payload.body);
  if (type == "text/x-msmsgsinvite") return read_invitation(payload.body);
  if (type == "application/x-msnmsgrp2p") return read_peer_request(payload.body);
  if (type == "image/gif" || type == "application/x-ms-ink") return {Spoken::Kind::uncarried, "sends you a drawing"};
  return {Spoken::Kind::nothing};
}

std::optional<std::string> ChunkedTexts::add(std::string_view bytes, const std::string& email) {
  const Payload payload = parse_payload(bytes);
  const std::string id = payload.header("message-id");
  const std::size_t chunks = read_size(payload.header("chunks"));
  if (id.empty()) return std::string(bytes);
  if (payload.headers.contains("chunks")) {
    if (chunks <= 1) return std::string(bytes);
    if (unfinished_.size() >= most_unfinished) {
      torn_.push_back(tear(std::move(unfinished_.front())));
      unfinished_.erase(unfinished_.begin());
    }
    unfinished_.push_back({id, email, std::min(chunks, most_chunks), 1, std::string(bytes), chunks > most_chunks});
    return std::nullopt;
  }
  const auto found = std::find_if(unfinished_.begin(), unfinished_.end(), [&](const auto& u) { return u.id == id; });
  if (!payload.headers.contains("chunk")) return std::string(bytes);
  if (found == unfinished_.end()) return std::nullopt;
  found->payload += payload.body;
  const bool is_too_long = found->payload.size() > most_chunked_bytes;
  if (++found->seen < found->expected && !is_too_long) return std::nullopt;
  std::string whole = is_too_long || found->is_cut ? mark_as_cut(std::move(found->payload)) : std::move(found->payload);
  unfinished_.erase(found);
  return whole;
}

ChunkedTexts::Torn ChunkedTexts::tear(Unfinished unfinished) {
  return {std::move(unfinished.email), mark_as_cut(std::move(unfinished.payload))};
}

void ChunkedTexts::give_up() {
  for (Unfinished& unfinished : unfinished_) torn_.push_back(tear(std::move(unfinished)));
  unfinished_.clear();
}

}  // namespace wherry::msn
