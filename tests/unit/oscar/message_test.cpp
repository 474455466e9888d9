#include "connectors/oscar/client/message.hpp"

#include "connectors/oscar/client/news.hpp"
#include "tests/unit/oscar/octets.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using tests::octets;

namespace {

std::string old_message(std::uint8_t kind, std::string_view text) {
  Writer inner;
  inner.little32(100002).u8(kind).u8(0).little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
  return Writer().raw("cookie01").u16(4).raw(tests::icq_user("100002")).tlv(0x05, inner.octets()).take();
}

std::string relayed(std::string_view text, bool is_utf8) {
  Writer block;
  block.little16(0x1B).raw(std::string(0x1B, '\1')).little16(0x0E).raw(std::string(0x0E, '\2'));
  block.u8(1).u8(0).little16(0).little16(1).little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
  block.little32(0).little32(0xFFFFFF);
  if (is_utf8) block.little32(38).raw("{0946134E-4C7F-11D1-8222-444553540000}");
  Writer data;
  data.u16(0).raw("cookie01").raw(octets("094613494C7F11D18222444553540000")).tlv(0x2711, block.octets());
  return Writer().raw("cookie01").u16(2).raw(tests::icq_user("100002")).tlv(0x05, data.octets()).take();
}

}  // namespace

TEST_CASE("A message of ours is as clients write it") {
  OutgoingMessage message;
  message.cookie = "cookie01";
  message.to = "100001";
  message.text.octets = "hello";
  CHECK(base::to_hex(write_message(message)) ==
        "636f6f6b69653031"
        "0001"
        "06313030303031"
        "00020012"
        "0501000101"
        "01010009"
        "00000000"
        "68656c6c6f"
        "00030000"
        "00060000");
  message.may_be_stored = false;
  CHECK(base::to_hex(write_message(message)).ends_with("00030000"));
}

TEST_CASE("A message comes with its sender, its pieces and its time") {
  auto body = tests::text_from(tests::icq_user("100002", 1), "hi", 3) + Writer().tlv32(0x16, 1700000000).take();
  const auto message = read_message(body);
  REQUIRE(message);
  CHECK(message->cookie == "cookie01");
  CHECK(message->sender.name == "100002");
  CHECK(message->sender.is_icq);
  CHECK(message->sender.status == 1);
  CHECK(message->pieces == std::vector<TextPiece>{{3, "hi"}});
  CHECK(message->stored_at == 1700000000);
  CHECK_FALSE(message->is_automatic);
}

TEST_CASE("No start of a message is read beyond its end, and none has a text") {
  const std::string whole = tests::text_from(tests::icq_user("100002"), "hello");
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    const auto message = read_message(std::string_view(whole).substr(0, length));
    CHECK_FALSE(message);
  }
}

TEST_CASE("Old clients' messages have kinds") {
  const auto text = read_message(old_message(1, "plain"));
  REQUIRE(text);
  CHECK(text->pieces[0].octets == "plain");
  const auto asks = read_message(old_message(6,
                                             "nick\xFE\xFE\xFE\xFE"
                                             "1\xFEplease"));
  REQUIRE(asks);
  CHECK(asks->kind == IncomingMessage::Kind::authorisation_request);
  CHECK_FALSE(read_message(old_message(0x1A, "plugin")));
}

TEST_CASE("A text on channel 2 is read, and its answer is owed") {
  const auto message = read_message(relayed("\xD0\xBF", true));
  REQUIRE(message);
  CHECK(message->is_utf8);
  CHECK(message->pieces[0].octets == "\xD0\xBF");
  Reader in(message->owed_answer);
  CHECK(in.take(8) == "cookie01");
  CHECK(in.u16() == 2);
  CHECK(in.text8() == "100002");
  CHECK(in.u16() == 3);
  CHECK(in.rest().size() == 2 + 0x1B + 2 + 0x0E + 6 + 3);
  const auto plain = read_message(relayed("x", false));
  REQUIRE(plain);
  CHECK_FALSE(plain->is_utf8);
}

// As a program for Linux got them in 2013 from two others.
TEST_CASE("What stands around a text does not hide it") {
  const std::string block = octets("000a 0002 0001 000f 0000");
  Writer data;
  data.u16(0).raw("cookie01").raw(octets("094613494C7F11D18222444553540000")).raw(block);
  const std::string inner = relayed("\xD0\xBF\xD1\x80", true);
  data.raw(inner.substr(inner.find(octets("2711"))));
  const auto second =
      read_message(Writer().raw("cookie01").u16(2).raw(tests::icq_user("100002")).tlv(0x05, data.octets()).octets());
  REQUIRE(second);
  CHECK(second->is_utf8);
  CHECK(second->pieces == std::vector<TextPiece>{{0, "\xD0\xBF\xD1\x80"}});
  const auto kept = read_message(std::string(8, '\0') + octets("0001") + tests::icq_user("100002") +
                                 octets("0002 0011 05010001 01 0101 0008 0000 0000") + "text" +
                                 octets("0024 0004 61313262 0016 0004 513112de 0006 0000"));
  REQUIRE(kept);
  CHECK(kept->pieces == std::vector<TextPiece>{{0, "text"}});
  CHECK(kept->stored_at == 0x513112DE);
}

