#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/strings.h"
#include "control/identity/registrations.h"

/// Any lines on the supervisor's channel: no more is known than there are lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weft::control::Registrations registrations;
  std::size_t lines = 0;
  for (const std::string_view line : weft::split({reinterpret_cast<const char*>(data), size}, '\n')) {
    registrations.take_line(line);
    ++lines;
  }
  WEFT_ASSERT(registrations.size() <= lines);
  static_cast<void>(registrations.find(1 << 30));
  return 0;
}
