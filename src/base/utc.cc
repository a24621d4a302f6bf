#include "base/utc.h"

#include <ctime>

namespace weft {

std::string utc_text(std::chrono::system_clock::time_point when) {
  // Not to_time_t(), which may round.
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

}  // namespace weft
