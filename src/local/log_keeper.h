#pragma once

#include <string>

#include "net/loop.h"

namespace weft::local {

/// Keeps the log files below a folder from filling the disk: one that has grown beyond 16 MiB is copied to
/// `<name>.1`, replacing an older copy, and begun anew in place, since its writer has it open.
///
/// Owner: the supervisor. Thread: the loop's.
class LogKeeper {
 public:
  LogKeeper(net::Loop& loop, std::string folder);
  void start();

 private:
  void look();
  net::Loop& loop_;
  std::string folder_;
  net::Timer timer_;
};

/// Whether the file was larger than `limit` bytes and has been begun anew.
bool rotate(const std::string& file, std::uint64_t limit);

}  // namespace weft::local
