#include "connectors/oscar/client/services/icq.hpp"

#include "connectors/oscar/convert/people.hpp"
#include "tests/unit/oscar/octets.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using tests::octets;

namespace {

IcqPacket answer(std::string data) {
  IcqPacket packet;
  packet.type = IcqPacket::answer;
  packet.data = std::move(data);
  return packet;
}
Writer& text(Writer& out, std::string_view value) {
  return out.little16(static_cast<std::uint32_t>(value.size() + 1)).raw(value).u8(0);
}

// As open-oscar-server answers 04B2.
std::vector<IcqPacket> full_info() {
  Writer basic, more, notes, last;
  basic.little16(0xC8).u8(0x0A);
  for (const char* one : {"Nick", "Ann", "Lee", "ann@x.test", "Riga", "", "+371 1", "", "Street 1", "+371 2", "1001"})
    text(basic, one);
  basic.little16(371).u8(0).u8(1).u8(0).u8(0).u8(0);
  more.little16(0xDC).u8(0x0A).little16(30).u8(1);
  text(more, "http://x.test/~ann").little16(1996).u8(2).u8(29).u8(0).u8(0).u8(0);
  text(notes.little16(0xE6).u8(0x0A), "First line\r\nsecond");
  last.little16(0xFA).u8(0x0A).u8(0).u8(0);
  return {answer(basic.take()), answer(more.take()), answer(notes.take()), answer(last.take())};
}

std::string found(std::uint32_t uin, const char* nick) {
  Writer out;
  out.little32(uin);
  for (const char* one : {nick, "Ann", "Lee", "ann@x.test"}) text(out, one);
  return out.u8(0).little16(1).u8(1).little16(30).take();
}

}  // namespace

TEST_CASE("A question is packed twice") {
  IcqPacket packet;
  packet.uin = 100003;
  packet.type = IcqPacket::question;
  packet.sequence = 1;
  packet.data = ask_short_info(100001);
  CHECK(base::to_hex(write_icq(packet)) ==
        "00010010"
        "0e00"
        "a3860100"
        "d007"
        "0100"
        "ba04"
        "a1860100");
  CHECK(base::to_hex(search_number(100001)) ==
        "6905"
        "3601"
        "0400"
        "a1860100");
  CHECK(base::to_hex(search_texts({{SearchField::nick, "Al"}})) ==
        "5f05"
        "5401"
        "0500"
        "0300"
        "416c00");
  CHECK(base::to_hex(change_nick("Al")) ==
        "3a0c"
        "5401"
        "0500"
        "0300"
        "416c00");
}

TEST_CASE("What people say of themselves, also where a text is empty without its NUL") {
  IcqDetails info;
  IcqPacket brief = answer(octets("0401 0a 0500 4e69636b00 0000 0100 00 0300 6140 00"));
  CHECK(ends_answer(brief));
  CHECK(has_succeeded(brief));
  read_details(brief, info);
  CHECK(info.nick == "Nick");
  CHECK(info.first.empty());
  CHECK(info.last.empty());
  CHECK(info.mail == "a@");
  brief.data[2] = '\x14';
  IcqDetails none;
  read_details(brief, none);
  CHECK(none == IcqDetails());
  CHECK_FALSE(has_succeeded(brief));
}

TEST_CASE("A full info comes in parts, and the last of them ends it") {
  IcqDetails info;
  const auto parts = full_info();
  for (const IcqPacket& part : parts) {
    CHECK(ends_answer(part) == (&part == &parts.back()));
    read_details(part, info);
  }
  const connector::Profile profile = to_profile(info, "windows-1252");
  CHECK(profile.name == "Nick");
  CHECK(profile.details == std::map<std::string, std::string>{{"nick", "Nick"},
                                                              {"first_name", "Ann"},
                                                              {"last_name", "Lee"},
                                                              {"email", "ann@x.test"},
                                                              {"city", "Riga"},
                                                              {"phone", "+371 1"},
                                                              {"country", "Latvia"},
                                                              {"gender", "female"},
                                                              {"homepage", "http://x.test/~ann"},
                                                              {"birthday", "1996-02-29"},
                                                              {"about", "First line\nsecond"}});
}

