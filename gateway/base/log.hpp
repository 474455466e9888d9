// Structured logs: a dotted past-tense event and fields.
//
//   log::info("outbox.settled", {{"account", account.value}, {"outcome", "done"}});
//
// No body, number, JID or secret above debug except through log::masked().
// error: a person must act; warn: degraded, recovering; info: state changes, and each message's stages
// (queues/trail.hpp); debug: the rest.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace wherry::base::log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

struct Field {
  template <class T>
    requires std::is_integral_v<T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}

  std::string_view key;
  std::variant<std::int64_t, std::string> value;
};
using Fields = std::initializer_list<Field>;

// Once, at start. Logs go to standard error; level "info", text, until then.
void configure(Level level, Format format);
bool enabled(Level level);

void write(Level level, std::string_view event, Fields fields);
inline void debug(std::string_view event, Fields fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }

// While one lives, this thread's lines are kept back; then they are written at once: for what writes a line for each of
// many. Never over a co_await.
class Hold {
 public:
  Hold();
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
};

// A keyed hash of something personal: the same value gives the same word under one key, and tells nothing to whom has
// not the key.
std::string masked(std::string_view personal);

// `text` with each run of five or more digits masked, a "+" before them included: what errors say of numbers.
std::string without_numbers(std::string_view text);

// The key of masked(): until it is set, one of this process alone. Once, at start.
using MaskKey = std::array<unsigned char, 16>;
void set_mask_key(const MaskKey& key);

}  // namespace wherry::base::log

namespace wherry {
namespace log = base::log;
}
