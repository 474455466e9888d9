#include "gateway/base/log.hpp"

#include "gateway/base/text.hpp"

#include <nlohmann/json.hpp>
#include <sodium.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <tuple>
#include <utility>

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

// What this thread's Holds keep back.
thread_local int holds = 0;
thread_local std::string held;

void write_out(std::string_view lines) { std::fwrite(lines.data(), 1, lines.size(), stderr); }

class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (holds > 0) held.append(line.data(), line.size());
    else write_out({line.data(), line.size()});
  }
  void flush_() override {}
};

struct Logger {
  Logger() : spd("wherry", std::make_shared<StandardError>()) {
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
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/+@-~,").find(c) != std::string_view::npos;
  };
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), is_plain);
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
  std::string line;
  line.reserve(256);
  line = event;
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

Hold::Hold() { ++holds; }

Hold::~Hold() {
  if (--holds == 0 && !held.empty()) write_out(std::exchange(held, {}));
}

std::string masked(std::string_view personal) {
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(personal.data()), personal.size(),
                   logger().key.data());
  return "~" + to_hex({reinterpret_cast<const char*>(hash.data()), 5});
}

}  // namespace wherry::base::log
