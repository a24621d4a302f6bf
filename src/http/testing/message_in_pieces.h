#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h1/body_decoder.h"
#include "http/h1/head_parser.h"

namespace weft::http::testing {

/// What came of the bytes of one HTTP/1 message.
struct MessageRead {
  int rejected_with = 0;  ///< a status; 0: not rejected
  bool head = false;      ///< it is whole
  bool body = false;      ///< it is whole
  std::string content;
  bool operator==(const MessageRead&) const = default;
};

/// Reads a message as a connection does, with a parser that start() was called on, shown `step` more bytes at
/// a time: neither the parser nor the decoder may take what it was not shown. What stands behind the message
/// stays unread.
template <class Parser>
MessageRead read_in_pieces(Parser& parser, h1::BodyDecoder& decoder, std::string_view bytes,
                           std::size_t step) {
  MessageRead read;
  std::string waiting;
  while (!bytes.empty() && !(read.head && decoder.done())) {
    waiting += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    if (!read.head) {
      const h1::HeadStep taken = parser.feed(waiting);
      WEFT_ASSERT(taken.consumed <= waiting.size());
      waiting.erase(0, taken.consumed);
      read.rejected_with = taken.rejection.status;
      if (taken.rejection) return read;
      read.head = taken.done;
      if (!read.head) continue;
      decoder.start(parser.framing());
    }
    while (!waiting.empty() && !decoder.done()) {
      const h1::BodyStep taken = decoder.decode(waiting);
      WEFT_ASSERT(taken.consumed <= waiting.size());
      read.content += taken.data;
      waiting.erase(0, taken.consumed);
      read.rejected_with = taken.rejection.status;
      if (taken.rejection) return read;
      if (taken.consumed == 0) break;
    }
  }
  read.body = read.head && decoder.done();
  return read;
}

/// A message with two faults may be rejected for either: which one is seen first depends on where it was cut.
inline bool same_outcome(const MessageRead& a, const MessageRead& b) {
  return a.rejected_with != 0 && b.rejected_with != 0 ? true : a == b;
}

}  // namespace weft::http::testing
