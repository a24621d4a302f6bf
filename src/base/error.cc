#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not found";
    case Code::kConflict: return "conflict";
    case Code::kUnsupported: return "unsupported";
    case Code::kTooLarge: return "too large";
    case Code::kTimeout: return "timeout";
    case Code::kRefused: return "refused";
    case Code::kReset: return "reset";
    case Code::kClosed: return "closed";
    case Code::kCancelled: return "cancelled";
    case Code::kDenied: return "denied";
    case Code::kExhausted: return "exhausted";
    case Code::kUnavailable: return "unavailable";
    case Code::kInternal: return "internal";
  }
  return "unknown";
}

std::string errno_text(int number) {
  char buffer[128];
  return strerror_r(number, buffer, sizeof buffer);
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weft: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace weft
