#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "net/loop.h"

namespace weft::local {

/// Keeps the log files below a folder from filling the disk: one that has grown beyond 16 MiB is copied to
/// `<name>.1`, replacing an older copy, and begun again in place, since its writer has it open.
///
/// Logs of pods that are gone stay for who looks after them: the folders of the last kPodsKept pods, none
/// longer than kKeptFor.
///
/// Owner: the supervisor. Thread: the loop's.
class LogKeeper {
 public:
  static constexpr std::size_t kPodsKept = 100;
  static constexpr std::chrono::hours kKeptFor{7 * 24};

  /// `pods` has a folder for each pod that is there, of the same name as the folder of its logs.
  LogKeeper(net::Loop& loop, std::string folder, std::string pods);
  void start();

 private:
  void look();
  net::Loop& loop_;
  std::string folder_, pods_;
  net::Timer timer_;
};

/// Whether the file was larger than `limit` bytes and has been begun again.
bool rotate(const std::string& file, std::uint64_t limit);
/// Removes folders below `logs` that have no namesake below `pods`, except the `kept` that changed last and
/// only those that changed after `oldest`. How many.
std::size_t remove_old_logs(const std::string& logs, const std::string& pods, std::size_t kept,
                            std::filesystem::file_time_type oldest);

}  // namespace weft::local