TEST_CASE("An offer on channel 2 is told as what it is, and can be refused") {
  const auto offered = [](std::string_view capability, std::uint16_t type = 0) {
    Writer data;
    data.u16(type).raw("cookie02").raw(capability).tlv16(0x0A, 1).tlv(0x0F);
    return read_message(
        Writer().raw("cookie01").u16(2).raw(tests::icq_user("100002")).tlv(0x05, data.octets()).octets());
  };
  const std::string file = octets("094613434C7F11D18222444553540000");
  using Offer = IncomingMessage::Offer;
  REQUIRE(offered(file));
  CHECK(offered(file)->offer == Offer::file);
  CHECK(offered(file)->refusal == "cookie01" + octets("0002 06") + "100002" + octets("0005 0020 0001") + "cookie02" +
                                      file + octets("000b 0002 0001"));
  CHECK(offered(octets("748F2420628711D18222444553540000"))->offer == Offer::room);
  CHECK(offered(octets("094613454C7F11D18222444553540000"))->offer == Offer::talk);
  CHECK_FALSE(offered(octets("094613464C7F11D18222444553540000")));  // an icon
  CHECK_FALSE(offered(octets("0946134E4C7F11D18222444553540001")));
  CHECK_FALSE(offered(file, 1));  // it is taken back
  CHECK_FALSE(offered(file.substr(0, 4)));
}

TEST_CASE("Typing, both ways") {
  const std::string body = write_typing({"100001", TypingState::typing});
  CHECK(base::to_hex(body) ==
        "0000000000000000"
        "0001"
        "06313030303031"
        "0002");
  const auto notice = read_typing(body);
  REQUIRE(notice);
  CHECK(notice->name == "100001");
  CHECK(notice->state == TypingState::typing);
  CHECK_FALSE(read_typing(std::string_view(body).substr(0, body.size() - 1)));
}

TEST_CASE("What the server has kept comes in ICQ's own packets") {
  Writer data;
  data.little32(100002).little16(2026).u8(11).u8(28).u8(22).u8(30).u8(1).u8(0).little16(3).raw("hi").u8(0);
  IcqPacket packet;
  packet.uin = 100001;
  packet.type = IcqPacket::stored_message;
  packet.sequence = 2;
  packet.data = data.take();
  const auto read = read_icq(write_icq(packet));
  REQUIRE(read);
  CHECK(read->uin == 100001);
  CHECK(read->type == IcqPacket::stored_message);
  Reader in(read->data);
  const auto message = read_stored_message(in);
  REQUIRE(message);
  CHECK(message->sender.name == "100002");
  CHECK(message->pieces[0].octets == "hi");
  CHECK(message->stored_at == 1795905000);  // 2026-11-28 22:30 UTC
}

TEST_CASE("What a server says unasked") {
  const auto news = [](std::uint16_t family, std::uint16_t subtype, const std::string& body) {
    Snac packet;
    packet.family = family;
    packet.subtype = subtype;
    packet.body = body;
    return read_news(packet);
  };
  const auto arrived = news(0x03, 0x0B, tests::icq_user("1234567", 0x10) + tests::user_info("Some Name"));
  REQUIRE(std::get<Arrived>(arrived).users.size() == 2);
  CHECK(std::get<Arrived>(arrived).users[0].status == 0x10);
  CHECK(std::get<Departed>(news(0x03, 0x0C, tests::user_info("100002"))).names.at(0) == "100002");
  const auto asked = news(0x13, 0x19, Writer().text8("100002").text16("please").u16(0).take());
  CHECK(std::get<AuthorisationAsked>(asked).reason == "please");
  CHECK(std::get<AuthorisationAnswered>(news(0x13, 0x1B, Writer().text8("100002").u8(1).text16("").take())).is_granted);
  CHECK_FALSE(std::get<AuthorisationAnswered>(news(0x13, 0x1B, Writer().text8("100002").u8(0).take())).is_granted);
  CHECK(std::get<Added>(news(0x13, 0x1C, Writer().text8("100002").take())).name == "100002");
  CHECK(std::get<Heard>(news(0x04, 0x0B, Writer().raw("cookie01").u16(1).text8("100002").take()))
            .acknowledgement.cookie == "cookie01");
  CHECK(std::get<Heard>(news(0x04, 0x0B, Writer().raw("cookie01").u16(1).text8("100002").u16(2).take()))
            .acknowledgement.reason == Acknowledgement::unreadable);
  // Some servers say no more of who has gone than the name.
  CHECK(std::get<Departed>(news(0x03, 0x0C, Writer().text8("100002").take())).names.at(0) == "100002");
  CHECK(std::get<Departed>(news(0x03, 0x0C, tests::user_info("100002") + tests::user_info("100003"))).names.size() ==
        2);
  for (const auto& [family, subtype] : {std::pair(0x03, 0x0B),
                                        {0x03, 0x0C},
                                        {0x04, 0x07},
                                        {0x04, 0x14},
                                        {0x13, 0x19},
                                        {0x13, 0x08},
                                        {0x13, 0x1C},
                                        {0x15, 0x03},
                                        {0x99, 0x99}}) {
    const auto nothing = news(static_cast<std::uint16_t>(family), static_cast<std::uint16_t>(subtype), "");
    CHECK(std::holds_alternative<std::monostate>(nothing));
  }
}
