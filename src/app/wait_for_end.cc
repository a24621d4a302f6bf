#include "app/wait_for_end.h"

#include <poll.h>

#include <cerrno>

#include "base/time.h"

namespace weft::app {

bool wait_for_end(int process_fd, std::chrono::milliseconds limit) {
  const TimePoint until = SteadyClock::now() + limit;
  for (;;) {
    const auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    pollfd waiting{process_fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, rest > 0 ? static_cast<int>(rest) : 0);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace weft::app
