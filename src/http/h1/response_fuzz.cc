#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/testing/message_in_pieces.h"

namespace {

struct Response {
  weft::http::testing::MessageRead message;
  int status = 0;
  bool complete = false;  ///< when the connection ends here
};

Response read(std::string_view bytes, std::size_t step, weft::http::h1::ResponseParser::Asked asked) {
  using namespace weft::http;
  const Limits limits{.head_bytes = 4096, .request_line_bytes = 1024};
  h1::ResponseParser parser(limits);
  h1::BodyDecoder decoder(limits);
  ResponseHead head;
  parser.start(head, asked);
  Response made;
  made.message = weft::http::testing::read_in_pieces(parser, decoder, bytes, step);
  if (made.message.head) made.status = head.status;
  made.complete = made.message.body || (made.message.head && decoder.end_of_input());
  return made;
}

}  // namespace

/// Bytes as a server would send them, cut where the first byte says: the same end as in one piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  using Asked = weft::http::h1::ResponseParser::Asked;
  const Asked asked = data[0] & 64 ? Asked::kHead : data[0] & 128 ? Asked::kTunnel : Asked::kMessage;
  const Response whole = read(bytes, bytes.size(), asked);
  const Response cut = read(bytes, data[0] % 64 + 1u, asked);
  WEFT_ASSERT(same_outcome(whole.message, cut.message));
  if (whole.message.rejected_with == 0)
    WEFT_ASSERT(whole.status == cut.status && whole.complete == cut.complete);
  return 0;
}
