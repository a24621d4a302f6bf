#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/testing/message_in_pieces.h"

namespace {

struct Request {
  weft::http::testing::MessageRead message;
  std::string path;
};

Request read(std::string_view bytes, std::size_t step) {
  using namespace weft::http;
  const Limits limits{.head_bytes = 4096, .request_line_bytes = 1024};
  h1::RequestParser parser(limits);
  h1::BodyDecoder decoder(limits);
  RequestHead head;
  parser.start(head);
  Request made;
  made.message = weft::http::testing::read_in_pieces(parser, decoder, bytes, step);
  if (made.message.head) made.path = head.path;
  return made;
}

}  // namespace

/// Bytes as a client would send them, cut where the first byte says: the same end as in one piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Request whole = read(bytes, bytes.size());
  const Request cut = read(bytes, data[0] % 64 + 1u);
  WEFT_ASSERT(same_outcome(whole.message, cut.message));
  if (whole.message.rejected_with == 0) WEFT_ASSERT(whole.path == cut.path);
  return 0;
}
