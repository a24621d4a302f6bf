#include <cstdint>
#include <span>

#include "capture/netlink_outcome.h"

/// Any bytes as what the kernel says to a netlink request.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(weft::capture::netlink_outcome(std::span(reinterpret_cast<const char*>(data), size)));
  return 0;
}
