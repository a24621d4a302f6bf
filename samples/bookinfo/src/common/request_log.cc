#include "common/request_log.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

namespace bookinfo {

namespace {

constexpr std::size_t kLongestText = 512;

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char letter : text.substr(0, kLongestText)) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte >= 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
      continue;
    }
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  out += '"';
}

/// `2026-01-31T08:15:30.123Z`. Source: RFC 3339 §5.6.
void append_time(std::string& out, std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto since = duration_cast<milliseconds>(when.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(since / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  out.append(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts));
  const int size = std::snprintf(text.data(), text.size(), ".%03dZ", static_cast<int>(since % 1000));
  out.append(text.data(), static_cast<std::size_t>(size));
}

void append_number(std::string& out, const char* key, std::size_t number) {
  out += key;
  out += std::to_string(number);
}

void append_text_or_null(std::string& out, const char* key, std::optional<std::string_view> text) {
  out += key;
  if (text) {
    append_quoted(out, *text);
  } else {
    out += "null";
  }
}

/// The second field of `00-<32 digits>-<16 digits>-01`. Source: W3C Trace Context §3.2.
std::optional<std::string_view> trace_id_of(const Headers& headers) {
  if (const auto id = headers.find("x-b3-traceid")) return id;
  const auto parent = headers.find("traceparent");
  constexpr std::size_t kBegin = 3, kEnd = 35;
  if (!parent || parent->size() <= kEnd || (*parent)[kBegin - 1] != '-' || (*parent)[kEnd] != '-')
    return std::nullopt;
  return parent->substr(kBegin, kEnd - kBegin);
}

/// What both kinds of lines begin with.
std::string begun_line(std::chrono::system_clock::time_point when, std::string_view service,
                       const Headers& headers) {
  std::string line = "{\"time\":\"";
  append_time(line, when);
  line += "\",\"service\":";
  append_quoted(line, service);
  append_text_or_null(line, ",\"request_id\":", headers.find("x-request-id"));
  append_text_or_null(line, ",\"trace_id\":", trace_id_of(headers));
  return line;
}

}  // namespace

std::string request_log_line(const Request& request, const Served& served) {
  std::string line = begun_line(served.when, served.service, request.headers);
  line += ",\"method\":";
  append_quoted(line, request.method);
  line += ",\"target\":";
  append_quoted(line, request.target);
  append_number(line, ",\"status\":", served.status);
  append_number(line, ",\"bytes\":", served.bytes);
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), ",\"ms\":%.1f}", served.took.count());
  line.append(text.data(), static_cast<std::size_t>(size));
  return line;
}

std::string failure_log_line(std::chrono::system_clock::time_point when, std::string_view service,
                             const Headers& headers, std::string_view error) {
  std::string line = begun_line(when, service, headers);
  append_text_or_null(line, ",\"error\":", error);
  return line + '}';
}

void log_failure(std::string_view service, const Headers& headers, std::string_view error) {
  const std::string line = failure_log_line(std::chrono::system_clock::now(), service, headers, error) + '\n';
  std::fputs(line.c_str(), stderr);
}

}  // namespace bookinfo
