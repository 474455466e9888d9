#include "connectors/oscar/client/wire.hpp"

#include "tests/unit/oscar/octets.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using tests::octets;

TEST_CASE("Frames are cut out of the stream however it is cut itself") {
  Flap server(0xFFFF), client;
  const std::string two = server.frame(Channel::hello, octets("00000001")) + server.frame(Channel::data, "abc");
  CHECK(base::to_hex(two) == "2a01ffff0004000000012a0200000003616263");
  std::string seen;
  for (const char octet : two) {
    client.feed(std::string_view(&octet, 1));
    while (const auto frame = client.next()) seen += base::to_hex(frame->data) + ";";
  }
  CHECK(seen == "00000001;616263;");
  client.feed(two + two);
  int frames = 0;
  while (client.next()) ++frames;
  CHECK(frames == 4);
  CHECK_FALSE(client.is_partial());
}

TEST_CASE("What is no frame breaks the framing for good") {
  for (const char* hex : {"2b01000000", "2a06000000", "2a00000000", "48545450"}) {
    Flap flap;
    flap.feed(octets(hex));
    CHECK_FALSE(flap.next());
    CHECK(flap.is_broken());
    flap.feed(Flap().frame(Channel::data, "x"));
    CHECK_FALSE(flap.next());
  }
}

TEST_CASE("A close without its length is known at the end of the stream") {
  Flap flap;
  flap.feed(octets("2a040007"));
  CHECK_FALSE(flap.next());
  CHECK(flap.ends_in_close());
  Flap data;
  data.feed(octets("2a020007"));
  CHECK_FALSE(data.ends_in_close());
}

TEST_CASE("A SNAC's extra block is left out, and one that claims too much is none") {
  const auto packet = read_snac(tests::snac(0x13, 0x19, octets("0006 000100020001") + "rest", 7, 0x8000));
  REQUIRE(packet);
  CHECK(packet->is(0x13, 0x19));
  CHECK(packet->id == 7);
  CHECK(packet->body == "rest");
  CHECK_FALSE(read_snac(tests::snac(0x13, 0x19, octets("ffff 00"), 7, 0x8000)));
  CHECK_FALSE(read_snac(octets("0013 0019 0000 000000")));
}

TEST_CASE("TLVs end where the octets do") {
  const std::string block = Writer().tlv(1, "a").tlv16(2, 0x1234).tlv32(3, 0xDEADBEEF).tlv(4).take();
  Reader in(block);
  const Tlvs tlvs = read_tlvs(in);
  REQUIRE(tlvs.size() == 4);
  CHECK(write_tlvs(tlvs) == block);
  CHECK(*find(tlvs, 1) == "a");
  CHECK(number(tlvs, 2) == 0x1234);
  CHECK(number(tlvs, 3) == 0xDEADBEEF);
  CHECK_FALSE(number(tlvs, 4));
  CHECK_FALSE(find(tlvs, 5));
  for (std::size_t length = 0; length < block.size(); ++length) {
    Reader cut(std::string_view(block).substr(0, length));
    CHECK(read_tlvs(cut).size() < 4);
  }
  Reader counted(block);
  CHECK(read_tlvs(counted, 2).size() == 2);
  CHECK(counted.rest().size() == block.size() - 11);
}

TEST_CASE("A reader that has failed gives nothing more") {
  Reader in(
      "\x05"
      "ab");
  CHECK(in.text8().empty());
  CHECK_FALSE(in.ok());
  CHECK(in.u32() == 0);
  CHECK(in.rest().empty());
  Reader little(octets("0304 01020304"));
  CHECK(little.little16() == 0x0403);
  CHECK(little.little32() == 0x04030201);
}
