#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "local/name_server.h"
#include "local/testing/tables.h"

/// Any datagram as a question about Services: no response, or one of at most 512 bytes to that very question.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::local;
  static const ServiceTable table = weft::local::testing::table_of(weft::local::testing::kWebAndDatabase);
  const std::string_view question(reinterpret_cast<const char*>(data), size);
  const std::string response = dns_response(question, table, size);
  if (response.empty()) return 0;
  WEFT_ASSERT(response.size() <= 512 && response.size() >= 12);
  WEFT_ASSERT(response.substr(0, 2) == question.substr(0, 2));
  return 0;
}
