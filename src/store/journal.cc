#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <charconv>

#include "base/log.h"

namespace weft::store {
namespace {

constexpr std::size_t kHead = 17;  // crc, length, space
constexpr std::size_t kLargest = 64 * 1024 * 1024;

Error broken(const std::string& file, std::string_view doing) {
  return Error::internal(Code::kInternal, file + ": " + std::string(doing) + ": " + errno_text(errno));
}

std::string framed(std::string_view record) {
  char head[kHead + 1];
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(record.data()), static_cast<uInt>(record.size()));
  std::snprintf(head, sizeof head, "%08lx%08zx ", static_cast<unsigned long>(crc), record.size());
  return std::string(head, kHead).append(record).append("\n");
}

Result<void> write_whole(int fd, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
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
  if (!head || size > kLargest || bytes.size() < kHead + size + 1 || bytes[kHead + size] != '\n') return 0;
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

/// Replays a file; the offset of its good end.
Result<std::uint64_t> replay_file(const std::string& file,
                                  const std::function<Result<void>(std::string_view)>& replay) {
  WEFT_TRY(const std::string bytes, read_whole(file));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view rest = std::string_view(bytes).substr(at);
    const std::size_t size = record_at(rest);
    if (size == 0) {
      if (record_behind(rest))
        return fail(
            Error::internal(Code::kInvalid, file + ": damaged at byte " + std::to_string(at) +
                                                ": restore it, or start anew with 'weft down --purge'"));
      WEFT_LOG(kWarn, "store", "the journal's unfinished end is dropped", {"file", file},
               {"bytes", rest.size()});
      break;
    }
    auto taken = replay(rest.substr(kHead, size - kHead - 1));
    if (!taken) return fail(std::move(taken).error().with_context(file + " at byte " + std::to_string(at)));
    at += size;
  }
  return at;
}

}  // namespace

Result<Journal> Journal::open(std::string directory,
                              const std::function<Result<void>(std::string_view)>& replay) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(broken(directory, "cannot make the directory"));
  Journal journal;
  journal.directory_ = std::move(directory);
  const std::string file = journal.directory_ + "/journal";
  WEFT_CHECK(replay_file(journal.directory_ + "/snapshot", replay));
  WEFT_TRY(const std::uint64_t end, replay_file(file, replay));
  journal.fd_ = net::Fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!journal.fd_) return fail(broken(file, "cannot open"));
  if (::ftruncate(journal.fd_.get(), static_cast<off_t>(end)) != 0 ||
      ::lseek(journal.fd_.get(), 0, SEEK_END) < 0)
    return fail(broken(file, "cannot cut off the unfinished end"));
  journal.bytes_ = end;
  WEFT_CHECK(journal.sync_directory());
  return journal;
}

void Journal::append(std::string_view record) { pending_ += framed(record); }

Result<void> Journal::flush() {
  if (pending_.empty()) return {};
  WEFT_CHECK(write_whole(fd_.get(), pending_, directory_ + "/journal"));
  bytes_ += pending_.size();
  pending_.clear();
  return {};
}

Result<void> Journal::sync() {
  WEFT_CHECK(flush());
  if (::fdatasync(fd_.get()) != 0) return fail(broken(directory_ + "/journal", "cannot sync"));
  return {};
}

Result<void> Journal::sync_directory() const {
  const net::Fd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail(broken(directory_, "cannot sync"));
  return {};
}

Result<void> Journal::snapshot(
    const std::function<void(const std::function<void(std::string_view)>&)>& write_all) {
  WEFT_CHECK(sync());
  const std::string file = directory_ + "/snapshot", temporary = file + ".new";
  std::string bytes;
  write_all([&](std::string_view record) { bytes += framed(record); });
  {
    const net::Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return fail(broken(temporary, "cannot open"));
    WEFT_CHECK(write_whole(fd.get(), bytes, temporary));
    if (::fsync(fd.get()) != 0) return fail(broken(temporary, "cannot sync"));
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) return fail(broken(file, "cannot replace"));
  WEFT_CHECK(sync_directory());
  // A crash before this leaves records that the snapshot holds already: replaying them changes nothing.
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) < 0)
    return fail(broken(directory_ + "/journal", "cannot empty"));
  bytes_ = 0;
  return {};
}

}  // namespace weft::store
