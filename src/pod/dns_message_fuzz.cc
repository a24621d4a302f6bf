#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pod/dns_message.h"

/// Any bytes as a DNS question and as what came back for it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool question = weft::pod::is_dns_question(text);
  const std::string failure = question ? weft::pod::dns_server_failure(text) : std::string();
  if (question) WEFT_ASSERT(weft::pod::is_dns_response_to(failure, text));
  static_cast<void>(weft::pod::is_dns_response_to(text.substr(size / 2), text.substr(0, size / 2)));
  return 0;
}
