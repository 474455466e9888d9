#include "connectors/oscar/client/user_info.hpp"

namespace wherry::oscar {

namespace {

constexpr std::uint32_t class_away = 0x20, class_icq = 0x40;
constexpr std::uint16_t icon_type = 1, note_type = 2;
constexpr std::uint8_t has_value = 4;
constexpr std::string_view no_icon("\x02\x01\xD2\x04\x72", 5);

// A list of {type, flags, value}: icons, notes and more.
void read_things(std::string_view things, UserInfo& info) {
  Reader in(things);
  while (!in.empty()) {
    const std::uint16_t type = in.u16();
    const std::uint8_t flags = in.u8();
    std::string value = in.text8();
    if (!in.ok()) break;
    if (type == icon_type && !info.icon && !value.empty() && value != no_icon && (flags & icon_is_not_there) == 0)
      info.icon = IconId{flags, std::move(value)};
    if (type != note_type || (flags & has_value) == 0 || !info.note.empty()) continue;
    Reader inner(value);
    std::string note = inner.text16();
    if (inner.ok()) info.note = std::move(note);
  }
}

}  // namespace

std::optional<IconId> read_icon_id(Reader& in) {
  while (!in.empty()) {
    const std::uint16_t type = in.u16();
    IconId icon;
    icon.flags = in.u8();
    icon.hash = in.text8();
    if (!in.ok()) break;
    if (type == icon_type && !icon.hash.empty()) return icon;
  }
  return std::nullopt;
}

std::optional<UserInfo> read_user_info(Reader& in) {
  UserInfo info;
  info.name = in.text8();
  in.u16();  // how often others have complained
  const std::size_t count = in.u16();
  if (!in.ok() || info.name.empty()) return std::nullopt;
  info.tlvs = read_tlvs(in, count);
  if (!in.ok()) return std::nullopt;
  const std::uint32_t user_class = number(info.tlvs, 0x01).value_or(0);
  info.is_away = (user_class & class_away) != 0;
  info.is_icq = (user_class & class_icq) != 0;
  info.status = number(info.tlvs, 0x06);
  info.idle_minutes = number(info.tlvs, 0x04).value_or(0);
  if (const std::string* things = find(info.tlvs, 0x1D)) read_things(*things, info);
  return info;
}

}  // namespace wherry::oscar
