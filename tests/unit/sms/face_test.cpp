// The face of a number: a PNG that is its own, and stays so.
#include "connectors/sms/text/face.hpp"

#include <boost/crc.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <vector>

using namespace wherry::sms;

namespace {

std::uint32_t number_at(const std::string& octets, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(octets[i]);
  return value;
}

// Type and data of each chunk; REQUIREs that their checksums are right (RFC 2083 §3.2).
std::vector<std::string> chunks_of(const std::string& png) {
  std::vector<std::string> chunks;
  REQUIRE(png.starts_with("\x89PNG\r\n\x1A\n"));
  for (std::size_t at = 8; at < png.size();) {
    const std::uint32_t bytes = number_at(png, at);
    const std::string chunk = png.substr(at + 4, bytes + 4);
    boost::crc_32_type crc;
    crc.process_bytes(chunk.data(), chunk.size());
    REQUIRE(number_at(png, at + 8 + bytes) == crc.checksum());
    chunks.push_back(chunk);
    at += 12 + bytes;
  }
  return chunks;
}

}  // namespace

TEST_CASE("A face is a small PNG") {
  const std::string png = face_of("+14155550132");
  CHECK(png.size() < 1100);
  const auto chunks = chunks_of(png);
  REQUIRE(chunks.size() == 4);
  CHECK(chunks[0].substr(0, 4) == "IHDR");
  CHECK(number_at(chunks[0], 4) == 80);
  CHECK(chunks[1].substr(0, 4) == "PLTE");
  CHECK(chunks[2].substr(0, 4) == "IDAT");
  CHECK(chunks[2].size() == 4 + 2 + 5 + 80 * 11 + 4);
  CHECK(chunks[3] == "IEND");
}

TEST_CASE("Each number has a face of its own, always the same") {
  std::set<std::string> faces;
  for (int i = 0; i < 1000; ++i) faces.insert(face_of("+1415555" + std::to_string(1000 + i)));
  CHECK(faces.size() > 990);
  CHECK(face_of("+14155550132") == face_of("+14155550132"));
  CHECK(number_of_face(face_name("+14155550132")) == "+14155550132");
  CHECK(number_of_face("nurse-1").empty());
}
