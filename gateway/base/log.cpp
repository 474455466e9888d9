#include "gateway/base/log.hpp"

#include "gateway/base/text.hpp"

#include <nlohmann/json.hpp>
#include <sodium.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <tuple>

namespace wherry::base::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Logger {
  Logger() : spd("wherry", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    spd.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    if (sodium_init() >= 0) randombytes_buf(key.data(), key.size());
  }
  spdlog::logger spd;
  Format format = Format::text;
  MaskKey key{};
};

// The process has one standard error, so it has one logger (the only such object; gateway/DECISIONS.md 7).
Logger& logger() {
  static Logger instance;
  return instance;
}

// Anything but a plain word is quoted, so that a value cannot forge a field or a line.
void append_text(std::string& line, const std::string& value) {
  const bool plain = !value.empty() &&
                     value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/+@-") ==
                         std::string::npos;
  line += plain ? value : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void configure(Level level, Format format) {
  logger().spd.set_level(to_spdlog(level));
  logger().format = format;
  if (format == Format::json) logger().spd.set_pattern("%v");
}

bool enabled(Level level) { return logger().spd.should_log(to_spdlog(level)); }

void write(Level level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  if (logger().format == Format::json) {
    nlohmann::json line;
    line["time"] = to_rfc3339(std::chrono::system_clock::now());
    line["level"] = std::string(spdlog::level::to_string_view(to_spdlog(level)).data());
    line["event"] = std::string(event);
    for (const Field& field : fields) {
      std::visit([&](const auto& value) { line[std::string(field.key)] = value; }, field.value);
    }
    logger().spd.log(to_spdlog(level), "{}", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  std::string line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
    else append_text(line, std::get<std::string>(field.value));
  }
  logger().spd.log(to_spdlog(level), "{}", line);
}

static_assert(std::tuple_size_v<MaskKey> == crypto_shorthash_KEYBYTES);

void set_mask_key(const MaskKey& key) { logger().key = key; }

std::string without_numbers(std::string_view text) {
  constexpr std::size_t shortest = 5;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string result;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = at;
    if (*at == '+') ++at;
    const auto digits = at;
    at = std::find_if_not(at, text.end(), is_digit);
    if (static_cast<std::size_t>(at - digits) >= shortest) {
      result += masked({begin, at});
      continue;
    }
    if (at == begin) ++at;
    result.append(begin, at);
  }
  return result;
}

std::string masked(std::string_view personal) {
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(personal.data()), personal.size(),
                   logger().key.data());
  return "~" + to_hex({reinterpret_cast<const char*>(hash.data()), 5});
}

}  // namespace wherry::base::log
