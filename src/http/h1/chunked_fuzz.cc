#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h1/body_decoder.h"
#include "http/h1/encoder.h"

/// A body that is encoded in chunks of any sizes decodes to itself, whatever pieces the decoder is shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  using namespace weft::http;
  const std::size_t chunk = data[0] % 200 + 1u, step = data[1] % 50 + 1u;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string encoded;
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    const std::string_view piece = body.substr(at, chunk);
    const h1::ChunkFrame frame(piece.size(), at + chunk >= body.size());
    encoded.append(frame.before).append(piece).append(frame.after);
  }
  if (body.empty()) encoded += h1::ChunkFrame(0, true).after;
  h1::BodyDecoder decoder{Limits{}};
  h1::Framing framing;
  framing.kind = h1::Framing::Kind::kChunked;
  decoder.start(framing);
  std::string decoded, waiting;
  for (std::size_t at = 0; at < encoded.size(); at += step) {
    waiting += std::string_view(encoded).substr(at, step);
    while (!waiting.empty() && !decoder.done()) {
      const h1::BodyStep taken = decoder.decode(waiting);
      WEFT_ASSERT(!taken.rejection);
      decoded += taken.data;
      waiting.erase(0, taken.consumed);
      if (taken.consumed == 0) break;
    }
  }
  WEFT_ASSERT(decoder.done() && waiting.empty() && decoded == body);
  return 0;
}
