// The layers of OSCAR below its services: FLAP frames, SNAC packets, TLV blocks. Pure; what is read is bounded by what
// is there, and malformed input never throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::oscar {

// Takes fields off the front. After the first that does not fit, ok() is false and everything is empty or 0.
class Reader {
 public:
  explicit Reader(std::string_view octets) : rest_(octets) {}

  std::string_view take(std::size_t count);
  std::uint8_t u8() { return static_cast<std::uint8_t>(big(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big(2)); }
  std::uint32_t u32() { return big(4); }
  // The ICQ services (family 15, channel 4) count from the other end.
  std::uint16_t little16() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t little32() { return little(4); }
  std::string text8() { return std::string(take(u8())); }                // a length in one octet, and so many
  std::string text16() { return std::string(take(u16())); }              // in two octets
  std::string little_text16() { return std::string(take(little16())); }  // in two, the other way round

  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::uint32_t big(std::size_t octets);
  std::uint32_t little(std::size_t octets);

  std::string_view rest_;
  bool ok_ = true;
};

class Writer {
 public:
  Writer& u8(std::uint32_t value) { return big(value, 1); }
  Writer& u16(std::uint32_t value) { return big(value, 2); }
  Writer& u32(std::uint32_t value) { return big(value, 4); }
  Writer& little16(std::uint32_t value) { return little(value, 2); }
  Writer& little32(std::uint32_t value) { return little(value, 4); }
  Writer& raw(std::string_view octets);
  Writer& text8(std::string_view text);   // cut where its length does not fit
  Writer& text16(std::string_view text);  // likewise
  Writer& tlv(std::uint16_t type, std::string_view value = {});
  Writer& tlv16(std::uint16_t type, std::uint32_t value);
  Writer& tlv32(std::uint16_t type, std::uint32_t value);
  std::string take() { return std::move(octets_); }
  const std::string& octets() const { return octets_; }

 private:
  Writer& big(std::uint32_t value, int octets);
  Writer& little(std::uint32_t value, int octets);
  std::string octets_;
};

struct Tlv {
  std::uint16_t type = 0;
  std::string value;
  bool operator==(const Tlv&) const = default;
};
using Tlvs = std::vector<Tlv>;
const std::string* find(const Tlvs& tlvs, std::uint16_t type);
// Of one, two or four octets.
std::optional<std::uint32_t> number(const Tlvs& tlvs, std::uint16_t type);
// Everything to the end; the last one is left out where it is cut off.
Tlvs read_tlvs(Reader& in);
// So many, as far as they are there.
Tlvs read_tlvs(Reader& in, std::size_t count);
std::string write_tlvs(const Tlvs& tlvs);

// The services, whose numbers begin every packet.
namespace family {
inline constexpr std::uint16_t generic = 0x01, locate = 0x02, buddies = 0x03, messages = 0x04, privacy = 0x09,
                               lookup = 0x0A, icons = 0x10, lists = 0x13, icq = 0x15, authorisation = 0x17;
}

enum class Channel : std::uint8_t { hello = 1, data = 2, error = 3, close = 4, keep_alive = 5 };

struct Frame {
  Channel channel = Channel::data;
  std::string data;
};

struct Snac {
  std::uint16_t family = 0, subtype = 0, flags = 0;
  std::uint32_t id = 0;
  std::string body;  // without the extra block that flag 0x8000 announces

  bool is(std::uint16_t f, std::uint16_t s) const { return family == f && subtype == s; }
  bool has_more() const { return (flags & 1) != 0; }  // parts of the same reply follow
};
std::optional<Snac> read_snac(std::string_view data);
std::string write_snac(const Snac& snac);

// Cuts a stream of octets into frames, and numbers those that are sent.
class Flap {
 public:
  explicit Flap(std::uint16_t first_sequence = 0) : sequence_(first_sequence) {}

  void feed(std::string_view octets) { input_ += octets; }
  // The next frame that is whole. None: more octets are needed, or the framing is lost (is_broken).
  std::optional<Frame> next();
  bool is_broken() const { return broken_; }
  bool is_partial() const { return !input_.empty(); }
  // The stream ends with the first octets of a close, whose length some servers leave out.
  bool ends_in_close() const;

  std::string frame(Channel channel, std::string_view data = {});

 private:
  std::string input_;
  std::uint16_t sequence_;
  bool broken_ = false;
};

}  // namespace wherry::oscar
