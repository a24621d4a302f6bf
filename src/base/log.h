#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace weft::log {

/// error: a human must act. warn: we degraded. info: life cycle. debug: per connection. trace: per frame.
enum class Level : int { kTrace, kDebug, kInfo, kWarn, kError, kOff };

/// One key=value pair of a line. The value is copied while the line is written; nothing is kept.
struct Field {
  Field(std::string_view key_, std::string_view value_) : key(key_), value(value_) {}
  Field(std::string_view key_, const char* value_) : key(key_), value(value_) {}
  Field(std::string_view key_, const std::string& value_) : key(key_), value(value_) {}
  Field(std::string_view key_, long long value_) : key(key_), value(std::to_string(value_)) {}
  Field(std::string_view key_, unsigned long long value_) : key(key_), value(std::to_string(value_)) {}
  Field(std::string_view key_, int value_) : key(key_), value(std::to_string(value_)) {}
  Field(std::string_view key_, unsigned value_) : key(key_), value(std::to_string(value_)) {}
  Field(std::string_view key_, long value_) : key(key_), value(std::to_string(value_)) {}
  Field(std::string_view key_, unsigned long value_) : key(key_), value(std::to_string(value_)) {}
  std::string_view key;
  std::string value;
};

/// Sets what is written from here on. Any thread.
void set_level(Level level);
Level level();
/// "trace", "debug", "info", "warning" or "warn", "error", "off"; false for any other text.
bool parse_level(std::string_view text, Level& out);
std::string_view to_string(Level level);

/// Writes one line to standard error: time, level, component, constant message, key=value pairs.
/// Values with spaces or control bytes are quoted and escaped. Any thread; a line is never torn. Never waits:
/// lines that a full pipe does not take are lost, and the next line that is taken comes after their number.
void write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields = {});

}  // namespace weft::log

/// Fields are not evaluated when the level is off.
#define WEFT_LOG(LEVEL, component, message, ...)                                        \
  do {                                                                                  \
    if (::weft::log::Level::LEVEL >= ::weft::log::level())                              \
      ::weft::log::write(::weft::log::Level::LEVEL, component, message, {__VA_ARGS__}); \
  } while (false)
