#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h1/body_decoder.h"
#include "http/h1/head_parser.h"

namespace {

struct Outcome {
  int status = 0;
  bool done = false;
  int response = 0;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t step, bool to_head) {
  using namespace weft::http;
  const h1::Limits limits{.head_bytes = 4096, .request_line_bytes = 1024};
  h1::ResponseParser parser(limits);
  h1::BodyDecoder decoder(limits);
  ResponseHead head;
  parser.start(head, to_head);
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
      outcome.response = head.status;
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
  outcome.done = head_done && (decoder.done() || decoder.end_of_input());
  return outcome;
}

}  // namespace

/// Bytes as a server would send them, cut where the first byte says: the same end as in one piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool to_head = data[0] & 64;
  const Outcome whole = read(bytes, bytes.size(), to_head);
  const Outcome cut = read(bytes, data[0] % 64 + 1u, to_head);
  // A line with two faults may be rejected for either: which one is seen first depends on where it was cut.
  WEFT_ASSERT((whole.status == 0) == (cut.status == 0));
  if (whole.status == 0) WEFT_ASSERT(whole == cut);
  return 0;
}