TEST_CASE("… and what is cut off anywhere is left out") {
  for (const IcqPacket& part : full_info()) {
    for (std::size_t length = 0; length < part.data.size(); ++length) {
      IcqDetails info;
      IcqPacket cut = answer(part.data.substr(0, length));
      read_details(cut, info);
      (void)ends_answer(cut);
      CHECK(read_found(cut).empty());
    }
  }
}

TEST_CASE("A server that answers with a list of fields is understood, too (node-icq-server)") {
  Writer fields;
  const auto add = [&](std::uint32_t field, std::string_view value) {
    Writer inner;
    text(inner, value);
    fields.little16(field).little16(static_cast<std::uint32_t>(inner.octets().size())).raw(inner.octets());
  };
  add(340, "Nick");
  add(380, "Riga");
  fields.little16(560).little16(1).u8(2);
  IcqDetails info;
  const IcqPacket packet = answer(octets("1801 0a") + fields.take());
  CHECK(ends_answer(packet));
  read_details(packet, info);
  CHECK(info.nick == "Nick");
  CHECK(info.city == "Riga");
  CHECK(info.gender == 2);
}

TEST_CASE("Birthdays that are none are left out, and a year may be missing") {
  const auto birthday = [](std::uint16_t year, std::uint8_t month, std::uint8_t day) {
    IcqDetails details;
    details.birth_year = year;
    details.birth_month = month;
    details.birth_day = day;
    const auto profile = to_profile(details, "windows-1252");
    const auto found = profile.details.find("birthday");
    return found == profile.details.end() ? std::string() : found->second;
  };
  CHECK(birthday(1996, 2, 29) == "1996-02-29");
  CHECK(birthday(0, 2, 29) == "--02-29");
  CHECK(birthday(0, 0, 0).empty());
  CHECK(birthday(1996, 13, 1).empty());
  CHECK(birthday(1996, 1, 32).empty());
}

TEST_CASE("Whom a search has found, one in a packet or several") {
  const std::string one = found(100002, "Nick"), other = found(100003, "Al");
  const auto in_packet = [](std::uint16_t part, std::size_t length, const std::string& records) {
    return answer(Writer().little16(part).u8(0x0A).little16(static_cast<std::uint32_t>(length)).raw(records).take());
  };
  const IcqPacket first = in_packet(0x1A4, one.size(), one + std::string(12, '\0'));
  const IcqPacket last = in_packet(0x1AE, other.size(), other + std::string(12, '\0'));
  CHECK_FALSE(ends_answer(first));
  CHECK(ends_answer(last));
  REQUIRE(read_found(first).size() == 1);
  CHECK(read_found(first)[0].nick == "Nick");
  REQUIRE(read_found(last).size() == 1);
  const auto both = read_found(in_packet(0x1AE, 2, one + other));  // counted
  REQUIRE(both.size() == 2);
  CHECK(to_listed(both[1], "windows-1252").contact.value == "100003");
  CHECK(to_listed(both[1], "windows-1252").name == "Al");
  CHECK(read_found(answer(octets("ae01 32"))).empty());
}

TEST_CASE("What a person typed is searched for as what it is") {
  CHECK(to_searches("  ", "windows-1252").empty());
  CHECK(to_searches("100-001", "windows-1252") == std::vector<std::string>{search_number(100001)});
  CHECK(to_searches("ann@x.test", "windows-1252") ==
        std::vector<std::string>{search_texts({{SearchField::mail, "ann@x.test"}})});
  CHECK(to_searches("Zo\xC3\xAB", "windows-1252") ==
        std::vector<std::string>{search_texts({{SearchField::nick, "Zo\xEB"}}),
                                 search_texts({{SearchField::first, "Zo\xEB"}}),
                                 search_texts({{SearchField::last, "Zo\xEB"}})});
  CHECK(to_searches("Ann Lee", "windows-1252") ==
        std::vector<std::string>{search_texts({{SearchField::nick, "Ann Lee"}}),
                                 search_texts({{SearchField::first, "Ann"}, {SearchField::last, "Lee"}})});
  CHECK(to_searches(std::string(10'000, 'x'), "windows-1252")[0].size() < 300);
}
