#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace weft {

void open_standard_descriptors() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest that is free: those before it are open.
    if (::open("/dev/null", O_RDWR) != stream) std::abort();
  }
}

}  // namespace weft
