#pragma once

#include <string>
#include <string_view>

#include "http/auto_session.h"

namespace weft::http::testing {

/// HTTP/2 as bytes (RFC 9113 §4.1), by hand: for what no library would send.
inline constexpr std::string_view kPreface = kHttp2Preface;
enum FrameType : unsigned char {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kContinuation = 9
};
inline constexpr unsigned char kEndStream = 1, kEndHeaders = 4;

inline std::string frame(FrameType type, unsigned char flags, unsigned char stream,
                         std::string_view payload) {
  std::string bytes;
  for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  bytes.append({0, 0, 0, static_cast<char>(stream)});
  return bytes.append(payload);
}

/// A field as it stands in no table (RFC 7541 §6.2.2); both shorter than 127 bytes.
inline std::string literal_field(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  bytes += static_cast<char>(name.size());
  bytes += name;
  bytes += static_cast<char>(value.size());
  return bytes.append(value);
}

/// A gRPC message with its prefix.
inline std::string message(std::string_view text, bool compressed = false) {
  std::string bytes(1, compressed ? '\1' : '\0');
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(text.size() >> shift);
  return bytes.append(text);
}

}  // namespace weft::http::testing
