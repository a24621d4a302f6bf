#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"

namespace weft::store {
namespace {

constexpr std::size_t kHead = 17;  // crc, length, space
constexpr std::size_t kMaxRecord = 64 * 1024 * 1024;
constexpr std::size_t kWriteBlock = 256 * 1024;
constexpr std::string_view kSnapshotHead = "snapshot of ";  // and the number of records behind it

Error broken(const std::string& file, std::string_view doing) {
  return Error::internal(Code::kInternal, file + ": " + std::string(doing) + ": " + errno_text(errno));
}

std::string framed(std::string_view record) {
  char head[kHead + 1];
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(record.data()), static_cast<uInt>(record.size()));
  std::snprintf(head, sizeof head, "%08lx%08zx ", static_cast<unsigned long>(crc), record.size());
  return std::string(head, kHead).append(record).append("\n");
}

Result<void> write_whole(Disk& disk, int fd, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const ssize_t wrote = disk.write(fd, bytes);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail(broken(file, "cannot write"));
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<std::string> read_whole(const std::string& file) {
  const net::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::string();
  if (!fd) return fail(broken(file, "cannot open"));
  std::string bytes;
  char block[65536];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(broken(file, "cannot read"));
    if (got == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(got));
  }
}

/// The size of the record at the front with its frame, or 0 when it is not whole or not right.
std::size_t record_at(std::string_view bytes) {
  if (bytes.size() < kHead + 1) return 0;
  unsigned long crc = 0;
  std::size_t size = 0;
  const char* const data = bytes.data();
  const bool head = std::from_chars(data, data + 8, crc, 16).ptr == data + 8 &&
                    std::from_chars(data + 8, data + 16, size, 16).ptr == data + 16 && bytes[16] == ' ';
  if (!head || size > kMaxRecord || bytes.size() < kHead + size + 1 || bytes[kHead + size] != '\n') return 0;
  const std::string_view record = bytes.substr(kHead, size);
  const auto real = crc32(0, reinterpret_cast<const Bytef*>(record.data()), static_cast<uInt>(record.size()));
  return real == crc ? kHead + size + 1 : 0;
}

/// Whether a whole record begins anywhere behind the front: then what is at the front was not the end of the
/// file.
bool record_behind(std::string_view bytes) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1))
    if (record_at(bytes.substr(at + 1))) return true;
  return false;
}

struct Replayed {
  std::uint64_t end = 0;      ///< of the last whole record
  std::uint64_t records = 0;  ///< with the snapshot's head
  std::uint64_t dropped = 0;  ///< bytes behind the end
};

Error damaged(const std::string& file, const Replayed& upto, std::size_t size) {
  const std::string at = std::to_string(upto.end);
  return Error::internal(
      Code::kInvalid,
      file + ": damaged at byte " + at + " of " + std::to_string(size) + ", behind " +
          std::to_string(upto.records) + " whole records: restore the file from a copy; or 'truncate -s " +
          at + " " + file +
          "' to go on without the changes that stand behind it; or start afresh with 'weft down --purge'");
}

/// Replays a file up to its good end.
Result<Replayed> replay_file(const std::string& file, const Journal::Replay& replay) {
  WEFT_TRY(const std::string bytes, read_whole(file));
  Replayed done;
  while (done.end < bytes.size()) {
    const std::string_view rest = std::string_view(bytes).substr(done.end);
    const std::size_t size = record_at(rest);
    if (size == 0) {
      if (record_behind(rest)) return fail(damaged(file, done, bytes.size()));
      done.dropped = rest.size();
      break;
    }
    auto taken = replay(rest.substr(kHead, size - kHead - 1));
    if (!taken)
      return fail(std::move(taken).error().with_context(file + " at byte " + std::to_string(done.end)));
    done.end += size;
    ++done.records;
  }
  return done;
}

/// A snapshot is renamed into place when it is whole: one with an unfinished end, or with fewer records than
/// its head says, was damaged later. Those without a head are taken by their records. Its size.
Result<std::uint64_t> replay_snapshot(const std::string& file, const Journal::Replay& replay) {
  std::uint64_t expected = 0;
  bool first = true;
  const auto each = [&](std::string_view record) -> Result<void> {
    const bool head = std::exchange(first, false) && record.starts_with(kSnapshotHead);
    if (!head) return replay(record);
    record.remove_prefix(kSnapshotHead.size());
    std::from_chars(record.data(), record.data() + record.size(), expected);
    return {};
  };
  WEFT_TRY(const Replayed done, replay_file(file, each));
  if (done.dropped == 0 && (expected == 0 || done.records == expected + 1)) return done.end;
  return fail(damaged(file, done, done.end + done.dropped));
}

}  // namespace

