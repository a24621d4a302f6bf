#pragma once

#include <cstdint>
#include <string_view>

namespace weft::http::h2 {

/// RFC 9113 §7.
enum class ErrorCode : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kSettingsTimeout = 4,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
  kConnectError = 10,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
};
/// "REFUSED_STREAM"; "unknown" for what the RFC does not name.
std::string_view to_string(ErrorCode code);

}  // namespace weft::http::h2
