#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <ctime>

#include "base/log_output.h"

namespace weft::log {
namespace {

std::atomic<Level> current{Level::kInfo};
std::atomic<std::uint64_t> lines_lost{0};

/// Of each thread: no lock, and none that a fork could leave locked.
LogOutput& standard_error() {
  thread_local LogOutput output(STDERR_FILENO);
  return output;
}

void write_line(const std::string& line) {
  LogOutput& output = standard_error();
  if (const std::uint64_t lost = lines_lost.exchange(0, std::memory_order_relaxed)) {
    const std::string note = std::to_string(lost) + " lines of this log were lost: its reader was too slow\n";
    if (output.write(note) != note.size()) {
      lines_lost.fetch_add(lost + 1, std::memory_order_relaxed);
      return;
    }
  }
  // One write call keeps a line whole on a pipe or a file opened for appending.
  if (output.write(line) != line.size()) lines_lost.fetch_add(1, std::memory_order_relaxed);
}

void append_value(std::string& line, std::string_view value) {
  bool plain = !value.empty();
  for (unsigned char c : value) plain = plain && c > 0x20 && c != '"' && c != '\\' && c < 0x7f;
  if (plain) {
    line += value;
    return;
  }
  line += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
      line += escaped;
    } else {
      line += static_cast<char>(c);
    }
  }
  line += '"';
}

void append_time(std::string& line) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  line.append(text, length);
  std::snprintf(text, sizeof text, ".%03ldZ", now.tv_nsec / 1'000'000);
  line += text;
}

}  // namespace

void set_level(Level value) { current.store(value, std::memory_order_relaxed); }
Level level() { return current.load(std::memory_order_relaxed); }

std::string_view to_string(Level value) {
  switch (value) {
    case Level::kTrace: return "trace";
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warning";
    case Level::kError: return "error";
    case Level::kOff: return "off";
  }
  return "off";
}

bool parse_level(std::string_view text, Level& out) {
  if (text == "warn") text = "warning";
  for (int i = 0; i <= static_cast<int>(Level::kOff); ++i) {
    if (text == to_string(static_cast<Level>(i))) {
      out = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

void write(Level at, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields) {
  if (at < level()) return;
  std::string line;
  line.reserve(160);
  append_time(line);
  line += ' ';
  line += to_string(at);
  line += ' ';
  line += component;
  line += ": ";
  line += message;
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  line += '\n';
  write_line(line);
}

}  // namespace weft::log
