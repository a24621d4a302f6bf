#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::http::grpc {

/// Before each message: whether it is compressed, and its length in four bytes (PROTOCOL-HTTP2,
/// "Length-Prefixed-Message").
inline constexpr std::size_t kPrefix = 5;

/// Bytes that come, as messages. Pure.
///
/// Owner: SessionStream. Thread: one loop.
class Incoming {
 public:
  /// `max_message`: bytes; `blame`: whose fault it is that a message is none.
  Incoming(std::size_t max_message, Blame blame) : max_message_(max_message), blame_(blame) {}

  void append(std::string_view bytes) { bytes_.append(bytes); }
  bool empty() const { return bytes_.empty(); }
  /// The next message; nullopt: it is not whole yet. Errors: kUnsupported, it is compressed; kTooLarge.
  Result<std::optional<std::string>> take();

 private:
  std::size_t max_message_;
  Blame blame_;
  std::string bytes_;
};

}  // namespace weft::http::grpc
