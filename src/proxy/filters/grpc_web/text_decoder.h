#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::proxy {

/// Base64 (RFC 4648 §4) that comes in pieces, cut anywhere. Senders may pad wherever they flush
/// (PROTOCOL-WEB.md, "Message framing"), so padding ends a group of four and not the text.
///
/// Owner: one request. Thread: the worker's loop.
class TextDecoder {
 public:
  /// Appends what `piece` holds to `into`. False: it has a byte that is no base64, and no piece may follow.
  bool decode(std::string_view piece, std::string& into);
  /// No group has begun that is not over: the text may end here.
  bool whole() const { return digits_ == 0; }

 private:
  std::uint32_t bits_ = 0;  ///< of the group that has begun
  std::uint8_t digits_ = 0, padding_ = 0;
};

}  // namespace weft::proxy
