#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::log {

/// Where lines of a log go: a descriptor of the process or a path. Writing never waits for a reader: what a
/// pipe, a terminal or a socket has no room for is not taken, and a FIFO without a reader counts as full.
/// Regular files are written as they are; one that was moved away or removed (log rotation) is created
/// again under its path.
///
/// The descriptor of the process may be shared with other programs, so its mode is left alone: pipes and
/// terminals are opened once more for this. A descriptor that is redirected later is followed.
///
/// Owner and thread: the writer. How it ends: the destructor closes what it opened.
class LogOutput {
 public:
  explicit LogOutput(int descriptor) : descriptor_(descriptor) {}
  /// "/dev/stdout" and "/dev/stderr" are the process's descriptors, which need not be files.
  explicit LogOutput(std::string path);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();

  /// The number of bytes taken, from the front. Into a pipe lines of up to 4096 bytes go whole or not at all,
  /// even where other programs write to it too.
  std::size_t write(std::string_view lines);
  /// Why the last write took less than all; 0 when it took all.
  int error() const { return error_; }

 private:
  enum class Kind : std::uint8_t { kNone, kFile, kSocket, kPipe, kSharedPipe };
  bool ready();
  bool follow_descriptor();
  bool open_path();
  bool moved() const;  ///< another file, or none, has the path now
  void use(int fd, mode_t mode, bool owned);
  void close();
  ssize_t write_piece(std::string_view piece);

  std::string path_;
  int descriptor_ = -1;
  int fd_ = -1;
  bool owned_ = false;
  Kind kind_ = Kind::kNone;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int error_ = 0;
};

}  // namespace weft::log
