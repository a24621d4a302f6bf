#pragma once

#include <array>
#include <string>
#include <string_view>

#include "http/message.h"

/// Writes HTTP/1 from messages. Framing is made here from the message's own members and never copied from
/// what came in (RFC 9112 §6). Pure: appends to a string.
namespace weft::http::h1 {

/// How the body that follows a head will be delimited.
enum class BodyForm { kNone, kLength, kChunked, kUntilClose };

/// A request. `form` kLength uses head.content_length. False, and nothing written, when a value that came
/// from configuration would end a line (RFC 9110 §5.5), or a space the target.
[[nodiscard]] bool write_request_head(std::string& out, const RequestHead& head, BodyForm form);

struct ResponseForm {
  BodyForm body = BodyForm::kNone;
  bool close = false;        ///< say "Connection: close"
  bool keep_alive = false;   ///< say "Connection: keep-alive" (to HTTP/1.0 clients)
  bool length_only = false;  ///< a response to HEAD or a 304: content_length is told, no body follows
};
/// False, and nothing written, when a value would end a line.
[[nodiscard]] bool write_response_head(std::string& out, const ResponseHead& head, const ResponseForm& form);

/// The last chunk and the fields behind it (RFC 9112 §7.1.2). False, and nothing written, when a value would
/// end a line.
[[nodiscard]] bool write_trailers(std::string& out, const Headers& trailers);

/// What goes before and behind the data of one chunk, with the last chunk behind it at the `end`. No data and
/// no end: nothing.
struct ChunkFrame {
  ChunkFrame(std::size_t size, bool end);
  ChunkFrame(const ChunkFrame&) = delete;
  ChunkFrame& operator=(const ChunkFrame&) = delete;
  std::string_view before, after;

 private:
  std::array<char, 18> digits_;
};

}  // namespace weft::http::h1
