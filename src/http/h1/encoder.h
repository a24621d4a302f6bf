#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

/// Writes HTTP/1 from messages. Framing is made here from the message's own members and never copied from
/// what came in (RFC 9112 §6). Pure: appends to a string.
namespace weft::http::h1 {

/// How the body that follows a head will be delimited.
enum class BodyForm { kNone, kLength, kChunked, kUntilClose };

/// A request. `form` kLength uses head.content_length.
void write_request_head(std::string& out, const RequestHead& head, BodyForm form);

struct ResponseForm {
  BodyForm body = BodyForm::kNone;
  bool close = false;        ///< say "Connection: close"
  bool keep_alive = false;   ///< say "Connection: keep-alive" (to HTTP/1.0 clients)
  bool length_only = false;  ///< an answer to HEAD or a 304: content_length is told, no body follows
};
void write_response_head(std::string& out, const ResponseHead& head, const ResponseForm& form);

/// The line before a chunk's data; "\r\n" goes behind the data.
void write_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace weft::http::h1
