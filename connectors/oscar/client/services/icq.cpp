#include "connectors/oscar/client/services/icq.hpp"

namespace wherry::oscar {

namespace {

constexpr std::uint16_t short_info_question = 0x4BA, full_info_question = 0x4B2, number_question = 0x569,
                        pages_question = 0x55F, change = 0xC3A;
// Parts of the answers.
constexpr std::uint16_t basic_info = 0xC8, more_info = 0xDC, about_info = 0xE6, last_info = 0xFA, short_info = 0x104,
                        found = 0x1A4, last_found = 0x1AE;
// As one server answers (node-icq-server): a short info under another number, a full one as a list of TLVs.
constexpr std::uint16_t other_short_info = 0xBA, listed_info = 0x118;
constexpr std::uint8_t succeeded = 0x0A;
constexpr std::size_t most_records = 100;  // of one packet

std::string text_of(Reader& in) {
  std::string text = in.little_text16();
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

void skip_texts(Reader& in, int count) {
  for (int i = 0; i < count; ++i) in.little_text16();
}

void put_text(Writer& out, std::string_view text) {
  text = text.substr(0, 0xFFFE);
  out.little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
}

void put_field(Writer& out, SearchField field, std::string_view text) {
  Writer value;
  put_text(value, text);
  out.little16(static_cast<std::uint32_t>(field)).little16(static_cast<std::uint32_t>(value.octets().size()));
  out.raw(value.octets());
}

struct Head {
  std::uint16_t part = 0;
  std::uint8_t result = 0;
};
Head head_of(const IcqPacket& packet, Reader& in) {
  Head head;
  if (packet.type != IcqPacket::answer) return head;
  head.part = in.little16();
  head.result = in.u8();
  if (!in.ok()) return Head();
  return head;
}

// What is read replaces nothing by nothing.
void set(std::string& member, std::string text) {
  if (!text.empty()) member = std::move(text);
}

void read_short(Reader& in, IcqDetails& details) {
  set(details.nick, text_of(in));
  set(details.first, text_of(in));
  set(details.last, text_of(in));
  set(details.mail, text_of(in));
}

void read_basic(Reader& in, IcqDetails& details) {
  read_short(in, details);
  set(details.city, text_of(in));
  skip_texts(in, 1);  // the state
  const std::string phone = text_of(in);
  skip_texts(in, 2);  // fax and street
  set(details.phone, text_of(in));
  set(details.phone, phone);  // rather than the mobile one
  skip_texts(in, 1);
  if (const std::uint16_t country = in.little16(); in.ok()) details.country = country;
}

void read_more(Reader& in, IcqDetails& details) {
  in.little16();  // the age, which the birthday tells better
  const std::uint8_t gender = in.u8();
  set(details.homepage, text_of(in));
  const std::uint16_t year = in.little16();
  const std::uint8_t month = in.u8(), day = in.u8();
  if (!in.ok()) return;
  details.gender = gender;
  details.birth_year = year;
  details.birth_month = month;
  details.birth_day = day;
}

void read_listed(Reader& in, IcqDetails& details) {
  while (!in.empty()) {
    const std::uint16_t field = in.little16();
    const std::string value = in.little_text16();
    if (!in.ok()) return;
    Reader inner(value);
    switch (field) {
      case 340: set(details.nick, text_of(inner)); break;
      case 350: set(details.first, text_of(inner)); break;
      case 360: set(details.last, text_of(inner)); break;
      case 370: set(details.mail, text_of(inner)); break;
      case 380: set(details.city, text_of(inner)); break;
      case 400: set(details.phone, text_of(inner)); break;
      case 560: details.gender = inner.u8(); break;
      case 580: set(details.homepage, text_of(inner)); break;
      case 700: set(details.about, text_of(inner)); break;
      default: break;
    }
  }
}

}  // namespace

std::string write_icq(const IcqPacket& packet) {
  Writer inner;
  inner.little32(packet.uin).little16(packet.type).little16(packet.sequence).raw(packet.data);
  Writer counted;
  counted.little16(static_cast<std::uint32_t>(inner.octets().size())).raw(inner.octets());
  return Writer().tlv(0x01, counted.octets()).take();
}

std::optional<IcqPacket> read_icq(std::string_view body) {
  Reader in(body);
  const Tlvs tlvs = read_tlvs(in);
  const std::string* block = find(tlvs, 0x01);
  if (!block) return std::nullopt;
  Reader inner(*block);
  inner.little16();  // the length, which the TLV has said already
  IcqPacket packet;
  packet.uin = inner.little32();
  packet.type = inner.little16();
  packet.sequence = inner.little16();
  if (!inner.ok()) return std::nullopt;
  packet.data = inner.rest();
  return packet;
}

std::string ask_short_info(std::uint32_t uin) { return Writer().little16(short_info_question).little32(uin).take(); }
std::string ask_full_info(std::uint32_t uin) { return Writer().little16(full_info_question).little32(uin).take(); }

std::string search_number(std::uint32_t uin) {
  Writer out;
  out.little16(number_question).little16(static_cast<std::uint32_t>(SearchField::uin)).little16(4).little32(uin);
  return out.take();
}

std::string search_texts(const std::vector<std::pair<SearchField, std::string>>& texts) {
  Writer out;
  out.little16(pages_question);
  for (const auto& [field, text] : texts) put_field(out, field, text);
  return out.take();
}

// Only what is named is changed.
std::string change_nick(std::string_view nick) {
  Writer out;
  out.little16(change);
  put_field(out, SearchField::nick, nick);
  return out.take();
}

bool ends_answer(const IcqPacket& packet) {
  Reader in(packet.data);
  const Head head = head_of(packet, in);
  switch (head.part) {
    case basic_info:
    case more_info:
    case found: return head.result != succeeded;
    case last_info:
    case short_info:
    case other_short_info:
    case listed_info:
    case last_found:
    case change + 5: return true;
    default: return head.result != succeeded && !packet.has_more;
  }
}

bool has_succeeded(const IcqPacket& packet) {
  Reader in(packet.data);
  return head_of(packet, in).result == succeeded;
}

void read_details(const IcqPacket& packet, IcqDetails& details) {
  Reader in(packet.data);
  const Head head = head_of(packet, in);
  if (head.result != succeeded) return;
  switch (head.part) {
    case short_info:
    case other_short_info: return read_short(in, details);
    case basic_info: return read_basic(in, details);
    case more_info: return read_more(in, details);
    case about_info: return set(details.about, text_of(in));
    case listed_info: return read_listed(in, details);
    default: return;
  }
}

// A length stands before a record; one server counts records there, and has several behind it.
std::vector<FoundUser> read_found(const IcqPacket& packet) {
  std::vector<FoundUser> users;
  Reader in(packet.data);
  const Head head = head_of(packet, in);
  if (head.result != succeeded || (head.part != found && head.part != last_found)) return users;
  in.little16();
  while (users.size() < most_records) {
    FoundUser user;
    user.uin = in.little32();
    user.nick = text_of(in);
    user.first = text_of(in);
    user.last = text_of(in);
    user.mail = text_of(in);
    in.take(6);  // whether to ask, whether online, gender, age
    if (!in.ok() || user.uin == 0) break;
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace wherry::oscar