Result<Journal> Journal::open(std::string directory, const Replay& replay, Disk& disk) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(broken(directory, "cannot make the directory"));
  Journal journal;
  journal.directory_ = std::move(directory);
  journal.disk_ = &disk;
  const std::string file = journal.file();
  WEFT_TRY(journal.snapshot_bytes_, replay_snapshot(journal.directory_ + "/snapshot", replay));
  journal.snapshot_after_ = journal.enough_for_snapshot();
  WEFT_TRY(const Replayed done, replay_file(file, replay));
  journal.fd_ = disk.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (!journal.fd_) return fail(broken(file, "cannot open"));
  journal.bytes_ = done.end;
  if (done.dropped != 0) {
    WEFT_LOG(kWarn, "store", "the journal's unfinished end is dropped", {"file", file},
             {"bytes", done.dropped});
    journal.torn_ = true;
    WEFT_CHECK(journal.take_back());
  }
  WEFT_CHECK(journal.sync_directory());
  return journal;
}

Result<void> Journal::append(std::string_view record, Safe safe) {
  if (record.size() > kMaxRecord)
    return fail(Error::config(Code::kTooLarge, "a change of more than 64 MB; make it in parts"));
  if (torn_) WEFT_CHECK(take_back());
  auto written = write_record(record, safe);
  if (written) return {};
  torn_ = true;
  if (const auto back = take_back(); !back)
    WEFT_LOG(kError, "store",
             "half a record stands at the journal's end; nothing is written until it is gone",
             {"error", back.error().text});
  return written;
}

Result<void> Journal::write_record(std::string_view record, Safe safe) {
  if (::lseek(fd_.get(), static_cast<off_t>(bytes_), SEEK_SET) < 0)
    return fail(broken(file(), "cannot seek"));
  const std::string whole = framed(record);
  WEFT_CHECK(write_whole(*disk_, fd_.get(), whole, file()));
  // After a sync that failed it is unknown what the disk has: a caller that asks again writes the record
  // again.
  if (safe == Safe::kFromPowerLoss && disk_->sync(fd_.get()) != 0) return fail(broken(file(), "cannot sync"));
  bytes_ += whole.size();
  return {};
}

/// Cuts off what stands behind the last whole record.
Result<void> Journal::take_back() {
  if (disk_->truncate(fd_.get(), static_cast<off_t>(bytes_)) != 0)
    return fail(broken(file(), "cannot cut off the unfinished end"));
  if (disk_->sync(fd_.get()) != 0) return fail(broken(file(), "cannot sync"));
  torn_ = false;
  return {};
}

Result<void> Journal::sync_directory() const {
  const net::Fd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || disk_->sync(fd.get()) != 0) return fail(broken(directory_, "cannot sync"));
  return {};
}

std::uint64_t Journal::enough_for_snapshot() const {
  return std::max<std::uint64_t>(disk_->snapshot_after(), snapshot_bytes_);
}

/// Its size.
Result<std::uint64_t> Journal::write_snapshot(const std::string& temporary, std::size_t records,
                                              const std::function<void(const Emit&)>& write_all) {
  const net::Fd fd = disk_->open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (!fd) return fail(broken(temporary, "cannot open"));
  Result<void> outcome;
  std::uint64_t bytes = 0;
  std::string block = framed(std::string(kSnapshotHead) + std::to_string(records));
  const auto put = [&] {
    if (outcome) outcome = write_whole(*disk_, fd.get(), block, temporary);
    bytes += block.size();
    block.clear();
  };
  write_all([&](std::string_view record) {
    block += framed(record);
    if (block.size() > kWriteBlock) put();
  });
  put();
  WEFT_CHECK(outcome);
  if (disk_->sync(fd.get()) != 0) return fail(broken(temporary, "cannot sync"));
  const std::string file = directory_ + "/snapshot";
  if (disk_->rename(temporary, file) != 0) return fail(broken(file, "cannot replace"));
  return bytes;
}

Result<void> Journal::snapshot(std::size_t records, const std::function<void(const Emit&)>& write_all) {
  snapshot_after_ = bytes_ + enough_for_snapshot();
  const std::string temporary = directory_ + "/snapshot.new";
  auto written = write_snapshot(temporary, records, write_all);
  if (!written) {
    disk_->unlink(temporary);
    return fail(std::move(written).error());
  }
  snapshot_bytes_ = *written;
  WEFT_CHECK(sync_directory());
  // A crash before this leaves records that the snapshot holds already: replaying them changes nothing.
  if (disk_->truncate(fd_.get(), 0) != 0) return fail(broken(file(), "cannot empty"));
  bytes_ = 0;
  // New records must not come to stand in front of old ones.
  if (disk_->sync(fd_.get()) != 0) return fail(broken(file(), "cannot sync"));
  snapshot_after_ = enough_for_snapshot();
  return {};
}

}  // namespace weft::store
