#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h1/body_decoder.h"
#include "http/h1/head_parser.h"

/// Bytes as a client would send them, cut where the first byte says: the codec must come to the same end as
/// with the bytes in one piece, never read past what it was shown, and never take what it did not consume.
namespace {

struct Outcome {
  int status = 0;
  bool done = false;
  std::string path, body;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t step) {
  using namespace weft::http;
  const h1::Limits limits{.head_bytes = 4096, .request_line_bytes = 1024};
  h1::RequestParser parser(limits);
  h1::BodyDecoder decoder(limits);
  RequestHead head;
  parser.start(head);
  Outcome outcome;
  std::string waiting;
  bool head_done = false;
  while (!bytes.empty()) {
    waiting += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    if (!head_done) {
      const h1::HeadStep taken = parser.feed(waiting);
      WEFT_ASSERT(taken.consumed <= waiting.size());
      waiting.erase(0, taken.consumed);
      outcome.status = taken.refusal.status;
      if (taken.refusal) return outcome;
      head_done = taken.done;
      if (!head_done) continue;
      decoder.start(parser.framing());
      outcome.path = head.path;
    }
    while (!waiting.empty() && !decoder.done()) {
      const h1::BodyStep taken = decoder.decode(waiting);
      WEFT_ASSERT(taken.consumed <= waiting.size());
      outcome.body += taken.data;
      waiting.erase(0, taken.consumed);
      outcome.status = taken.refusal.status;
      if (taken.refusal) return outcome;
      if (taken.consumed == 0) break;
    }
    if (decoder.done()) break;
  }
  outcome.done = head_done && decoder.done();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(bytes, bytes.size());
  const Outcome cut = read(bytes, data[0] % 64 + 1u);
  // A line with two faults may be refused for either: which one is seen first depends on where it was cut.
  WEFT_ASSERT((whole.status == 0) == (cut.status == 0));
  if (whole.status == 0) WEFT_ASSERT(whole == cut);
  return 0;
}
