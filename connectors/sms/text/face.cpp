#include "connectors/sms/text/face.hpp"

#include <boost/crc.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace wherry::sms {

namespace {

constexpr std::string_view prefix = "face-1:";
constexpr std::size_t cells = 5, cell_pixels = 16, pixels = cells * cell_pixels;

using Pattern = std::array<unsigned char, crypto_generichash_BYTES_MIN>;

Pattern pattern_of(std::string_view number) {
  Pattern hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(number.data()), number.size(),
                     nullptr, 0);
  return hash;
}

// The right half mirrors the left: people see faces in that.
bool is_filled(const Pattern& pattern, std::size_t row, std::size_t column) {
  const std::size_t half = std::min(column, cells - 1 - column);
  return (pattern[2 + row] >> half & 1) != 0;
}

std::string big_endian(std::uint32_t value) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8) octets += static_cast<char>(value >> shift & 0xFF);
  return octets;
}

// PNG (RFC 2083) §3.2.
std::string chunk(std::string type_and_data) {
  boost::crc_32_type crc;
  crc.process_bytes(type_and_data.data(), type_and_data.size());
  const auto data_bytes = static_cast<std::uint32_t>(type_and_data.size() - 4);
  return big_endian(data_bytes) + type_and_data + big_endian(crc.checksum());
}

// RFC 1950, with one block that is stored as it is (RFC 1951 §3.2.4): there is nothing to win by packing so little.
std::string zlib_stream(const std::string& data) {
  const auto bytes = static_cast<std::uint16_t>(data.size());
  const auto little_endian = [](std::uint16_t value) {
    return std::string{static_cast<char>(value & 0xFF), static_cast<char>(value >> 8)};
  };
  std::uint32_t a = 1, b = 0;  // Adler-32
  for (const char c : data) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return "\x78\x01\x01" + little_endian(bytes) + little_endian(static_cast<std::uint16_t>(~bytes)) + data +
         big_endian(b << 16 | a);
}

// A colour of the circle, neither pale nor dark.
std::string colour(const Pattern& pattern) {
  const double hue = (pattern[0] << 8 | pattern[1]) / 65536.0 * 6;
  std::string rgb;
  for (const double shift : {0.0, 4.0, 2.0}) {
    const double distance = std::abs(std::fmod(hue + shift, 6.0) - 3.0) - 1.0;
    rgb += static_cast<char>(static_cast<int>(70 + 120 * std::clamp(distance, 0.0, 1.0)));
  }
  return rgb;
}

}  // namespace

std::string face_of(std::string_view number) {
  const Pattern pattern = pattern_of(number);
  std::string rows;
  for (std::size_t y = 0; y < pixels; ++y) {
    rows += '\0';  // no filter
    for (std::size_t x = 0; x < pixels; x += 8)
      rows += is_filled(pattern, y / cell_pixels, x / cell_pixels) ? '\xFF' : '\0';
  }
  const std::string header =
      "IHDR" + big_endian(pixels) + big_endian(pixels) + std::string("\x01\x03\x00\x00\x00", 5);  // a bit, palette
  const std::string palette = "PLTE\xF0\xF0\xF0" + colour(pattern);
  return "\x89PNG\r\n\x1A\n" + chunk(header) + chunk(palette) + chunk("IDAT" + zlib_stream(rows)) + chunk("IEND");
}

std::string face_name(std::string_view number) { return std::string(prefix) + std::string(number); }

std::string_view number_of_face(std::string_view name) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
}

}  // namespace wherry::sms
