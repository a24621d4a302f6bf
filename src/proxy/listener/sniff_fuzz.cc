#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/h1/head_parser.h"
#include "proxy/listener/sniff.h"

namespace {

using weft::proxy::Sniffed;
using weft::proxy::Sniffer;

Sniffed decide(std::string_view bytes, std::size_t step) {
  Sniffer sniffer;
  for (std::size_t size = std::min(step, bytes.size());; size = std::min(size + step, bytes.size())) {
    const Sniffed seen = sniffer.look(bytes.substr(0, size));
    if (seen != Sniffed::kUndecided) return seen;
    if (size == bytes.size()) return sniffer.at_end(bytes);
  }
}

bool is_request(std::string_view bytes) {
  const weft::http::Limits limits;
  weft::http::h1::RequestParser parser(limits);
  weft::http::RequestHead head;
  parser.start(head);
  const weft::http::h1::HeadStep step = parser.feed(bytes);
  return step.done && !step.rejection;
}

}  // namespace

/// The first byte says how the others come. What they are told for does not depend on it, and what the codec
/// takes for a request is never anything else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Sniffed whole = decide(bytes, bytes.size());
  WEFT_ASSERT(whole == decide(bytes, data[0] % 64 + 1u));
  if (is_request(bytes)) WEFT_ASSERT(whole == Sniffed::kHttp10 || whole == Sniffed::kHttp11);
  return 0;
}
