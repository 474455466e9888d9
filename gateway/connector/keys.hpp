// The configuration's keys as tables: what is read is checked by them (settings.hpp), and the example and the reference
// page are made from them (gateway/config/pages.hpp). A connector brings its own (Plugin::sections).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wherry::connector {

struct Type {
  enum class Kind {
    text,
    secret,  // the key itself, or the key with "_file" behind it: a file that holds the secret
    file,    // relative to the configuration's folder; its name ends in "_file"
    whole,
    decimal,
    flag,
    choice,
    texts,
    table,
    tables,
  };
  Kind kind;
  std::int64_t least = 0, most = 0;  // of numbers
  std::string_view choices = {};     // of a choice: "udh udh16 sar"

  static constexpr Type text() { return {Kind::text}; }
  static constexpr Type secret() { return {Kind::secret}; }
  static constexpr Type file() { return {Kind::file}; }
  static constexpr Type whole(std::int64_t least, std::int64_t most) { return {Kind::whole, least, most}; }
  static constexpr Type decimal(std::int64_t least, std::int64_t most) { return {Kind::decimal, least, most}; }
  static constexpr Type flag() { return {Kind::flag}; }
  static constexpr Type one_of(std::string_view words) { return {Kind::choice, 0, 0, words}; }
  static constexpr Type texts() { return {Kind::texts}; }
  static constexpr Type table() { return {Kind::table}; }
  static constexpr Type tables() { return {Kind::tables}; }
};

inline constexpr std::string_view required = "required";  // in place of a default

struct Key {
  std::string_view name;
  Type type;
  std::string_view standard;  // what holds where the key is not there; `required`; or nothing
  std::string_view meaning;   // a phrase; it stands behind "is missing: ", too
  // What the example file has there, without the quotes of a text; it leaves out what has none. "{connector}": the name
  // of the connector whose keys follow.
  std::string_view example = {};
};

// One table of the configuration.
struct Section {
  std::string_view name;     // "server", "carriers"; "" where a connector's own part begins
  std::string_view of = {};  // which entries of a list: "smpp" are those with type = "smpp"
  bool is_list = false;      // [[…]]
  std::string_view meaning = {};
  std::span<const Key> keys = {};
};

}  // namespace wherry::connector
