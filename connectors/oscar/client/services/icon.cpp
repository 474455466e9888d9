#include "connectors/oscar/client/services/icon.hpp"

namespace wherry::oscar {

namespace {

constexpr std::uint16_t picture_type = 1;

}  // namespace

std::string ask_icon(std::string_view name, const IconId& icon) {
  return Writer().text8(name).u8(1).u16(picture_type).u8(icon.flags).text8(icon.hash).take();
}

std::string give_icon(std::string_view picture) { return Writer().u16(picture_type).text16(picture).take(); }

std::optional<std::string> read_icon(std::string_view body) {
  Reader in(body);
  in.text8();  // whose it is
  in.u16();
  in.u8();
  in.text8();  // the hash
  std::string picture = in.text16();
  if (!in.ok() || picture.empty()) return std::nullopt;
  return picture;
}

bool is_icon_taken(std::string_view body) {
  Reader in(body);
  const std::uint8_t code = in.u8();
  return in.ok() && code == 0;
}

std::string media_type_of(std::string_view picture) {
  if (picture.starts_with("GIF8")) return "image/gif";
  if (picture.starts_with("\x89PNG\r\n")) return "image/png";
  if (picture.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
  if (picture.starts_with("BM")) return "image/bmp";
  return {};
}

}  // namespace wherry::oscar
