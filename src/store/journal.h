#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "net/socket.h"
#include "store/disk.h"

namespace weft::store {

/// The objects on disk: a snapshot and a journal of what came after it, in one directory.
///
/// A record is eight hexadecimal digits of CRC-32, eight of its length, a space, the bytes, a line end:
/// readable, and checked. A record is there as a whole or not at all, whatever happens while it is written:
/// a write that fails is taken back, and while it cannot be taken back nothing more is written. What the end
/// of the machine or of the process has cut off at the journal's end was never acknowledged, and is dropped;
/// damage before that end is an error, since a writer was told that it was safe. Owner: EmbeddedStore.
/// Thread: one.
class Journal {
 public:
  using Replay = std::function<Result<void>(std::string_view)>;
  using Emit = std::function<void(std::string_view)>;

  /// Opens or makes the directory (0700) and gives every record to `replay`, the snapshot's first. Errors
  /// name file and offset. `disk` must outlive the journal.
  static Result<Journal> open(std::string directory, const Replay& replay, Disk& disk = real_disk());

  enum class Safe {
    kFromOurEnd,     ///< the kernel has it: it survives the end of this process
    kFromPowerLoss,  ///< the disk has it
  };
  /// Adds one record of at most 64 MB. Errors: kTooLarge; kInternal: the disk is full or broken; the record
  /// is then not there, and the next one may be tried.
  Result<void> append(std::string_view record, Safe safe);
  /// Whether so much has come since the last snapshot that a new one is worth writing: as much as Disk says,
  /// and as much as the last one was, so that a change costs the same however many objects there are.
  bool wants_snapshot() const { return bytes_ > snapshot_after_; }
  /// Writes a snapshot of the `records` that `write_all(emit)` gives, atomically, and begins the journal
  /// again. Error: the disk is full or broken; snapshot and journal are then as they were, and
  /// wants_snapshot() waits for as much again.
  Result<void> snapshot(std::size_t records, const std::function<void(const Emit&)>& write_all);

 private:
  Result<void> write_record(std::string_view record, Safe safe);
  Result<std::uint64_t> write_snapshot(const std::string& temporary, std::size_t records,
                                       const std::function<void(const Emit&)>& write_all);
  std::uint64_t enough_for_snapshot() const;
  Result<void> take_back();
  Result<void> sync_directory() const;
  std::string file() const { return directory_ + "/journal"; }

  std::string directory_;
  Disk* disk_ = nullptr;
  net::Fd fd_;
  std::uint64_t bytes_ = 0;           ///< of whole records; where the next one begins
  std::uint64_t snapshot_bytes_ = 0;  ///< of the last one
  std::uint64_t snapshot_after_ = 0;
  bool torn_ = false;  ///< there may be bytes behind bytes_
};

}  // namespace weft::store
