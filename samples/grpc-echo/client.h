#pragma once

#include <string>

namespace echo {

struct Calls {
  std::string to = "localhost:9000";
  std::string method = "say";  ///< say, count, collect or talk
  std::string text = "hello";
  unsigned times = 1;  ///< calls of say; messages of the others
  unsigned interval_ms = 0;
  unsigned deadline_ms = 0;  ///< of each call; 0: none
  unsigned status = 0;       ///< that the server is asked to end with
};

/// Makes the calls over one connection and prints a line for each reply, and for each call that fails.
/// Returns the program's exit status: 0 when every call was OK, else the last gRPC status.
int call(const Calls& calls);

}  // namespace echo
