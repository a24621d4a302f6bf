#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "net/socket.h"

namespace weft::store {

/// The objects on disk: a snapshot and a journal of what came after it, in one directory.
///
/// A record is eight hexadecimal digits of CRC-32, eight of its length, a space, the bytes, a line end:
/// readable, and checked. append() is on disk when sync() has returned. What a crash has cut off at the
/// journal's end was never answered for, and is dropped; damage before that end is an error, since somebody
/// was told it was safe. Owner: EmbeddedStore. Thread: one.
class Journal {
 public:
  /// Opens or makes the directory (0700) and gives every record to `replay`, the snapshot's first. Errors
  /// name file and offset.
  static Result<Journal> open(std::string directory,
                              const std::function<Result<void>(std::string_view)>& replay);

  void append(std::string_view record);
  /// fdatasync of everything appended. Error: the disk is full or broken; nothing more can be promised.
  Result<void> sync();
  /// Hands what was appended to the kernel without waiting for the disk: it survives our end, not the
  /// machine's.
  Result<void> flush();
  /// Whether so much has come since the last snapshot that a new one is worth writing.
  bool wants_snapshot() const { return bytes_ > kSnapshotAfter; }
  /// Writes a snapshot by `write_all(emit)`, atomically, and begins the journal anew.
  Result<void> snapshot(const std::function<void(const std::function<void(std::string_view)>&)>& write_all);

 private:
  static constexpr std::uint64_t kSnapshotAfter = 4 * 1024 * 1024;
  Result<void> sync_directory() const;

  std::string directory_;
  net::Fd fd_;
  std::string pending_;
  std::uint64_t bytes_ = 0;
};

}  // namespace weft::store
